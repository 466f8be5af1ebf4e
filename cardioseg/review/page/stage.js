/** Stage: one large slice with its neighbours beside it. The wheel changes the slice, the right button the window. */

import { find } from "./elements.js";
import { adjusted, windowText } from "./greys.js";
import { SlicePicture } from "./slice_picture.js";

const WHEEL_STEP = 60; // of a mouse's notch, which is 100 to 120; a touchpad sends many small ones
const DRAGGED = 400; // pixels that change the window by its width
const RIGHT_BUTTON = 2;

const root = find("#stage");
const large = find("#large canvas");
const buttons = [...root.querySelectorAll("#neighbours button")];
const pictures = [large, ...buttons.map((button) => find("canvas", button))].map((canvas) => new SlicePicture(canvas));
const steps = [0, -1, 1]; // towards the apex
const edges = ["top", "bottom", "left", "right"];

let page = null;
let wheeled = 0;
let dragged = null;

/** @param {import("./case_page.js").Page} opened the case that is shown from now on. */
export function showStage(opened) {
  page = opened;
  for (const edge of edges) find(`.edge.${edge}`, root).textContent = page.state.case.letters[edge] ?? "";
  drawStage();
}

/** Draw the large slice again. */
export function drawLarge() {
  const { slice, phase } = page.state.shown;
  pictures[0].draw(page.picture(phase, slice));
}

/** Draw everything again. */
export function drawStage() {
  const { state, cine, correcting, failure } = page;
  const { slice, phase, grey } = state.shown;
  steps.forEach((step, index) => {
    const shown = state.neighbour(step);
    if (index) nameNeighbour(buttons[index - 1], shown, step);
    pictures[index].draw(page.picture(phase, shown));
  });
  find("#place").textContent = placeText(page);
  find("#deed").textContent = correcting.busy || correcting.last;
  find("#grey").textContent = grey ? windowText(grey) : "";
  const isMissing = state.case.missing_slices.includes(slice);
  say(isMissing ? `Slice ${slice} was not acquired` : cine.has(phase) || failure ? "" : "Reading …");
}

/**
 * `slice 3 of 0 to 11`, the time of the phase, if it is known, and whether it was corrected.
 *
 * @param {import("./case_page.js").Page} of the case.
 */
export function placeText({ state, correcting }) {
  const { case: kase } = state;
  const { slice, phase, ed_phase: ed, es_phase: es, rv_ed_phase: rightEd, rv_es_phase: rightEs } = state.shown;
  const time = kase.times_ms[phase];
  const ofPhase = [
    ["ED", ed],
    ["ES", es],
    ["RV ED", rightEd === ed ? null : rightEd],
    ["RV ES", rightEs === es ? null : rightEs],
  ]
    .filter(([, at]) => at === phase)
    .map(([name]) => name);
  const phases = kase.phases > 1 ? `phase ${phase} of 0 to ${kase.phases - 1}` : "one phase";
  const corrected = correcting.network.differs(phase, slice) ? "corrected" : "";
  const moment = [time == null ? "" : `${time.toFixed(0)} ms`, ...ofPhase, corrected].filter(Boolean).join(" · ");
  return `slice ${slice} of 0 to ${kase.slices - 1}\n${phases}\n${moment}`;
}

function say(text) {
  const notice = find("#notice");
  notice.textContent = text;
  notice.hidden = !text;
}

function nameNeighbour(button, slice, step) {
  const end = step < 0 ? "base" : "apex";
  find("span", button).textContent =
    slice === undefined ? `no slice towards the ${end}` : `slice ${slice} · to the ${end}`;
  button.disabled = slice === undefined;
}

buttons.forEach((button, index) => button.addEventListener("click", () => page.state.stepSlice(steps[index + 1])));

root.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    wheeled += event.shiftKey && !event.deltaY ? event.deltaX : event.deltaY; // browsers turn the wheel with Shift
    const notches = Math.trunc(wheeled / WHEEL_STEP);
    if (!notches) return;
    wheeled = 0;
    if (event.shiftKey) page.state.stepPhase(Math.sign(notches));
    else page.state.stepSlice(Math.sign(notches));
  },
  { passive: false },
);

root.addEventListener("contextmenu", (event) => event.preventDefault());

large.addEventListener("pointerdown", (event) => {
  const { grey } = page.state.shown;
  if (event.button !== RIGHT_BUTTON || !grey) return;
  large.setPointerCapture(event.pointerId);
  dragged = { x: event.clientX, y: event.clientY, grey };
});

large.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const [right, up] = [event.clientX - dragged.x, dragged.y - event.clientY];
  page.state.set({ grey: adjusted(dragged.grey, up / DRAGGED, right / DRAGGED) });
});

for (const end of ["pointerup", "pointercancel"]) large.addEventListener(end, () => (dragged = null));
new ResizeObserver(() => page && drawStage()).observe(root);
