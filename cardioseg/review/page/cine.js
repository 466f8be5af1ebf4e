/** Cine: the pixels of a case, fetched a phase at a time, those that are needed next first, and kept. */

const AT_ONCE = 3;
const KEPT_BYTES = 600 * 2 ** 20;
const PIXEL_BYTES = 3; // two of the image, one of the mask

export class Cine {
  #server;
  #case;
  #images = new Map();
  #masks = new Map();
  #running = new Map();
  #current = 0;
  #hasImages = false;
  #isRest = false; // whether the other phases may be fetched, too
  #isClosed = false;
  #isPaused = false;

  /**
   * @param {import("./server.js").Server} server
   * @param {any} kase the document of the case.
   * @param {{arrived: (phase: number) => void, failed: (failure: Error) => void}} told
   */
  constructor(server, kase, told) {
    this.#server = server;
    this.#case = kase;
    this.told = told;
    const phaseBytes = kase.slices * kase.rows * kase.columns * PIXEL_BYTES;
    this.kept = Math.max(4, Math.floor(KEPT_BYTES / phaseBytes));
  }

  /** It is known whether there are images. Until then, the server looks for them, and masks that can wait do so. */
  fetchRest(hasImages) {
    this.#hasImages = hasImages;
    this.#isRest = true;
    this.#fetch();
  }

  /** An image that was fetched elsewhere. */
  keepImage(phase, pixels) {
    this.#images.set(phase, pixels);
    this.told.arrived(phase);
  }

  /** Fetch nothing more. */
  close() {
    this.#isClosed = true;
  }

  /** @param {number} phase that is shown now; it and those after it are fetched. */
  show(phase) {
    this.#current = phase;
    this.#fetch();
  }

  /** Whether a phase can be drawn. */
  has(phase) {
    return this.#masks.has(phase) && (!this.#hasImages || this.#images.has(phase));
  }

  /** How many phases can be drawn. */
  get loaded() {
    return this.#masks.size;
  }

  /** Whether all is here that is kept. */
  get isComplete() {
    return this.#wanted().every((phase) => this.has(phase));
  }

  /** @returns {Uint16Array|undefined} rows and columns of a slice. */
  image(phase, slice) {
    return this.#slice(this.#images.get(phase), slice);
  }

  /** @returns {Uint8Array|undefined} */
  mask(phase, slice) {
    return this.#slice(this.#masks.get(phase), slice);
  }

  /** Fetch nothing until `renew`: the case is being saved. What is being fetched arrives before. */
  async pause() {
    this.#isPaused = true;
    while (this.#running.size) await Promise.allSettled(this.#running.values());
  }

  /** What is fetched from now on is of the version of this document. What is here stays. */
  renew(kase) {
    this.#case = kase;
    this.#isPaused = false;
    this.#fetch();
  }

  /** Have the mask of a phase here, for a moment at least. */
  async loadMask(phase) {
    if (!this.#masks.has(phase)) this.#masks.set(phase, await this.#mask(phase));
  }

  #mask(phase) {
    return this.#server.mask(this.#case.case_id, this.#case.version, phase);
  }

  #slice(pixels, slice) {
    const size = this.#case.rows * this.#case.columns;
    return pixels?.subarray(slice * size, (slice + 1) * size);
  }

  /** Phases in the order in which they are needed: the present one, ED and ES, and those to come. */
  #wanted() {
    const { phases, ed_phase: ed, es_phase: es } = this.#case;
    const coming = Array.from({ length: this.#isRest ? phases : 0 }, (_, step) => (this.#current + step) % phases);
    const first = [this.#current, ed, es].filter((phase) => phase != null && phase < phases);
    return [...new Set([...first, ...coming])].slice(0, this.kept);
  }

  #fetch() {
    const wanted = this.#wanted();
    for (const phase of this.#masks.keys()) if (!wanted.includes(phase)) this.#forget(phase);
    for (const phase of wanted) {
      if (this.#isClosed || this.#isPaused || this.#running.size >= AT_ONCE) return;
      if (!this.has(phase) && !this.#running.has(phase)) this.#running.set(phase, this.#load(phase));
    }
  }

  #forget(phase) {
    this.#masks.delete(phase);
    this.#images.delete(phase);
  }

  async #load(phase) {
    const { case_id: name, version } = this.#case;
    try {
      if (!this.#masks.has(phase)) this.#masks.set(phase, await this.#mask(phase));
      else this.#images.set(phase, await this.#server.image(name, version, phase));
    } catch (failure) {
      if (!this.#isClosed) this.told.failed(failure);
      this.close();
    }
    this.#running.delete(phase);
    if (this.#isClosed) return;
    this.told.arrived(phase);
    this.#fetch();
  }
}
