/** Strokes: the left button draws on the large slice with the chosen tool, whose circle follows the pointer. */

import { enclosedBy, keepCavityInsideWall, regionAround, sweptDisc } from "./brushes.js";
import { titleOf } from "./edits.js";
import { find } from "./elements.js";
import { placed } from "./slice_picture.js";

const canvas = find("#large canvas");
const circle = find("#circle");
const DRAWING = ["brush", "eraser", "push"];
const NAMES = { brush: "Drawn", eraser: "Erased", push: "Pushed", outline: "Outlined" };
const REACHES_EDGE =
  "Not filled: fill changes the whole area that you click into, and this area reaches the edge of the image. " +
  "To draw a new area, use outline (o)";
const ENCLOSES_NOTHING = "Outline: the line encloses no pixel centre, so nothing was changed";
const LEFT = "Outline dropped: its line was not closed";

let page = null;
let stroke = null;

/** @param {import("./case_page.js").Page} opened */
export function showStrokes(opened) {
  page = opened;
  stroke = null;
  page.state.listen((changed) => {
    if (stroke && (changed.has("slice") || changed.has("phase"))) finishStroke();
    if (["tool", "brushMm", "zoom"].some((key) => changed.has(key))) showCircle(null);
  });
  showCircle(null);
}

/** Whether there was a stroke that has not ended; it is dropped. */
export function dropStroke() {
  if (!stroke) return false;
  const { phase, slice } = stroke;
  stroke = null;
  page.correcting.correction.preview = null;
  page.forget([{ phase, slice }]);
  page.state.tell("preview");
  return true;
}

/** End a stroke before the button is let go: what was drawn counts, but nobody has closed a line. */
export function finishStroke() {
  if (!stroke) return;
  if (!stroke.line) return end();
  dropStroke();
  page.correcting.say(LEFT);
}

/** Where the pointer is in the image: row and column, in pixels. */
function pointedAt({ clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const { part, pixelMm } = page.picture(0, undefined);
  const { down, across, x, y } = placed({ part, pixelMm }, width, height);
  return [(clientY - top - y) / down + part[0], (clientX - left - x) / across + part[2]];
}

function begin(event) {
  const { tool, phase, slice } = page.state.shown;
  if (event.button || tool === "look" || stroke || !page.correcting.canChange) return;
  const before = page.correcting.correction.plane(phase, slice);
  if (!before) return;
  page.state.set({ isPlaying: false });
  const at = pointedAt(event);
  if (tool === "fill") return fill(before, at);
  canvas.setPointerCapture(event.pointerId);
  const [label, line] = [drawnLabel(tool, before, at), tool === "outline" ? newLine() : undefined];
  stroke = { tool, phase, slice, before, labels: before.slice(), label, line, at };
  page.correcting.correction.preview = stroke;
  extend(at);
}

/** What a tool draws with: the push tool with that which lies under the middle of its circle. */
function drawnLabel(tool, plane, at) {
  if (tool === "push") return plane[placeOf(at)] ?? 0;
  return tool === "eraser" ? 0 : page.state.shown.label;
}

/** A line in the colour of the chosen structure, still without a point. */
function newLine() {
  const { case: kase, shown } = page.state;
  const { colour } = kase.labels.find(({ value }) => value === shown.label);
  return { colour, path: new Path2D(), points: [] };
}

/** The place of a point in a plane; -1 beyond its edges. */
function placeOf([row, column]) {
  const { rows, columns } = page.state.case;
  const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
  return isInside ? Math.floor(row) * columns + Math.floor(column) : -1;
}

function extend(to) {
  if (stroke.line) extendLine(stroke.line, to);
  else sweep(to);
  page.state.tell("preview");
}

function extendLine({ path, points }, [row, column]) {
  path.lineTo(column, row);
  points.push([row, column]);
}

function sweep(to) {
  const { rows, columns, pixel_mm: pixelMm } = page.state.case;
  const places = sweptDisc({ rows, columns, pixelMm }, stroke.at, to, page.state.shown.brushMm);
  for (const place of places) stroke.labels[place] = stroke.label;
  stroke.at = to;
  page.forget([stroke]);
}

function end() {
  const ended = stroke;
  const { tool, label, labels, line } = ended;
  dropStroke();
  if (line) {
    const places = enclosedBy(page.state.case, line.points);
    if (!places.length) return page.correcting.say(ENCLOSES_NOTHING);
    for (const place of places) labels[place] = label;
  }
  const what = label ? `${line ? "" : " with"} ${titleOf(page.state.case, label)}` : "";
  change(ended, `${NAMES[tool]}${what}`);
}

/** Make what was drawn a step. */
function change({ phase, slice, before, labels }, words) {
  const wall = keepAnatomy(before, labels);
  page.correcting.change([{ phase, slice, labels }], `${words} in slice ${slice}, phase ${phase}${wall}`);
}

function fill(before, at) {
  const { case: kase, shown } = page.state;
  const start = placeOf(at);
  if (start < 0) return;
  const { places, reachesEdge } = regionAround(before, kase.columns, start);
  if (reachesEdge) return page.correcting.say(REACHES_EDGE);
  const labels = before.slice();
  for (const place of places) labels[place] = shown.label;
  change({ ...shown, before, labels }, `Filled with ${titleOf(kase, shown.label)}`);
}

/** Keep the cavity inside the wall, if that is wanted; what that did to what was drawn, in words. */
function keepAnatomy(before, labels) {
  const { case: kase, shown } = page.state;
  const [cavity, wall] = ["lv_cavity", "lv_myocardium"].map((key) => kase.labels.find((label) => label.key === key));
  if (!shown.isWallKept || !cavity || !wall) return "";
  const values = { cavity: cavity.value, wall: wall.value };
  const places = keepCavityInsideWall(before, labels, kase.columns, values);
  if (!places.length) return "";
  const isNew = places.some((place) => before[place] !== wall.value);
  return `; wall ${isNew ? "added" : "kept"} around the cavity (a turns this off)`;
}

/** @param {PointerEvent|null} event where the pointer is; null if it is not over the slice. */
function showCircle(event) {
  const { tool, brushMm } = page.state.shown;
  const { isOn } = page.correcting;
  const isDrawing = isOn && DRAWING.includes(tool);
  canvas.classList.toggle("drawing", isDrawing || (isOn && tool === "outline"));
  canvas.classList.toggle("filling", isOn && tool === "fill");
  circle.toggleAttribute("hidden", !isDrawing || !event);
  if (!isDrawing || !event) return;
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const { part, pixelMm } = page.picture(0, undefined);
  const radius = (brushMm * placed({ part, pixelMm }, width, height).down) / pixelMm[0];
  const middle = { cx: event.clientX - left, cy: event.clientY - top, r: radius };
  for (const ring of circle.children) for (const [key, value] of Object.entries(middle)) ring.setAttribute(key, value);
}

canvas.addEventListener("pointerdown", (event) => page && begin(event));
canvas.addEventListener("pointermove", (event) => {
  if (!page) return;
  showCircle(event);
  if (!stroke) return;
  const events = event.getCoalescedEvents?.() ?? [];
  for (const one of events.length ? events : [event]) extend(pointedAt(one));
});
canvas.addEventListener("pointerup", (event) => stroke && !event.button && end());
canvas.addEventListener("pointercancel", dropStroke);
canvas.addEventListener("pointerleave", () => page && !stroke && showCircle(null));
