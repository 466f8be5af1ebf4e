/** Keys: what each key does, as one list that the page obeys and shows under `?`. */

import { find, make } from "./elements.js";

/**
 * @typedef {object} Key
 * @property {string[]} keys as browsers name them, with `Ctrl+` in front (on a Mac: Command) and, if no letter says it,
 *   `Shift+`.
 * @property {string} shown how the list shows them.
 * @property {string} does in words.
 * @property {() => void} act
 * @property {() => boolean} [where] whether the key is of use now; always if it is left out.
 */

const NAMES = /^(input|select|textarea)$/i;
const dialog = find("#keys");

/** Obey these keys from now on.
 * @param {{title: string, keys: Key[]}[]} groups as the list of keys shows them.
 */
export function obey(groups) {
  const byName = new Map();
  for (const { keys } of groups) {
    for (const key of keys) for (const name of key.keys) byName.set(name, [...(byName.get(name) ?? []), key]);
  }
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || isForElement(event)) return;
    const key = (byName.get(nameOf(event)) ?? []).find(({ where }) => !where || where());
    if (!key) return;
    event.preventDefault();
    key.act();
  });
  find(".columns", dialog).replaceChildren(...groups.map(table));
  for (const button of document.querySelectorAll("button.help"))
    button.addEventListener("click", showKeys);
}

/** Show the list. */
export function showKeys() {
  dialog.showModal();
  dialog.scrollTop = 0; // the button at the end has the focus
}

/** The name of a key that is pressed; some keyboards need AltGr, which some systems call Ctrl and Alt, for `[`. */
function nameOf(event) {
  const { key, shiftKey, altKey } = event;
  if (event.getModifierState("AltGraph")) return key;
  const hasCtrl = event.ctrlKey || event.metaKey;
  const control = `${hasCtrl ? "Ctrl+" : ""}${altKey ? "Alt+" : ""}`;
  const isNamed = control || key.length > 1;
  return `${control}${shiftKey && isNamed ? "Shift+" : ""}${hasCtrl && key.length === 1 ? key.toLowerCase() : key}`;
}

/** Whether the element that has the focus needs the key itself, or the browser, to copy words that are selected. */
function isForElement(event) {
  const { key, target } = event;
  if (nameOf(event) === "Ctrl+c" && String(getSelection())) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  if (NAMES.test(target.tagName) && target.type !== "checkbox") return key !== "Escape" && key !== "ArrowDown";
  if (key === " ") return target.matches("button, a, input");
  return key === "Escape" && document.querySelector(":popover-open") !== null;
}

function table({ title, keys }) {
  const rows = keys.map(({ shown, does }) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, ...shown.split(" ").flatMap((key) => [make("kbd", {}, key), " "])),
      make("td", {}, does),
    ),
  );
  return make("table", {}, make("caption", {}, title), make("tbody", {}, ...rows));
}

// A button that was clicked with the mouse must not take the next space: that plays the beat.
document.addEventListener("click", (event) => {
  const button = event.target.closest("#case button");
  if (event.detail && button && button === document.activeElement) button.blur();
});
