/** Curve: the volume of each structure over the beat, with a cursor at the phase that is shown. */

import { draw, find, make } from "./elements.js";

const root = find("#curve");
const volumes = find("#volumes");
const MARGIN = { top: 16, right: 10, bottom: 20, left: 40 };
const TICKS = 4;
const LETTER = 7.5; // its width, at most

let page = null;
let scale = null;

/** @param {import("./case_page.js").Page} opened */
export function showCurve(opened) {
  page = opened;
  const { phases } = page.state.case;
  find("#beat").hidden = phases < 2 || !curves().length;
  root.setAttribute("aria-valuemin", "0");
  root.setAttribute("aria-valuemax", String(phases - 1));
  drawCurve();
}

/** The structures that have a curve. */
function curves() {
  const { now, before } = page.correcting.numbers;
  const of = (measured, key) => measured.curves_ml[key] ?? [];
  return page.state.case.labels
    .filter(({ key }) => of(now, key).length)
    .map((label) => ({ ...label, volumes: of(now, label.key), before: of(before, label.key) }));
}

/** Draw it again: the volumes, or the phases of end-diastole and end-systole, have changed. */
export function drawCurve() {
  const [width, height] = [root.clientWidth, root.clientHeight];
  if (!width || find("#beat").hidden) return;
  const { phases } = page.state.case;
  const largest = Math.max(...curves().flatMap((curve) => [...curve.volumes, ...curve.before]), 1);
  const step = niceStep(largest / TICKS);
  const top = step * Math.ceil(largest / step);
  scale = {
    x: (phase) => MARGIN.left + ((width - MARGIN.left - MARGIN.right) * phase) / (phases - 1),
    y: (ml) => height - MARGIN.bottom - ((height - MARGIN.top - MARGIN.bottom) * ml) / top,
    phase: (x) => Math.round(((x - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * (phases - 1)),
  };
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
  svg.append(...levels(top, step, width), ...phaseTicks(height, width), ...momentMarks(height, width));
  for (const { colour, volumes: ml, before } of curves()) {
    if (String(before) !== String(ml)) svg.append(line(before, colour, "line before"));
    svg.append(line(ml, colour, "line"));
  }
  const dots = curves().map(({ colour }) => draw("circle", { r: 3.5, fill: colour }));
  svg.append(draw("g", { class: "cursor" }, draw("line", { y1: MARGIN.top, y2: height - MARGIN.bottom }), ...dots));
  root.replaceChildren(svg);
  moveCursor();
}

function line(ml, colour, kind) {
  const points = ml.map((value, phase) => `${scale.x(phase)},${scale.y(value)}`).join(" ");
  return draw("polyline", { points, stroke: colour, class: kind });
}

/** Move the cursor to the phase that is shown, and show its volumes. */
export function moveCursor() {
  if (!scale || find("#beat").hidden) return;
  const { phase } = page.state.shown;
  const [line, ...dots] = find(".cursor", root).children;
  line.setAttribute("x1", scale.x(phase));
  line.setAttribute("x2", scale.x(phase));
  const shown = curves();
  dots.forEach((dot, index) => {
    dot.setAttribute("cx", scale.x(phase));
    dot.setAttribute("cy", scale.y(shown[index].volumes[phase]));
  });
  const texts = shown.map(({ title, volumes: ml }) => `${title} ${ml[phase].toFixed(1)} mL`);
  root.setAttribute("aria-valuenow", String(phase));
  root.setAttribute("aria-valuetext", `phase ${phase}: ${texts.join(", ")}`);
  fillTable(shown, phase);
}

function fillTable(shown, phase) {
  const body = find("tbody", volumes);
  if (body.rows.length !== shown.length) {
    body.replaceChildren(
      ...shown.map(({ title, colour }) => {
        const swatch = draw("svg", { viewBox: "0 0 10 10", class: "swatch", "aria-hidden": "true" });
        swatch.append(draw("rect", { width: 10, height: 10, rx: 2, fill: colour }));
        return make(
          "tr",
          {},
          make("th", { scope: "row" }, swatch, title),
          make("td"),
          make("td", { class: "unit" }, "mL"),
        );
      }),
    );
  }
  shown.forEach(({ volumes: ml }, index) => (body.rows[index].cells[1].textContent = ml[phase].toFixed(1)));
}

function levels(top, step, width) {
  const marks = [];
  for (let ml = 0; ml <= top; ml += step) {
    marks.push(
      draw("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: scale.y(ml), y2: scale.y(ml), class: "level" }),
    );
    marks.push(draw("text", { x: MARGIN.left - 6, y: scale.y(ml) + 4, "text-anchor": "end" }, ml));
  }
  marks.push(draw("text", { x: MARGIN.left - 6, y: 10, "text-anchor": "end" }, "mL"));
  return marks;
}

function phaseTicks(height, width) {
  const { phases } = page.state.case;
  const every = Math.max(1, niceStep((phases * 26) / (width - MARGIN.left - MARGIN.right)));
  const marks = [];
  for (let phase = 0; phase < phases; phase += every) {
    marks.push(draw("text", { x: scale.x(phase), y: height - 6, "text-anchor": "middle" }, phase));
  }
  return marks;
}

function momentMarks(height, width) {
  const { rightMoments, leftMoments } = page.state;
  const within = (x, half) => Math.min(Math.max(x, MARGIN.left + half), width - half); // beside the labels of the axis
  const mark = (kind, y) => ([name, phase]) => {
    const x = scale.x(phase);
    const middle = within(x, (LETTER * name.length) / 2);
    return [
      draw("line", { x1: x, x2: x, y1: y + 5, y2: height - MARGIN.bottom, class: kind }),
      draw("text", { x: middle, y, "text-anchor": "middle", class: kind }, name),
    ];
  };
  return [...leftMoments.flatMap(mark("moment", 11)), ...rightMoments.flatMap(mark("moment right", 25))];
}

/** 1, 2 or 5 times a power of ten, not below a value. */
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least * (1 - 1e-9));
}

function follow(event) {
  const { left } = root.getBoundingClientRect();
  page.state.set({ phase: scale.phase(event.clientX - left), isPlaying: false });
}

root.addEventListener("pointerdown", (event) => {
  if (event.button || !scale) return;
  root.setPointerCapture(event.pointerId);
  follow(event);
});
root.addEventListener("pointermove", (event) => root.hasPointerCapture(event.pointerId) && follow(event));
new ResizeObserver(() => page && drawCurve()).observe(root);
