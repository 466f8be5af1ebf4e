/** Correcting: a case that a person corrects: the changes, their numbers, and how they are saved. */

import { Carrying } from "./carrying.js";
import { Correction } from "./correction.js";
import { NetworkMask } from "./network_mask.js";
import { Numbers, rightMomentsOf } from "./numbers.js";
import { Failure } from "./server.js";
import { areTablesOld, writeTables } from "./tables.js";

const NOT_ACQUIRED = "Not changed: this slice was not acquired, and its areas are interpolated from its neighbours";
const HELD = "Not changed: a stroke is being drawn; let go of the button first";

export class Correcting {
  #server;
  #page;
  #savedText = "";
  #isPrepared = false;
  /** What is being done that must end before the next change; in words. */
  busy = "";
  /** The last change, in words; until another place is shown. */
  last = "";
  /** @type {import("./correction.js").Plane|null} a mask that was copied, as it was then. */
  copied = null;

  /**
   * @param {import("./server.js").Server} server
   * @param {import("./case_page.js").Page} page of the case.
   */
  constructor(server, page) {
    const { state, cine } = page;
    const { ed_phase: ed, es_phase: es } = state.case.by_hand;
    this.#server = server;
    this.#page = page;
    this.correction = new Correction((phase, slice) => cine.mask(phase, slice), { ed, es });
    this.network = new NetworkMask(server, state.case, this.correction);
    this.carrying = new Carrying(
      (slice, instead) => server.carried(page.state.case.case_id, this.document(instead), slice),
      this.correction,
      this.network,
    );
    this.numbers = new Numbers(state.case, () => this.#measured(), {
      arrived: () => this.#showNumbers(),
      failed: (failure) => page.complain(failure),
    });
  }

  /** Whether masks can be changed here. */
  get isOn() {
    return Boolean(this.#page.state.case.is_writable);
  }

  /** Whether there are changes that were not saved. */
  get isUnsaved() {
    return this.correction.isDirty;
  }

  /** Whether the mask is as the network drew it, with its phases: only then can it be accepted. */
  async isAsDrawn() {
    const { predicted, is_edited: isEdited } = this.#page.state.case;
    if (!this.isUnsaved) return !predicted && !isEdited;
    const { ed, es } = this.correction.moments;
    if (ed !== null || es !== null) return false;
    return this.network.isEverywhere((phase) => this.#page.cine.loadMask(phase));
  }

  /** Whether a change can be made now. */
  get canChange() {
    return this.isOn && !this.busy && !this.correction.preview;
  }

  /** `saved 14:03`, whether the tables are still being written, `not saved`, or nothing. */
  get savedText() {
    if (this.isUnsaved) return "not saved";
    return this.#savedText && areTablesOld() ? `${this.#savedText}, writing the tables …` : this.#savedText;
  }

  /**
   * Change planes, or the phases of end-diastole and end-systole, as one step.
   *
   * @param {import("./correction.js").Plane[]} planes
   * @param {string} words what that does.
   * @param {Partial<import("./correction.js").Moments>} [moments]
   */
  change(planes, words, moments = {}) {
    if (!this.canChange) return this.#refuse();
    const { missing_slices: missing } = this.#page.state.case;
    if (planes.some(({ slice }) => missing.includes(slice))) return this.say(NOT_ACQUIRED);
    const isChange = this.correction.put(planes, moments);
    this.#follow(planes, isChange ? words : `${words}: nothing to change`, isChange);
  }

  /** Say why nothing is changed, or what was done without a change. */
  say(words) {
    this.#follow([], words, false);
  }

  /** Take the last step back, and show where it was. */
  undo() {
    if (!this.canChange) return this.#refuse();
    this.#show(this.correction.undo(), "Undone");
  }

  /** Make the step again that was taken back last. */
  redo() {
    if (!this.canChange) return this.#refuse();
    this.#show(this.correction.redo(), "Done again");
  }

  /**
   * Have a slice here at some phases, then do something with it.
   *
   * @param {string} words what is being done.
   * @param {number} slice
   * @param {number[]} phases
   * @param {() => any} act
   */
  async having(words, slice, phases, act) {
    if (!this.canChange) return this.#refuse();
    this.busy = words;
    this.#tell();
    try {
      for (const phase of phases) await this.bring(phase, slice);
      const change = await act();
      this.busy = "";
      change?.();
    } catch (failure) {
      this.#page.complain(failure);
    }
    this.busy = "";
    this.#tell();
  }

  /** A tool was chosen: the server reads what it needs, so that numbers follow the first stroke at once, too. */
  prepare() {
    if (this.#isPrepared) return;
    this.#isPrepared = true;
    this.#server.measures(this.#page.state.case.case_id, this.document()).catch(() => {}); // a stroke will tell
  }

  /** What the server is sent. */
  document(instead = []) {
    return { version: this.#page.state.case.version, ...this.correction.document(instead) };
  }

  /**
   * Save. Nothing can be changed meanwhile.
   *
   * @param {{initials: string, decision: string, note: string}} decision
   */
  async save(decision) {
    if (!this.canChange) throw new Failure("Nothing was saved: a change is still being made", "save again in a moment");
    this.busy = "Saving …";
    this.#tell();
    try {
      await this.#send(decision);
    } finally {
      this.busy = "";
      this.#tell();
    }
  }

  async #send(decision) {
    const { state, cine } = this.#page;
    const { case_id: name } = state.case;
    await Promise.all([cine.pause(), this.numbers.settled]); // no request is of a version that is about to be old
    const [sent, document] = [this.correction.snapshot(), this.document()];
    const { version } = await this.#server.review(name, document, decision).catch((failure) => {
      cine.renew(state.case);
      throw failure;
    });
    this.correction.markSaved(sent);
    state.case.version = version;
    cine.renew(state.case);
    writeTables(this.#server, (trouble) => this.#page.complain(trouble));
    this.last = "Saved";
    this.#savedText = `saved ${new Date().toTimeString().slice(0, 5)}`;
    this.#tell();
    const kase = await this.#server.case(name);
    if (kase.version !== version) throw new Failure(`${name} was changed meanwhile`, "load it again");
    this.numbers.save(kase);
    this.#page.renew(kase);
  }

  /** Say why nothing is changed now, where nothing else on the page says it. */
  #refuse() {
    if (this.isOn && this.correction.preview) this.say(HELD);
  }

  /** Have a slice here at a phase, where it can be changed. */
  async bring(phase, slice) {
    while (!this.correction.plane(phase, slice)) await this.#page.cine.loadMask(phase);
    this.correction.keep(phase, slice);
  }

  #measured() {
    if (!this.isUnsaved) return null;
    return this.#server.measures(this.#page.state.case.case_id, this.document());
  }

  #show(step, word) {
    if (!step) return;
    const { planes } = step;
    const { slice, phase } = this.#page.state.shown;
    const isShown = planes.some((plane) => plane.slice === slice && plane.phase === phase);
    if (planes.length && !isShown) this.#page.state.set({ slice: planes[0].slice, phase: planes[0].phase });
    const [first] = planes;
    this.#follow(planes, first ? `${word} in slice ${first.slice}, phase ${first.phase}` : word, true);
  }

  #follow(planes, words, isChange) {
    this.last = words;
    this.#page.forget(planes);
    this.#tell();
    if (!isChange) return;
    this.#showMoments();
    this.numbers.follow();
  }

  /** The phases that the person chose, otherwise those of the network's mask, which a correction does not move. */
  #showMoments() {
    const { ed, es } = this.correction.moments;
    const { ed_phase, es_phase, measures } = this.numbers.before;
    const { rv_ed_phase, rv_es_phase } = rightMomentsOf(measures);
    const left = { ed_phase: ed ?? ed_phase, es_phase: es ?? es_phase };
    this.#page.state.set({ ...left, rv_ed_phase: ed ?? rv_ed_phase, rv_es_phase: es ?? rv_es_phase });
  }

  /** With new numbers arrive their phases: where a person chose the phase of ES as ED, another phase is ES now. */
  #showNumbers() {
    const { areCurrent, now } = this.numbers;
    const { ed_phase, es_phase, measures } = now;
    if (areCurrent) this.#page.state.set({ ed_phase, es_phase, ...rightMomentsOf(measures) });
    this.#page.state.tell("numbers");
  }

  #tell() {
    this.#page.state.tell("correction");
  }
}
