/** Case list: a row for each case; sorted by a click on a heading, filtered by text and flags, used by keyboard. */

import { find, make } from "./elements.js";
import { areTablesOld } from "./tables.js";

/** `otherwise`: what stands there for a case of one phase; `extra`: left out of a narrow window. */
const COLUMNS = [
  { key: "case_id", title: "Case" },
  { key: "flag_count", title: "Flags" },
  { key: "review", title: "Review" },
  { key: "lv_ef_percent", title: "LV EF", unit: "%", class: "number" },
  { key: "lv_edv_ml", title: "LV EDV", unit: "mL", class: "number", otherwise: "lv_volume_ml" },
  { key: "lv_esv_ml", title: "LV ESV", unit: "mL", class: "number extra" },
  { key: "lv_mass_g", title: "LV mass", unit: "g", class: "number" },
  { key: "rv_ef_percent", title: "RV EF", unit: "%", class: "number" },
  { key: "rv_edv_ml", title: "RV EDV", unit: "mL", class: "number", otherwise: "rv_volume_ml" },
  { key: "rv_esv_ml", title: "RV ESV", unit: "mL", class: "number extra" },
];

const filter = find("#filter");
const flaggedOnly = find("#flagged-only");
const toReviewOnly = find("#to-review-only");
const body = find("#cases tbody");
const sorting = { key: "flag_count", falls: true }; // flagged and failed cases first
let rows = [];
let shown = [];

/**
 * @param {string} folder the name of the results.
 * @param {any[]} cases as the server lists them.
 * @param {(caseId: string) => string} addressOf a case.
 */
export function showList(folder, cases, addressOf) {
  rows = cases.map((kase) => ({ kase, row: tableRow(kase, addressOf), text: searched(kase) }));
  find("#list h1").textContent = folder;
  arrange();
}

/** The names of the cases that the list shows, in its order; those that can be opened only. */
export function listedCases() {
  return shown.filter(({ kase }) => kase.can_be_opened).map(({ kase }) => kase.case_id);
}

/** Give the focus to a case, or to the first one. */
export function focusCase(caseId) {
  const links = [...body.querySelectorAll("tr:not([hidden]) [data-case]")];
  (links.find((link) => link.dataset.case === caseId) ?? links[0])?.focus();
}

/** @param {number} steps down the list. */
export function moveFocus(steps) {
  const links = [...body.querySelectorAll("tr:not([hidden]) [data-case]")];
  const at = links.indexOf(document.activeElement);
  links[at < 0 ? 0 : Math.min(Math.max(at + steps, 0), links.length - 1)]?.focus();
}

/** Start to type in the filter. */
export function focusFilter() {
  filter.focus();
  filter.select();
}

function searched(kase) {
  const { case_id: name, flags: kinds, status, reason, review, initials } = kase;
  return [name, kinds, status, reason, review, initials].filter(Boolean).join(" ").toLowerCase();
}

function needsAPerson(kase) {
  return kase.status !== "done" || kase.flag_count > 0;
}

function tableRow(kase, addressOf) {
  const { case_id: caseId, can_be_opened: canBeOpened } = kase;
  const name = canBeOpened
    ? make("a", { href: addressOf(caseId), "data-case": caseId }, caseId)
    : make("span", { tabindex: -1, "data-case": caseId }, caseId);
  const reason = kase.reason ? [make("span", { class: "reason", title: kase.reason }, kase.reason)] : [];
  if (kase.status !== "done") {
    const failed = make(
      "td",
      { colspan: COLUMNS.length - 1 },
      make("span", { class: "chip failed" }, kase.status),
      ...reason,
    );
    return make("tr", {}, make("th", { scope: "row" }, name), failed);
  }
  const numbers = COLUMNS.slice(3).map(({ key, otherwise, class: kind }) =>
    make("td", { class: kind }, numberText(kase[key] ?? kase[otherwise])),
  );
  const cells = [make("td", {}, flags(kase)), make("td", {}, ...review(kase))];
  return make("tr", {}, make("th", { scope: "row" }, name, ...reason), ...cells, ...numbers);
}

