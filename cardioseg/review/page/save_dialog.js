/** Save dialog: asks for the decision, and what to do with changes that were not saved. */

import { find } from "./elements.js";
import { inWords } from "./unsaved.js";

const dialog = find("#save-dialog");
const form = find("form", dialog);
const trouble = find(".trouble", dialog);
const leaving = find("#leave-dialog");
const INITIALS = "initials"; // remembered until the tab is closed

let page = null;
let isSaving = false;
let settle = () => {};

/**
 * Ask for the decision, and save.
 *
 * @param {import("./case_page.js").Page} opened
 * @returns {Promise<boolean>} whether it was saved.
 */
export async function askToSave(opened) {
  page = opened;
  const { correcting } = page;
  const { review } = page.state.case;
  let isAsDrawn = null;
  await correcting.having("Comparing with the network's mask …", 0, [], async () => {
    isAsDrawn = await correcting.isAsDrawn();
  });
  if (isAsDrawn === null || page.isClosed) return false;
  for (const decision of ["accepted", "corrected"]) {
    find(`.${decision}`, form).hidden = (decision === "accepted") !== isAsDrawn;
  }
  form.elements.decision.value = firstDecision(isAsDrawn);
  form.elements.initials.value = sessionStorage.getItem(INITIALS) ?? review?.initials ?? "";
  form.elements.note.value = review?.note ?? "";
  say("");
  dialog.showModal();
  find("input:checked", form).focus();
  return new Promise((resolve) => (settle = resolve));
}

/**
 * Ask what to do with changes that were not saved.
 *
 * @param {import("./case_page.js").Page} opened
 * @returns {Promise<boolean>} whether the case may be left.
 */
export async function askToLeave(opened) {
  find("strong", leaving).textContent = opened.state.case.case_id;
  leaving.returnValue = "";
  leaving.showModal();
  await new Promise((resolve) => leaving.addEventListener("close", resolve, { once: true }));
  if (leaving.returnValue === "save") return (await askToSave(opened)) && !opened.correcting.isUnsaved;
  return leaving.returnValue === "discard";
}

/** What most probably is meant. */
function firstDecision(isAsDrawn) {
  const { review } = page.state.case;
  if (review?.decision === "excluded" && !page.correcting.isUnsaved) return review.decision;
  return isAsDrawn ? "accepted" : "corrected";
}

async function save() {
  if (isSaving) return;
  const { decision, initials, note } = form.elements;
  const entered = { decision: decision.value, initials: initials.value.trim(), note: note.value.trim() };
  setSaving(true);
  say("Saving …");
  trouble.classList.add("busy");
  try {
    await page.correcting.save(entered);
    sessionStorage.setItem(INITIALS, entered.initials);
    setSaving(false);
    dialog.close("saved");
  } catch (failure) {
    setSaving(false);
    say(inWords(failure, page.correcting.correction));
  }
}

/** While a case is saved, the dialog stays open: nothing can be changed behind it. */
function setSaving(is) {
  isSaving = is;
  find(".cancel", dialog).disabled = is;
}

function say(text) {
  trouble.classList.remove("busy");
  trouble.textContent = text;
  trouble.hidden = !text;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  save();
});
form.elements.note.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
});
find(".cancel", dialog).addEventListener("click", () => dialog.close());
document.addEventListener("keydown", (event) => isSaving && event.key === "Escape" && event.preventDefault());
dialog.addEventListener("cancel", (event) => isSaving && event.preventDefault());
dialog.addEventListener("close", () => {
  if (isSaving) return dialog.showModal(); // browsers close a dialog that was asked twice
  settle(dialog.returnValue === "saved");
  dialog.returnValue = "";
});
document.addEventListener("keydown", (event) => {
  const isSave = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s";
  if (isSave) event.preventDefault(); // never the browser's own dialog, also where nothing can be saved
});
