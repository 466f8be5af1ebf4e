/** Main: which view is shown, by the address `#SECRET` or `#SECRET/CASE`, and what the keys do in it. */

import { focusCase, focusFilter, listedCases, moveFocus, showList } from "./case_list.js";
import { Page } from "./case_page.js";
import { chooseTool, correctingKeys } from "./correct_keys.js";
import { find } from "./elements.js";
import { nextFlag } from "./facts.js";
import { adjusted } from "./greys.js";
import { obey, showKeys } from "./keys.js";
import { askToLeave, askToSave } from "./save_dialog.js";
import { Server } from "./server.js";
import { dropStroke, finishStroke } from "./strokes.js";
import { areTablesOld, listenToTables } from "./tables.js";
import { fillMenu } from "./toolbar.js";

const STEP = 0.08; // of the window's width, for one press of a key
const views = ["#message", "#list", "#case"].map((selector) => find(selector));
let server = null;
let secret = "";
let page = null;
let turn = 0;
let lastCase = "";

const addressOf = (caseId) => `#${secret}${caseId ? `/${encodeURIComponent(caseId)}` : ""}`;

function caseInAddress() {
  try {
    return decodeURIComponent(location.hash.slice(1).split("/")[1] ?? "");
  } catch {
    return ""; // no name of a case is written like that
  }
}

/** Whether the case must not be left without a word: changes are not saved, or are being saved. */
function isHeld() {
  return page !== null && (page.correcting.isUnsaved || find("#save-dialog").open);
}

/** Ask before changes that were not saved are lost. */
async function mayLeave() {
  const wanted = location.hash;
  const present = addressOf(page.state.case.case_id);
  history.replaceState(null, "", present);
  if (document.querySelector("dialog[open]") || !(await askToLeave(page))) return false;
  history.replaceState(null, "", wanted);
  return true;
}

async function open() {
  finishStroke();
  if (isHeld() && !(await mayLeave())) return;
  const [token] = location.hash.slice(1).split("/");
  if (!server || token !== secret) [server, secret] = [new Server(token), token];
  const [mine, caseId] = [++turn, caseInAddress()];
  page?.close();
  page = null;
  try {
    const { folder, cases } = await (!caseId || !listedCases().includes(caseId) ? server.cases() : {});
    if (cases && mine === turn) showList(folder, cases, addressOf);
    const kase = caseId ? await server.case(caseId) : null;
    if (mine !== turn) return;
    if (kase) openCase(kase);
    else openList(folder);
  } catch (failure) {
    if (mine === turn) fail(failure, caseId);
  }
}

function show(view) {
  for (const other of views) other.hidden = other.id !== view;
}

function openList(folder) {
  document.title = `${folder} – cardioseg review`;
  show("list");
  focusCase(lastCase);
}

function openCase(kase) {
  const names = listedCases();
  const at = names.indexOf(kase.case_id);
  lastCase = kase.case_id;
  document.title = `${kase.case_id} – cardioseg review`;
  find("#case h1").textContent = kase.case_id;
  find("#count").textContent = at < 0 ? "" : `${at + 1} of ${names.length}`; // the filter may leave it out
  link(find("#previous"), names[at - 1]);
  link(find("#next"), at < 0 ? undefined : names[at + 1]);
  find("#case .back").href = addressOf("");
  show("case");
  page = new Page(server, kase);
  find("#stage").focus();
}

function link(anchor, caseId) {
  if (caseId === undefined) anchor.removeAttribute("href");
  else anchor.href = addressOf(caseId);
  anchor.setAttribute("aria-disabled", String(caseId === undefined));
}

function fail(failure, caseId) {
  document.title = "cardioseg review";
  find("#message h1").textContent = failure.message;
  find("#message .hint").textContent = failure.hint ?? "";
  find("#message .back").hidden = !caseId;
  find("#message .back").href = addressOf("");
  show("message");
  find("#message .again").focus();
}

const inCase = () => page !== null;
const inList = () => !find("#list").hidden;
const follow = (selector) => find(selector).hasAttribute("href") && find(selector).click();
const shade = (brighter, wider) => {
  const { grey } = page.state.shown;
  if (grey) page.state.set({ grey: adjusted(grey, brighter, wider) });
};
const fade = (change) => {
  const opacity = Math.round(10 * (page.state.shown.opacity + change)) / 10;
  page.state.set({ opacity: Math.min(Math.max(opacity, 0.1), 1) });
};
const toMoment = (moment) => {
  const { correcting, state } = page;
  const phase = state.shown[`${moment}_phase`];
  if (phase != null) return state.set({ phase, side: "LV", isPlaying: false });
  const why = correcting.numbers.whyNo(moment, correcting.correction.moments);
  correcting.say(why || `${moment.toUpperCase()} is not known`);
};
const toRightMoment = () => {
  const { rv_ed_phase: ed, rv_es_phase: es } = page.state.shown;
  const phase = ed != null && page.state.shown.phase !== ed ? ed : es;
  if (phase != null) page.state.set({ phase, side: "RV", isPlaying: false });
};
const toEnd = (index) => page.state.set({ slice: page.state.order.at(index) });
const togglePlay = () => {
  if (page.state.case.phases > 1) page.state.set({ isPlaying: !page.state.shown.isPlaying });
};
const toggleZoom = () => page.state.set({ zoom: page.state.shown.zoom === "heart" ? "whole" : "heart" });
const look = (name) => page.state.set({ look: page.state.shown.look === name ? "contours" : name });