/** What a person decided, and who. */
function review({ review: decision, initials }) {
  if (!decision) return [make("span", { class: "faint" }, "–")];
  return [make("span", { class: `chip ${decision}` }, decision), make("span", { class: "kinds" }, initials ?? "")];
}

function flags(kase) {
  if (!kase.flag_count) return make("span", { class: "faint" }, "none");
  const count = `${kase.flag_count} flag${kase.flag_count > 1 ? "s" : ""}`;
  const kinds = kase.flags.replaceAll(";", ",");
  const chip = make("span", { class: "chip flagged" }, count);
  return make("div", { class: "flags" }, chip, make("span", { class: "kinds", title: kinds }, kinds));
}

function numberText(value) {
  return value == null ? "–" : value.toFixed(1);
}

/** Sort and filter. */
function arrange() {
  const column = COLUMNS.find(({ key }) => key === sorting.key);
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ kase, text }) =>
    words.every((word) => text.includes(word)) &&
    (!flaggedOnly.checked || needsAPerson(kase)) &&
    (!toReviewOnly.checked || !kase.review);
  rows.sort((one, other) => compare(one.kase, other.kase, column));
  shown = rows.filter(fits);
  const visible = new Set(shown);
  for (const entry of rows) entry.row.hidden = !visible.has(entry);
  body.replaceChildren(...rows.map(({ row }) => row));
  find("#none").hidden = shown.length > 0;
  find("#counts").textContent = counts();
  for (const head of find("#cases thead tr").children) {
    const order = head.dataset.key === sorting.key ? (sorting.falls ? "descending" : "ascending") : null;
    if (order) head.setAttribute("aria-sort", order);
    else head.removeAttribute("aria-sort");
  }
}

function counts() {
  const flagged = rows.filter(({ kase }) => kase.status === "done" && kase.flag_count).length;
  const failed = rows.filter(({ kase }) => kase.status !== "done").length;
  const reviewed = rows.filter(({ kase }) => kase.review).length;
  const said = [`${rows.length} case${rows.length === 1 ? "" : "s"}`, `${flagged} flagged`, `${failed} failed`];
  const all = [...said, ...(reviewed ? [`${reviewed} reviewed`] : [])].join(", ");
  const old = areTablesOld() ? " · the tables are being written …" : "";
  return (shown.length === rows.length ? all : `${shown.length} of ${all}`) + old;
}

/** Unknown values come last, whatever the order. */
function compare(one, other, { key, otherwise }) {
  const [a, b] = [one, other].map((kase) => sortValue(kase, key, otherwise));
  if (a == null || b == null) return (a == null) - (b == null) || byName(one, other);
  const order = typeof a === "string" ? byName(one, other) : a - b;
  return (sorting.falls ? -order : order) || byName(one, other);
}

function sortValue(kase, key, otherwise) {
  if (key === "flag_count" && kase.status !== "done") return Infinity;
  return (kase[key] || null) ?? kase[otherwise] ?? kase[key];
}

function byName(one, other) {
  return one.case_id.localeCompare(other.case_id, "en", { numeric: true });
}

function sortBy(key) {
  sorting.falls = sorting.key === key ? !sorting.falls : !["case_id", "review"].includes(key);
  sorting.key = key;
  arrange();
}

find("#cases thead tr").append(
  ...COLUMNS.map(({ key, title, unit, class: kind }) => {
    const button = make("button", { type: "button", click: () => sortBy(key) }, title);
    if (unit) button.append(" ", make("span", { class: "unit" }, unit));
    return make("th", { scope: "col", "data-key": key, class: kind }, button);
  }),
);
filter.addEventListener("input", arrange);
flaggedOnly.addEventListener("change", arrange);
toReviewOnly.addEventListener("change", arrange);
find("#list form").addEventListener("submit", (event) => event.preventDefault());
