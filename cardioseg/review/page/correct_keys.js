/** Correct keys: what the keys do to a mask; the menu of the toolbar offers the same. */

import { backToNetwork, carryOn, copyFromPhase, copyFromSlice, copyHere } from "./edits.js";
import { deleteHere, pasteHere, setMoment } from "./edits.js";

const WIDER = 1.2; // the radius, for one press of a key
const RADIUS_MM = [0.5, 40];

/**
 * @param {() => import("./case_page.js").Page|null} opened the case that is shown.
 * @param {() => void} save ask what to save.
 * @returns {{title: string, keys: (import("./keys.js").Key & {menu?: string})[]}[]} as `obey` wants them; what has a
 *   `menu` is a button with these words.
 */
export function correctingKeys(opened, save) {
  const where = () => Boolean(opened()?.correcting.isOn);
  const wherePhases = () => where() && opened().state.case.phases > 1;
  const key = (keys, shown, does, act) => ({ keys, shown, does, act: () => act(opened()), where });
  const edit = (keys, shown, does, act) => ({ ...key(keys, shown, does, act), menu: does });
  const beat = (keys, shown, does, act) => ({ ...edit(keys, shown, does, act), where: wherePhases });
  const remove = (isEvery, atAllPhases) => (page) => deleteHere(page, { isEvery, atAllPhases });
  return [
    {
      title: "Correct: tools for the left button",
      keys: [
        key(["b"], "b", "brush", (page) => chooseTool(page, "brush")),
        key(["e"], "e", "eraser", (page) => chooseTool(page, "eraser")),
        key(["q"], "q", "push a contour", (page) => chooseTool(page, "push")),
        key(["o"], "o", "outline an area", (page) => chooseTool(page, "outline")),
        key(["k"], "k", "fill an area", (page) => chooseTool(page, "fill")),
        key(["1"], "1", "first structure: RV cavity", (page) => chooseLabel(page, 1)),
        key(["2"], "2", "second: LV myocardium", (page) => chooseLabel(page, 2)),
        key(["3"], "3", "third: LV cavity", (page) => chooseLabel(page, 3)),
        key(["["], "[", "smaller", (page) => scaleRadius(page, 1 / WIDER)),
        key(["]"], "]", "larger", (page) => scaleRadius(page, WIDER)),
        key(["a"], "a", "keep the cavity inside the wall, or not", toggleWall),
      ],
    },
    {
      title: "Correct: the slice that is shown",
      keys: [
        edit(["x"], "x", "delete the chosen structure", remove(false, false)),
        beat(["X"], "Shift x", "… at all phases", remove(false, true)),
        edit(["Delete"], "Delete", "delete all structures", remove(true, false)),
        beat(["Shift+Delete"], "Shift Delete", "… at all phases", remove(true, true)),
        beat([","], ",", "copy from the phase before", (page) => copyFromPhase(page, -1)),
        beat(["."], ".", "copy from the phase after", (page) => copyFromPhase(page, 1)),
        edit(["u"], "u", "copy from the slice towards the base", (page) => copyFromSlice(page, -1)),
        edit(["j"], "j", "copy from the slice towards the apex", (page) => copyFromSlice(page, 1)),
        edit(["Ctrl+c"], "Ctrl c", "copy the mask of this slice", copyHere),
        edit(["Ctrl+v"], "Ctrl v", "paste the mask that was copied", pasteHere),
        beat(["t"], "t", "carry the correction on to the other phases", carryOn),
        edit(["w"], "w", "back to the network's mask", (page) => backToNetwork(page, { atAllPhases: false })),
        beat(["W"], "Shift w", "… at all phases", (page) => backToNetwork(page, { atAllPhases: true })),
        beat(["D"], "Shift d", "this phase is end-diastole", (page) => setMoment(page, "ed")),
        beat(["S"], "Shift s", "this phase is end-systole", (page) => setMoment(page, "es")),
      ],
    },
    {
      title: "Correct: all of it",
      keys: [
        key(["Ctrl+z"], "Ctrl z", "undo", (page) => page.correcting.undo()),
        key(["Ctrl+Shift+z", "Ctrl+y"], "Ctrl Shift z", "redo", (page) => page.correcting.redo()),
        key(["Ctrl+s"], "Ctrl s", "save, with your decision", save),
      ],
    },
  ];
}

/** Draw with a tool from now on. */
export function chooseTool(page, tool) {
  const { look } = page.state.shown;
  if (tool !== "look") page.correcting.prepare();
  page.state.set({ tool, look: tool !== "look" && look === "none" ? "contours" : look });
}

/** Draw a structure from now on, if the model knows it. */
export function chooseLabel(page, value) {
  if (page.state.case.labels.some((label) => label.value === value)) page.state.set({ label: value });
}

/** Keep the cavity inside the wall from now on, or not. */
export function toggleWall(page) {
  page.state.set({ isWallKept: !page.state.shown.isWallKept });
}

function scaleRadius(page, factor) {
  const [least, most] = RADIUS_MM;
  const radius = Math.round(10 * factor * page.state.shown.brushMm) / 10;
  page.state.set({ brushMm: Math.min(Math.max(radius, least), most) });
}
