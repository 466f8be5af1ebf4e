/** Overview: every slice at end-diastole and end-systole, base first. A click shows it large. */

import { find, make } from "./elements.js";
import { SlicePicture } from "./slice_picture.js";

const root = find("#overview");
let page = null;
let cells = [];

/** @param {import("./case_page.js").Page} opened */
export function showOverview(opened) {
  page = opened;
  const { moments, order } = page.state;
  root.style.setProperty("--slices", String(order.length));
  root.classList.toggle("single", moments.length === 1);
  const heads = moments.map(([name, phase]) => heading(name, phase));
  cells = order.flatMap((slice) => moments.map(([name, phase]) => cell(slice, name, phase)));
  const hadFocus = document.activeElement?.closest("#overview .choice");
  root.replaceChildren(...sides(), ...heads, ...cells.map(({ button }) => button));
  if (hadFocus) root.querySelector('.choice [aria-pressed="true"]')?.focus();
  drawOverview();
}

/** Draw all pictures again. */
export function drawOverview() {
  for (const { picture, phase, slice } of cells) picture.draw(page.picture(phase, slice, page.state.case.heart));
  markCorrected();
  markShown();
}

/** Mark what differs from the network's mask. */
function markCorrected() {
  for (const { button, title, phase, slice } of cells) {
    const isCorrected = page.correcting.network.differs(phase, slice);
    const words = isCorrected ? `${title}, corrected` : title;
    if (button.title === words) continue;
    button.classList.toggle("corrected", isCorrected);
    button.title = words;
    button.setAttribute("aria-label", words);
  }
}

/** Mark the slice and the phase that are shown large. */
export function markShown() {
  const { slice, phase } = page.state.shown;
  for (const { button, ...at } of cells) {
    button.classList.toggle("row", at.slice === slice);
    button.setAttribute("aria-current", String(at.slice === slice && at.phase === phase));
  }
  const shown = cells.find((at) => at.slice === slice)?.button;
  if (shown) keepInView(shown);
}

/** Scroll the overview alone, and no more than needed. */
function keepInView(button) {
  const [top, bottom] = [button.offsetTop, button.offsetTop + button.offsetHeight];
  if (top < root.scrollTop + 24)
    root.scrollTop = top - 24; // the headings stay on top
  else if (bottom > root.scrollTop + root.clientHeight) root.scrollTop = bottom - root.clientHeight + 4;
}

function cell(slice, name, phase) {
  const flagged = isFlagged(page.state.case, slice, phase);
  const isMissing = page.state.case.missing_slices.includes(slice);
  const facts = [`slice ${slice}`, name, isMissing && "not acquired", flagged && "flagged"];
  const title = facts.filter(Boolean).join(", ");
  const canvas = make("canvas");
  const label = make("span", {}, isMissing ? `${slice} · not acquired` : slice);
  const button = make(
    "button",
    { type: "button", title, "aria-label": title, class: flagged ? "flagged" : "" },
    canvas,
    label,
  );
  button.addEventListener("click", () => page.state.set({ slice, phase, isPlaying: false }));
  return { button, title, slice, phase, picture: new SlicePicture(canvas) };
}

function heading(name, phase) {
  const words = name.startsWith("RV") ? [] : [make("span", {}, "phase ")];
  return name ? make("p", {}, `${name} · `, ...words, phase) : make("p", {}, "all slices");
}

/** Whose phases are shown: a choice, if the right ventricle has its own. */
function sides() {
  const isChoice = page.state.rightMoments.length > 0;
  root.classList.toggle("sided", isChoice);
  if (!isChoice) return [];
  const buttons = ["LV", "RV"].map((side) => {
    const title = side === "RV" ? "ED and ES of the RV, which has its own (v)" : "ED and ES of the LV (d, s)";
    const pressed = String(page.state.shown.side === side);
    const choose = () => page.state.set({ side });
    return make("button", { type: "button", title, "aria-pressed": pressed, click: choose }, side);
  });
  return [make("div", { class: "choice", role: "group", "aria-label": "Phases of" }, ...buttons)];
}

/** Whether a flag names this very place. */
function isFlagged(kase, slice, phase) {
  const isHere = ([at, index]) => at === phase && index === slice;
  return kase.flags.some(
    (flag) => flag.places.some(isHere) || (flag.slice === slice && (flag.phase ?? phase) === phase),
  );
}

new ResizeObserver(() => page && drawOverview()).observe(root);
