/** Correction: a person's changes to the mask of a case, with undo and redo without limit. Knows no page. */

/**
 * @typedef {object} Plane
 * @property {number} phase
 * @property {number} slice
 * @property {Uint8Array} labels of rows x columns pixels.
 */

/**
 * What one step changed: pixels, and the phases that a person set by hand.
 *
 * @typedef {object} Step
 * @property {{phase: number, slice: number, places: Uint32Array, before: Uint8Array, after: Uint8Array}[]} planes
 * @property {{before: Moments, after: Moments}} moments
 */

/** @typedef {{ed: number|null, es: number|null}} Moments phases set by hand; null if they were not. */

export class Correction {
  #planeOf;
  #planes = new Map();
  #done = [];
  #undone = [];
  #opened;
  #saved;
  /** @type {Moments} */
  moments;
  /**
   * A stroke that has not ended: shown, but not yet a step; with the line that it draws, if it draws one.
   *
   * @type {(Plane & {line?: {colour: string, path: Path2D}})|null}
   */
  preview = null;

  /**
   * @param {(phase: number, slice: number) => Uint8Array|undefined} planeOf the mask that the server gave.
   * @param {Moments} moments set by hand before the case was opened.
   */
  constructor(planeOf, moments) {
    this.#planeOf = planeOf;
    this.moments = this.#opened = this.#saved = moments;
  }

  /** A plane as it is shown: as it is corrected now, with a stroke that has not ended. */
  shown(phase, slice) {
    const { preview } = this;
    if (preview && preview.phase === phase && preview.slice === slice) return preview.labels;
    return this.plane(phase, slice);
  }

  /** A plane as it is corrected now; undefined if it has not arrived. */
  plane(phase, slice) {
    return this.#planes.get(`${phase}/${slice}`)?.now ?? this.#planeOf(phase, slice);
  }

  /** The same as it was when the case was opened. */
  opened(phase, slice) {
    return this.#planes.get(`${phase}/${slice}`)?.opened ?? this.#planeOf(phase, slice);
  }

  /** The same as the server knows it. */
  base(phase, slice) {
    return this.#planes.get(`${phase}/${slice}`)?.base ?? this.#planeOf(phase, slice);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** Whether anything differs from what the server knows. */
  get isDirty() {
    return !areSame(this.#saved, this.moments) || this.#changed().length > 0;
  }

  /** Whether all is as it was when the case was opened. */
  get isAsOpened() {
    const planes = [...this.#planes.values()];
    return areSame(this.#opened, this.moments) && planes.every(({ opened, now }) => areEqual(opened, now));
  }

  /**
   * Replace planes, or set phases by hand, as one step.
   *
   * @param {Plane[]} planes all of which have arrived.
   * @param {Partial<Moments>} [moments]
   * @returns {boolean} whether that changed anything.
   */
  put(planes, moments = {}) {
    const changed = planes
      .map(({ phase, slice, labels }) => ({ phase, slice, ...difference(this.plane(phase, slice), labels) }))
      .filter(({ places }) => places.length);
    const after = { ...this.moments, ...moments };
    if (!changed.length && areSame(this.moments, after)) return false;
    const step = { planes: changed, moments: { before: this.moments, after } };
    this.#apply(step, "after");
    this.#done.push(step);
    this.#undone = [];
    return true;
  }

  /** @returns {Step|undefined} the step that was taken back. */
  undo() {
    const step = this.#done.pop();
    if (!step) return undefined;
    this.#apply(step, "before");
    this.#undone.push(step);
    return step;
  }

  /** @returns {Step|undefined} the step that was made again. */
  redo() {
    const step = this.#undone.pop();
    if (!step) return undefined;
    this.#apply(step, "after");
    this.#done.push(step);
    return step;
  }

  /**
   * What the server is sent, beside the version of the case: phases set by hand, and all pixels that differ.
   *
   * @param {Plane[]} [instead] planes that are sent instead of those that are shown.
   */
  document(instead = []) {
    const { ed, es } = this.moments;
    const other = new Map(instead.map(({ phase, slice, labels }) => [`${phase}/${slice}`, labels]));
    const planes = [...this.#planes].flatMap(([key, { phase, slice, base, now }]) => {
      const numbers = runs(base, other.get(key) ?? now);
      return numbers.length ? [{ phase, slice, runs: numbers }] : [];
    });
    return { ed_phase: ed, es_phase: es, planes };
  }

  /** All of it as it is now, for `markSaved`. */
  snapshot() {
    const planes = [...this.#planes].map(([key, { now }]) => ({ key, labels: now.slice() }));
    return { moments: this.moments, planes };
  }

  /**
   * The server knows what it was sent. What was changed since is not saved. Undo and redo stay.
   *
   * @param {{moments: Moments, planes: {key: string, labels: Uint8Array}[]}} sent the snapshot of that moment.
   */
  markSaved({ moments, planes }) {
    this.#saved = moments;
    for (const { key, labels } of planes) this.#planes.get(key).base = labels;
  }

  #changed() {
    return [...this.#planes.values()].filter(({ base, now }) => !areEqual(base, now));
  }

  #apply({ planes, moments }, to) {
    for (const { phase, slice, places, [to]: labels } of planes) {
      const { now } = this.keep(phase, slice);
      places.forEach((place, index) => (now[place] = labels[index]));
    }
    this.moments = moments[to];
  }

  /** Keep a plane that has arrived: it stays here, whatever phases of the mask are in memory. */
  keep(phase, slice) {
    const key = `${phase}/${slice}`;
    if (!this.#planes.has(key)) {
      const base = this.#planeOf(phase, slice).slice();
      this.#planes.set(key, { phase, slice, opened: base, base, now: base.slice() });
    }
    return this.#planes.get(key);
  }
}

function areSame(one, other) {
  return one.ed === other.ed && one.es === other.es;
}

/** Whether two planes hold the same labels. */
export function areEqual(one, other) {
  for (let place = 0; place < one.length; place++) if (one[place] !== other[place]) return false;
  return true;
}

/**
 * The pixels of a plane that differ from another: start, length and label of each run of equal labels, ascending.
 *
 * @param {Uint8Array} base
 * @param {Uint8Array} now
 * @returns {number[]}
 */
export function runs(base, now) {
  const numbers = [];
  for (let place = 0; place < now.length; place++) {
    if (base[place] === now[place]) continue;
    const [start, label] = [place, now[place]];
    while (now[place + 1] === label && base[place + 1] !== label) place++;
    numbers.push(start, place + 1 - start, label);
  }
  return numbers;
}

/** The plane that runs make of another one; see `runs`. */
export function withRuns(base, numbers) {
  const labels = base.slice();
  for (let at = 0; at < numbers.length; at += 3) {
    labels.fill(numbers[at + 2], numbers[at], numbers[at] + numbers[at + 1]);
  }
  return labels;
}

function difference(before, after) {
  const places = [];
  for (let place = 0; place < after.length; place++) if (before[place] !== after[place]) places.push(place);
  return {
    places: Uint32Array.from(places),
    before: Uint8Array.from(places, (place) => before[place]),
    after: Uint8Array.from(places, (place) => after[place]),
  };
}
