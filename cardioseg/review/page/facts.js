/** Facts: remarks, flags and measures of a case, beside its pictures. */

import { find, make } from "./elements.js";
import { changeText } from "./numbers.js";

let page = null;
let visits = [];
let latest = -1;

/** @param {import("./case_page.js").Page} opened */
export function showFacts(opened) {
  page = opened;
  const { flags, remarks, is_writable: isWritable, why_read_only: why } = page.state.case;
  const readOnly = isWritable || !why ? [] : [`Masks cannot be corrected here: ${why}`];
  visits = flags.map(() => 0);
  latest = -1;
  find("#remarks").replaceChildren(...readOnly.map(remark), ...remarks.map(remark));
  find("#flags").replaceChildren(
    ...(flags.length ? flags.map((flag, index) => make("li", {}, flagButton(flag, index))) : [make("li", {}, "none")]),
  );
  markFlags();
  showReview();
  showNumbers();
}

/** Show the measures of the mask as it is now, and how they differ from those of the network's mask. */
export function showNumbers() {
  const { numbers } = page.correcting;
  const changes = new Map(numbers.before.measures.map((row) => [row.key, row]));
  const now = new Map(numbers.now.measures.map((row) => [row.key, row]));
  const later = numbers.now.measured_on_saving ?? [];
  const missing = (row) => ({ ...row, value: later.includes(row.key) ? "" : null });
  const rows = page.state.case.measures.map((row) => now.get(row.key) ?? missing(row));
  const added = numbers.now.measures.filter(({ key }) => !rows.some((row) => row.key === key));
  const all = [...rows, ...added].map((row) => ({ ...row, change: changeText(row, changes.get(row.key)) }));
  showMeasures(all);
  find("#changes-meaning").hidden = !all.some(({ change }) => change);
  const { moments } = page.correcting.correction;
  const unknown = ["ed", "es"].map((moment) => numbers.whyNo(moment, moments));
  find("#number-remarks").replaceChildren(...[...unknown, ...numbers.remarks].filter(Boolean).map(remark));
}

/** Say that the flags are those of the mask before the changes. */
export function markFlags() {
  find("#flags-old").hidden = !page.correcting.isUnsaved || !page.state.case.flags.length;
}

function showReview() {
  const { review, remarks } = page.state.case;
  const by = review?.initials ? ` by ${review.initials}` : "";
  const isSaid = remarks.some((text) => text.includes(review?.note));
  const note = review?.note && !isSaid ? `: ${review.note}` : "";
  const when = review?.time.slice(0, 16).replace("T", " ");
  find("#reviewed").textContent = review ? `${review.decision}${by}, ${when}${note}` : "";
  find("#reviewed").hidden = !review;
}

/** Say something more about the case. */
export function addRemark(text) {
  find("#remarks").append(remark(text));
}

/** Go to the flag after the last one that was looked at. */
export function nextFlag() {
  const { flags } = page.state.case;
  if (flags.length) goTo((latest + 1) % flags.length);
}

function remark(text) {
  return make("li", {}, text);
}

function flagButton(flag, index) {
  const places = placesOf(flag);
  const first = placeText(places[0]);
  const more = places.length > 1 ? ` · ${places.length} places` : "";
  return make(
    "button",
    { type: "button", click: () => goTo(index), title: places.length > 1 ? "Each click shows the next place" : "" },
    make("strong", {}, flag.kind),
    make("span", { class: "place" }, first ? first + more : ""),
    make("span", { class: "reason" }, flag.reason),
  );
}

/** Where a flag is to be looked at: [phase, slice] each; null stands for all. */
function placesOf({ phase, slice, places }) {
  const rest = places.filter(([at, index]) => at !== phase || index !== slice);
  return [[phase, slice], ...rest];
}

function placeText([phase, slice]) {
  const parts = [slice == null ? "" : `slice ${slice}`, phase == null ? "" : `phase ${phase}`];
  return parts.filter(Boolean).join(", ");
}

/** Show the place of a flag; each time the next one of its places. */
function goTo(index) {
  const buttons = [...document.querySelectorAll("#flags button")];
  const places = placesOf(page.state.case.flags[index]);
  const at = visits[index]++ % places.length;
  const [phase, slice] = places[at];
  latest = index;
  buttons.forEach((button, other) => button.classList.toggle("shown", other === index));
  if (places.length > 1) {
    find(".place", buttons[index]).textContent = `${placeText(places[at])} · ${at + 1} of ${places.length} places`;
  }
  buttons[index].scrollIntoView({ block: "nearest" });
  page.state.set({
    isPlaying: false,
    ...(phase == null ? {} : { phase }),
    ...(slice == null ? {} : { slice }),
  });
}

/** One table of both ventricles side by side, another of the rest. */
function showMeasures(measures) {
  const sides = ["LV", "RV"].filter((side) => measures.some((row) => row.side === side));
  const ofSides = measures.filter((row) => row.side);
  const lines = [...new Map(ofSides.map((row) => [`${row.title} ${row.unit}`, row])).values()];
  const table = find("#measures");
  const heads = ["", ...sides, ""].map((side) => (side ? make("th", { scope: "col" }, side) : make("td")));
  table.tHead.replaceChildren(make("tr", {}, ...heads));
  table.tBodies[0].replaceChildren(
    ...lines.map(({ title, unit, meaning }) => {
      const values = sides.map((side) =>
        ofSides.find((row) => row.side === side && row.title === title && row.unit === unit),
      );
      const cells = values.map((row) => make("td", {}, ...(row ? valueParts(row) : ["–"])));
      return make(
        "tr",
        { title: meaning },
        make("th", { scope: "row" }, title),
        ...cells,
        make("td", { class: "unit" }, unit),
      );
    }),
  );
  table.hidden = !lines.length;
  showScan(measures.filter((row) => !row.side));
}

/** A value with its change in brackets; empty: it is measured when the case is saved; null: it has none. */
function valueParts({ value, change }) {
  if (value === null) return ["–"];
  if (!value) return [make("span", { class: "later" }, "after saving")];
  return change ? [value, " ", make("span", { class: "change" }, `(${change})`)] : [value];
}

function showScan(rows) {
  find("#scan").tBodies[0].replaceChildren(
    ...rows.map(({ title, value, change, unit, meaning }) =>
      make(
        "tr",
        { title: meaning },
        make("th", { scope: "row" }, title),
        make("td", {}, ...valueParts({ value, change }), " ", make("span", { class: "unit" }, unit)),
      ),
    ),
  );
  find("#scan").hidden = !rows.length;
}
