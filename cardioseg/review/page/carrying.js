/** Carrying: the correction of a slice is carried on to its other phases. */

import { areEqual, withRuns } from "./correction.js";

export class Carrying {
  #ask;
  #correction;
  #network;
  #carried = new Map();

  /**
   * @param {(slice: number, instead: import("./correction.js").Plane[]) => Promise<{planes: any[]}>} ask the server;
   *   `instead` are planes that it is sent instead of those that are shown.
   * @param {import("./correction.js").Correction} correction
   * @param {import("./network_mask.js").NetworkMask} network
   */
  constructor(ask, correction, network) {
    this.#ask = ask;
    this.#correction = correction;
    this.#network = network;
  }

  /**
   * The planes of a slice with its correction carried on to them. All phases are here. What was carried on before, and
   * not changed since, is no correction of its own: it is carried on anew.
   *
   * @param {number} slice
   * @param {number[]} phases
   * @returns {Promise<import("./correction.js").Plane[]>}
   */
  async planes(slice, phases) {
    await this.#network.load(phases);
    const isCarried = (phase) => {
      const labels = this.#carried.get(`${phase}/${slice}`);
      return labels && areEqual(labels, this.#correction.plane(phase, slice));
    };
    const instead = phases.filter(isCarried).map((phase) => {
      return { phase, slice, labels: this.#network.plane(phase, slice) };
    });
    const { planes } = await this.#ask(slice, instead);
    const carried = planes.map(({ phase, runs }) => {
      return { phase, slice, labels: withRuns(this.#correction.base(phase, slice), runs) };
    });
    for (const { phase, labels } of carried) {
      const isNew = isCarried(phase) || !areEqual(labels, this.#correction.plane(phase, slice));
      if (isNew) this.#carried.set(`${phase}/${slice}`, labels);
    }
    return carried;
  }
}
