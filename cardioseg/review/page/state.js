/** State: what of a case is shown, and how. Parts of the page change it here and are told what changed. */

import { rightMomentsOf } from "./numbers.js";

/**
 * @typedef {object} Shown
 * @property {number} slice counted from 0.
 * @property {number} phase counted from 0.
 * @property {"contours"|"fill"|"none"} look of the mask.
 * @property {number} opacity of the mask, 0 to 1.
 * @property {"heart"|"whole"} zoom
 * @property {[number, number]|null} grey darkest and brightest intensity; null until the images are known.
 * @property {boolean} isPlaying
 * @property {number|null} ed_phase end-diastole, as the scan or a person says
 * @property {number|null} es_phase
 * @property {number|null} rv_ed_phase the same of the right ventricle
 * @property {number|null} rv_es_phase
 * @property {"LV"|"RV"} side whose phases the overview shows
 * @property {"look"|"brush"|"eraser"|"push"|"outline"|"fill"} tool that the left button draws with
 * @property {number} label of the structure that is drawn
 * @property {number} brushMm radius of the tools
 * @property {boolean} isWallKept whether strokes keep the cavity inside the wall
 */

const FIRST = { look: "contours", opacity: 0.8, zoom: "heart", brushMm: 6, isWallKept: true };
const NOTHING_DRAWN = { grey: null, isPlaying: false, tool: "look" };

export class State {
  /** @type {Shown} */
  #shown;
  #listeners = [];
  #changed = new Set();

  /**
   * @param {any} kase the document of the case.
   * @param {Partial<Shown>} kept what stays from the case before, such as the look of the mask.
   */
  constructor(kase, kept = {}) {
    this.case = kase;
    /** Slices from base to apex. */
    this.order = [...Array(kase.slices).keys()];
    if (!kase.is_base_first) this.order.reverse();
    const { ed_phase, es_phase } = kase;
    const moments = { ed_phase, es_phase, ...rightMomentsOf(kase.measures), side: "LV" };
    const place = { slice: this.order[kase.slices >> 1], phase: ed_phase ?? 0, ...moments };
    this.#shown = { ...FIRST, label: kase.labels.at(-1).value, ...kept, ...NOTHING_DRAWN, ...place };
  }

  get shown() {
    return this.#shown;
  }

  /** The phases of the overview with their names: ED and ES as far as they are known, otherwise phase 0. */
  get moments() {
    if (this.#shown.side === "RV" && this.rightMoments.length) return this.rightMoments;
    return this.leftMoments.length ? this.leftMoments : [["", 0]];
  }

  /** ED and ES of the left ventricle, or of the right one if there is no other. */
  get leftMoments() {
    return pairs("", this.#shown.ed_phase, this.#shown.es_phase);
  }

  /** The same of the right ventricle, if it has others than the left one. */
  get rightMoments() {
    const { ed_phase: ed, es_phase: es, rv_ed_phase: rightEd, rv_es_phase: rightEs } = this.#shown;
    const areOwn = (rightEd ?? ed) !== ed || (rightEs ?? es) !== es;
    return areOwn ? pairs("RV ", rightEd, rightEs) : [];
  }

  /** @param {(changed: Set<string>) => void} listener called once a frame at most. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** @param {Partial<Shown>} change slices and phases that do not exist are brought to the nearest that does. */
  set(change) {
    const { slices, phases } = this.case;
    if ("slice" in change) change.slice = Math.min(Math.max(change.slice, 0), slices - 1);
    if ("phase" in change) change.phase = Math.min(Math.max(change.phase, 0), phases - 1);
    for (const [key, value] of Object.entries(change)) {
      if (this.#shown[key] === value) continue;
      this.#shown[key] = value;
      this.tell(key);
    }
  }

  /** Tell the listeners that something changed: a part of the state, or the pixels of a phase. */
  tell(key) {
    if (!this.#changed.size) requestAnimationFrame(() => this.#flush());
    this.#changed.add(key);
  }

  /** @param {number} steps towards the apex. */
  stepSlice(steps) {
    const at = this.order.indexOf(this.#shown.slice) + steps;
    this.set({ slice: this.order[Math.min(Math.max(at, 0), this.order.length - 1)] });
  }

  /** @param {number} steps later; the beat starts again at its end. */
  stepPhase(steps) {
    const { phases } = this.case;
    this.set({ phase: (((this.#shown.phase + steps) % phases) + phases) % phases, isPlaying: false });
  }

  /** The slice so many steps towards the apex; undefined beyond the ends. */
  neighbour(steps) {
    return this.order[this.order.indexOf(this.#shown.slice) + steps];
  }

  #flush() {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const listener of this.#listeners) listener(changed);
  }
}

function pairs(side, ed, es) {
  return [
    [`${side}ED`, ed],
    [`${side}ES`, es],
  ].filter(([, phase]) => phase != null);
}
