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

  /** A plane of it; undefined if it has not arrived. */
  plane(phase, slice) {
    if (!this.#case.predicted) return this.#correction.opened(phase, slice); // nobody had changed it
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
    const wanted = this.#case.predicted ? phases.filter((phase) => !this.#phases.has(phase)) : [];
    for (const phase of wanted) this.#phases.set(phase, await this.#server.predicted(this.#case.case_id, phase));
    return wanted.length > 0;
  }

  /** Whether the mask differs from it in a plane; false while that is not known. */
  differs(phase, slice) {
    const [drawn, now] = [this.plane(phase, slice), this.#correction.plane(phase, slice)];
    return Boolean(drawn && now && !areEqual(drawn, now));
  }
}
