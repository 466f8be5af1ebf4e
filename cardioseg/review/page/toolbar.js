/** Toolbar: the tools, the structure and the changes of whole slices, for the mouse. */

import { chooseLabel, chooseTool, toggleWall } from "./correct_keys.js";
import { find, make } from "./elements.js";

const root = find("#correct");
const menu = find("#edits");
const opener = find("#edits-open");
const size = find("#size");
let page = null;

/** @param {import("./case_page.js").Page} opened */
export function showToolbar(opened) {
  page = opened;
  root.hidden = !page.correcting.isOn;
  find("#save").hidden = !page.correcting.isOn;
  find("#structures").replaceChildren(...page.state.case.labels.map(structureButton));
  updateToolbar();
}

/** Show what is chosen, and what can be undone or saved. */
export function updateToolbar() {
  const { correcting, state } = page;
  const { tool, label, brushMm, isWallKept } = state.shown;
  for (const button of root.querySelectorAll("[data-tool]")) press(button, button.dataset.tool === tool);
  for (const button of root.querySelectorAll("[data-label]")) press(button, button.dataset.label === String(label));
  size.value = String(brushMm);
  find("#size-text").textContent = `radius ${brushMm.toFixed(1)} mm`;
  find("#wall").checked = isWallKept;
  find("#undo").disabled = !correcting.correction.canUndo;
  find("#redo").disabled = !correcting.correction.canRedo;
  const saved = find("#saved");
  if (saved.textContent !== correcting.savedText) saved.textContent = correcting.savedText;
  find("#measures").classList.toggle("old", !correcting.numbers.areCurrent);
}

/** @param {{keys: any[]}[]} groups of keys; those with a `menu` become buttons. */
export function fillMenu(groups) {
  const entries = groups.flatMap(({ keys }) => keys).filter((key) => key.menu);
  menu.replaceChildren(...entries.map(menuButton));
  menu.addEventListener("beforetoggle", () => {
    entries.forEach(({ where }, index) => (menu.children[index].hidden = !where()));
  });
}

function menuButton({ menu: words, shown, act }) {
  const click = () => {
    menu.hidePopover();
    act();
  };
  return make("button", { type: "button", click }, make("span", {}, words), make("kbd", {}, shown));
}

function structureButton({ value, title, colour }) {
  const button = make(
    "button",
    { type: "button", "data-label": value, title: `${title} (${value})`, click: () => chooseLabel(page, value) },
    make("i", { "aria-hidden": "true" }),
    title,
  );
  button.firstChild.style.background = colour;
  return button;
}

function press(button, isPressed) {
  button.setAttribute("aria-pressed", String(isPressed));
}

function placeMenu() {
  const { right, bottom } = opener.getBoundingClientRect();
  const left = Math.max(right - menu.offsetWidth, 8);
  menu.style.left = `${left}px`;
  menu.style.top = `${Math.min(bottom + 4, innerHeight - menu.offsetHeight - 8)}px`;
}

for (const button of root.querySelectorAll("[data-tool]")) {
  button.addEventListener("click", () => chooseTool(page, button.dataset.tool));
}
size.addEventListener("input", () => page.state.set({ brushMm: Number(size.value) }));
find("#wall").addEventListener("change", () => toggleWall(page));
find("#undo").addEventListener("click", () => page.correcting.undo());
find("#redo").addEventListener("click", () => page.correcting.redo());
menu.addEventListener("toggle", ({ newState }) => {
  if (newState !== "open") return;
  placeMenu();
  find("button:not([hidden])", menu).focus();
});
