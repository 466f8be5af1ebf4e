/** Contours: the outlines of the mask as it is corrected now, kept until a plane changes. */

import { outlines } from "./outline.js";

export class Contours {
  #case;
  #planeOf;
  #kept = new Map();

  /**
   * @param {any} kase the document of the case.
   * @param {(phase: number, slice: number) => Uint8Array|undefined} planeOf the labels of a plane.
   */
  constructor(kase, planeOf) {
    this.#case = kase;
    this.#planeOf = planeOf;
  }

  /** The outline of each structure in a plane; see `outline.js`. Nothing while the plane has not arrived. */
  of(phase, slice) {
    const plane = this.#planeOf(phase, slice);
    if (!plane) return [];
    const key = `${phase}/${slice}`;
    if (!this.#kept.has(key)) {
      const { rows, columns, labels } = this.#case;
      this.#kept.set(key, outlines(plane, columns, labels, [0, rows, 0, columns]));
    }
    return this.#kept.get(key);
  }

  /** A plane has changed. */
  forget(phase, slice) {
    this.#kept.delete(`${phase}/${slice}`);
  }
}
