/** Network mask: what the network drew, beside what a person made of it. */

import { areEqual } from "./correction.js";

export class NetworkMask {
  #server;
  #case;
  #correction;
  #phases = new Map();

  /**
   * @param {import("./server.js").Server} server
   * @param {any} kase the document of the case when it was opened.
   * @param {import("./correction.js").Correction} correction
   */
  constructor(server, kase, correction) {
    this.#server = server;
    this.#case = kase;
    this.#correction = correction;
  }

  /** Whether it is still there: another program may have written over it. */
  get isKnown() {
    return this.#case.has_network_mask ?? true;
  }

  /** Whether the mask was another one already when the case was opened. */
  get #wasOther() {
    return Boolean(this.#case.predicted || this.#case.is_edited);
  }

  /** A plane of it; undefined if it has not arrived, or is lost. */
  plane(phase, slice) {
    if (!this.isKnown) return undefined;
    if (!this.#wasOther) return this.#correction.opened(phase, slice); // nobody had changed it
    const size = this.#case.rows * this.#case.columns;
    return this.#phases.get(phase)?.subarray(slice * size, (slice + 1) * size);
  }

  /**
   * Have some phases of it here.
   *
   * @param {number[]} phases
   * @returns {Promise<boolean>} whether any was not here before.
   */
  async load(phases) {
    const wanted = this.isKnown && this.#wasOther ? phases.filter((phase) => !this.#phases.has(phase)) : [];
    for (const phase of wanted) this.#phases.set(phase, await this.#server.predicted(this.#case.case_id, phase));
    return wanted.length > 0;
  }

  /**
   * Whether the mask is this one at every place.
   *
   * @param {(phase: number) => Promise<void>} bring has the mask of a phase here, for a moment at least.
   * @returns {Promise<boolean>} false if it is lost.
   */
  async isEverywhere(bring) {
    if (!this.isKnown || !this.#wasOther) return this.isKnown && this.#correction.isAsOpened;
    const slices = [...Array(this.#case.slices).keys()];
    for (let phase = 0; phase < this.#case.phases; phase++) {
      await this.load([phase]);
      await bring(phase);
      if (slices.some((slice) => this.differs(phase, slice))) return false;
    }
    return true;
  }

  /** Whether the mask differs from it in a plane; false while that is not known. */
  differs(phase, slice) {
    const [drawn, now] = [this.plane(phase, slice), this.#correction.plane(phase, slice)];
    return Boolean(drawn && now && !areEqual(drawn, now));
  }
}
