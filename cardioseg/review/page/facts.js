/** Facts: remarks, flags and measures of a case, beside its pictures. */

import { find, make } from "./elements.js";

let page = null;
let visits = [];
let latest = -1;

/** @param {import("./case_page.js").Page} opened */
export function showFacts(opened) {
  page = opened;
  const { flags, remarks } = page.state.case;
  visits = flags.map(() => 0);
  latest = -1;
  find("#remarks").replaceChildren(...remarks.map(remark));
  find("#flags").replaceChildren(
    ...(flags.length ? flags.map((flag, index) => make("li", {}, flagButton(flag, index))) : [make("li", {}, "none")]),
  );
  showMeasures(page.state.case.measures);
  find("#facts").scrollTop = 0;
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
      const cells = values.map((row) => make("td", {}, row?.value ?? "–"));
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

function showScan(rows) {
  find("#scan").tBodies[0].replaceChildren(
    ...rows.map(({ title, value, unit, meaning }) =>
      make(
        "tr",
        { title: meaning },
        make("th", { scope: "row" }, title),
        make("td", {}, `${value} `, make("span", { class: "unit" }, unit)),
      ),
    ),
  );
  find("#scan").hidden = !rows.length;
}