const save = () => {
  finishStroke();
  if (page?.correcting.canChange) askToSave(page);
};
const escape = () => {
  if (dropStroke()) return;
  if (page.state.shown.tool !== "look") chooseTool(page, "look");
  else follow("#case .back");
};
const correcting = correctingKeys(() => page, save);

const ofCase = (keys, shown, does, act) => ({ keys, shown, does, act, where: inCase });
const ofList = (keys, shown, does, act) => ({ keys, shown, does, act, where: inList });

obey([
  {
    title: "In a case",
    keys: [
      ofCase(["ArrowUp"], "↑", "slice towards the base", () => page.state.stepSlice(-1)),
      ofCase(["ArrowDown"], "↓", "slice towards the apex", () => page.state.stepSlice(1)),
      ofCase(["Home"], "Home", "most basal slice", () => toEnd(0)),
      ofCase(["End"], "End", "most apical slice", () => toEnd(-1)),
      ofCase(["ArrowLeft"], "←", "phase before", () => page.state.stepPhase(-1)),
      ofCase(["ArrowRight"], "→", "phase after", () => page.state.stepPhase(1)),
      ofCase(["d"], "d", "end-diastole", () => toMoment("ed")),
      ofCase(["s"], "s", "end-systole", () => toMoment("es")),
      ofCase(["v"], "v", "end-diastole and end-systole of the RV, in turn", toRightMoment),
      ofCase([" "], "Space", "play the beat, or stop", togglePlay),
      ofCase(["g"], "g", "next flag", nextFlag),
      ofCase(["n"], "n", "next case", () => follow("#next")),
      ofCase(["p"], "p", "previous case", () => follow("#previous")),
      ofCase(["Escape"], "Esc", "leave the tool; all cases", escape),
    ],
  },
  {
    title: "View",
    keys: [
      ofCase(["c"], "c", "contours", () => look("contours")),
      ofCase(["f"], "f", "fill", () => look("fill")),
      ofCase(["h"], "h", "hide the mask", () => look("none")),
      ofCase(["+", "="], "+", "mask more opaque", () => fade(0.1)),
      ofCase(["-"], "-", "mask less opaque", () => fade(-0.1)),
      ofCase(["z"], "z", "zoom: the heart or the whole image", toggleZoom),
      ofCase(["Shift+ArrowUp"], "Shift ↑", "brighter", () => shade(STEP, 0)),
      ofCase(["Shift+ArrowDown"], "Shift ↓", "darker", () => shade(-STEP, 0)),
      ofCase(["Shift+ArrowLeft"], "Shift ←", "more contrast", () => shade(0, -STEP)),
      ofCase(["Shift+ArrowRight"], "Shift →", "less contrast", () => shade(0, STEP)),
      ofCase(["r"], "r", "first brightness and contrast", () => page.resetGrey()),
    ],
  },
  ...correcting,
  {
    title: "In the list of cases",
    keys: [
      ofList(["ArrowUp"], "↑", "case before", () => moveFocus(-1)),
      ofList(["ArrowDown"], "↓", "case after", () => moveFocus(1)),
      { keys: ["Enter"], shown: "Enter", does: "open the case", where: () => false, act: () => {} }, // links do that
      ofList(["/"], "/", "filter", focusFilter),
      ofList(["Escape"], "Esc", "leave the filter", () => focusCase(lastCase)),
      { keys: ["?"], shown: "?", does: "this list", act: showKeys },
    ],
  },
]);

fillMenu(correcting);
find("#save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => {
  finishStroke();
  if (isHeld()) event.preventDefault();
});
find("#play").addEventListener("click", togglePlay);
find("#reset").addEventListener("click", () => page.resetGrey());
find("#opacity").addEventListener("input", ({ target }) => page.state.set({ opacity: Number(target.value) / 100 }));
find("#trouble button").addEventListener("click", open);
find("#message .again").addEventListener("click", open);
for (const button of document.querySelectorAll("[data-look]")) {
  button.addEventListener("click", () => page.state.set({ look: button.dataset.look }));
}
for (const button of document.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => page.state.set({ zoom: button.dataset.zoom }));
}
listenToTables(() => {
  if (page) page.state.tell("tables");
  else if (!areTablesOld() && inList()) open();
});
window.addEventListener("hashchange", open);
open();
