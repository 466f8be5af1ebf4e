/** Numbers: measures and curves of the mask as it is corrected now, and of the network's mask. */

/**
 * @typedef {object} Measured
 * @property {any[]} measures
 * @property {Record<string, number[]>} curves_ml
 * @property {number|null} ed_phase
 * @property {number|null} es_phase
 * @property {string[]} [remarks]
 * @property {string[]} [measured_on_saving] keys of measures that will have a value when the case is saved.
 */

export class Numbers {
  #ask;
  #told;
  #isAsking = false;
  /** @type {Promise<void>} until there is nothing more to ask. */
  settled = Promise.resolve();
  #hasFailed = false;
  #isOld = false;
  /** @type {Measured} of the mask that the server has. */
  #saved;
  /** @type {Measured} as far as they are known. */
  now;
  /** @type {Measured} of the network's mask. */
  before;

  /**
   * @param {any} kase the document of the case.
   * @param {() => Promise<Measured>|null} ask the numbers of the correction as it is then; null if there is none.
   * @param {{arrived: () => void, failed: (failure: Error) => void}} told
   */
  constructor(kase, ask, told) {
    this.#ask = ask;
    this.#told = told;
    this.now = this.#saved = kase;
    this.before = { ...kase, ...kase.predicted };
  }

  /** What a person should know of them. */
  get remarks() {
    return this.now === this.#saved ? [] : (this.now.remarks ?? []);
  }

  /** Whether they are those of the mask that is shown. */
  get areCurrent() {
    return !this.#isAsking && !this.#hasFailed;
  }

  /**
   * Why end-diastole or end-systole is not known any more, in words; empty if it is known, or never was.
   *
   * @param {"ed"|"es"} moment
   * @param {import("./correction.js").Moments} chosen by a person.
   */
  whyNo(moment, chosen) {
    const key = `${moment}_phase`;
    const phase = chosen[moment] ?? this.before[key];
    if (this.now[key] != null || phase == null) return "";
    const [name, shift] = { ed: ["ED", "Shift d"], es: ["ES", "Shift s"] }[moment];
    const remedy = `Draw it there, or go to another phase and make that ${name} (${shift})`;
    return `${name} is not known: the mask has no cavity at phase ${phase}, which was ${name}. ${remedy}`;
  }

  /** The case was saved. */
  save(kase) {
    this.now = this.#saved = kase;
    this.#hasFailed = false;
  }

  /** The mask has changed: ask, one request at a time; what was changed meanwhile is asked for afterwards. */
  follow() {
    this.#isOld = true;
    if (!this.#isAsking) this.settled = this.#askUntilCurrent();
  }

  async #askUntilCurrent() {
    this.#isAsking = true;
    while (this.#isOld) {
      this.#isOld = false;
      try {
        const measured = (await this.#ask()) ?? this.#saved;
        this.#hasFailed = false;
        if (!this.#isOld) this.now = measured;
      } catch (failure) {
        this.#hasFailed = true;
        if (!this.#isOld) this.#told.failed(failure);
      }
    }
    this.#isAsking = false;
    this.#told.arrived();
  }
}

/** The phases of end-diastole and end-systole of the right ventricle, as far as measures give them. */
export function rightMomentsOf(measures) {
  const of = (key) => {
    const value = measures.find((row) => row.key === key)?.value;
    return value === undefined ? null : Number(value);
  };
  return { rv_ed_phase: of("rv_ed_phase"), rv_es_phase: of("rv_es_phase") };
}

/**
 * How a measure differs from before: `+3.4`, `−1.0`; of what is no amount, such as a phase, `was 7`.
 *
 * The numbers are subtracted, and their difference is rounded to the digits of the text.
 *
 * @param {{value: string, unit: string, number?: number}} measure
 * @param {{value: string, number?: number}|undefined} before
 * @returns {string} empty if it does not differ by these digits, or one of the two is not known.
 */
export function changeText({ value, unit, number }, before) {
  if (!value || !before?.value) return "";
  if (!unit) return value === before.value ? "" : `was ${before.value}`;
  const difference = number - before.number;
  const amount = Math.abs(difference).toFixed(value.split(".")[1]?.length ?? 0);
  return Number(amount) ? `${difference < 0 ? "−" : "+"}${amount}` : "";
}
