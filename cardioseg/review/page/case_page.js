/** Case page: one case, its parts, and what happens when its state changes. */

import { play } from "./beat.js";
import { Cine } from "./cine.js";
import { Contours } from "./contours.js";
import { Correcting } from "./correcting.js";
import { drawCurve, moveCursor, showCurve } from "./curve.js";
import { find } from "./elements.js";
import { addRemark, markFlags, showFacts, showNumbers } from "./facts.js";
import { greyTable } from "./greys.js";
import { drawOverview, markShown, showOverview } from "./overview.js";
import { drawLarge, drawStage, placeText, showStage } from "./stage.js";
import { State } from "./state.js";
import { showStrokes } from "./strokes.js";
import { showToolbar, updateToolbar } from "./toolbar.js";
import { inWords } from "./unsaved.js";

const SAID_AFTER_MS = 400; // screen readers: the place where the reader stops, not each on the way

/** What stays from one case to the next. */
let kept = {};

/** An opened case: what the parts of the page share. */
export class Page {
  /** @type {Error|null} */
  failure = null;
  isClosed = false;
  #contours;
  #view = null;
  #table = null;
  #said = 0;

  /**
   * @param {import("./server.js").Server} server
   * @param {any} kase the document of the case.
   */
  constructor(server, kase) {
    this.state = new State(kase, kept);
    this.cine = new Cine(server, kase, {
      arrived: (phase) => this.state.tell(`pixels ${phase}`),
      failed: (failure) => this.#fail(failure),
    });
    this.correcting = new Correcting(server, this);
    this.#contours = new Contours(kase, (phase, slice) => this.correcting.correction.shown(phase, slice));
    this.state.listen((changed) => this.isClosed || this.#follow(changed));
    this.#show();
    this.cine.show(this.state.shown.phase);
    this.#findImages(server, kase);
  }

  /**
   * What to draw of a slice.
   *
   * @param {number} phase
   * @param {number|undefined} slice undefined beyond the ends of the stack.
   * @param {[number, number, number, number]} [part] rows from, to, columns from, to; else what the zoom says.
   */
  picture(phase, slice, part = this.#part()) {
    const { case: kase, shown } = this.state;
    const exists = slice !== undefined;
    const { preview } = this.correcting.correction;
    return {
      image: exists ? this.cine.image(phase, slice) : undefined,
      outlines: exists && shown.look !== "none" ? this.#contours.of(phase, slice) : [],
      line: preview?.phase === phase && preview.slice === slice ? preview.line : undefined,
      columns: kase.columns,
      pixelMm: kase.pixel_mm,
      part,
      table: this.#table,
      look: shown.look,
      opacity: shown.opacity,
    };
  }

  /** Back to the first window. */
  resetGrey() {
    if (this.#view) this.state.set({ grey: [...this.#view.window] });
  }

  /** Planes have changed: their outlines are drawn anew. */
  forget(planes) {
    for (const { phase, slice } of planes) this.#contours.forget(phase, slice);
  }

  /** Show what the case became when it was saved; undo and redo stay. */
  renew(kase) {
    const { heart } = this.state.case; // the picture must not jump
    this.state.case = { ...kase, heart };
    this.cine.renew(this.state.case);
    showFacts(this);
    this.#showCase();
    this.state.tell("correction");
  }

  /** Say what failed; nothing of the correction is lost. */
  complain(failure) {
    find("#trouble span").textContent = inWords(failure, this.correcting.correction);
    find("#trouble").hidden = false;
  }

  /** Leave the case. */
  close() {
    const { look, opacity, zoom, label, brushMm, isWallKept } = this.state.shown;
    kept = { look, opacity, zoom, label, brushMm, isWallKept };
    this.isClosed = true;
    this.cine.close();
  }

  async #findImages(server, kase) {
    const { phase } = this.state.shown;
    const first = server.image(kase.case_id, kase.version, phase).catch(() => null); // waits for the scan, too
    try {
      this.#view = await server.view(kase.case_id);
      const image = await first;
      if (this.isClosed) return;
      if (image) this.cine.keepImage(phase, image);
      this.cine.fetchRest(true);
      this.resetGrey();
    } catch (failure) {
      if (this.isClosed) return;
      if (failure.status !== 409) return this.#fail(failure);
      addRemark(failure.message); // there are no images: the mask is shown alone
      this.cine.fetchRest(false);
    }
  }

  #part() {
    const { case: kase, shown } = this.state;
    return shown.zoom === "heart" ? kase.heart : [0, kase.rows, 0, kase.columns];
  }

  #show() {
    const { case: kase } = this.state;
    find("#trouble").hidden = true;
    find("#play").hidden = kase.phases < 2;
    find("#case").classList.toggle("still", kase.phases < 2);
    showFacts(this);
    this.#showTools();
    showToolbar(this);
    showStage(this);
    showStrokes(this);
    this.#showCase();
  }

  /** What depends on which phases are end-diastole and end-systole. */
  #showCase() {
    showOverview(this);
    showCurve(this);
    this.#readNetwork();
  }

  /** The network's mask of what is shown, where it is another one: what a person corrected is marked. */
  async #readNetwork() {
    try {
      const phases = [this.state.shown.phase, ...this.state.moments.map(([, phase]) => phase)];
      const isNew = await this.correcting.network.load(phases);
      if (isNew && !this.isClosed) this.state.tell("correction");
    } catch (failure) {
      if (!this.isClosed) this.complain(failure);
    }
  }

  #fail(failure) {
    this.failure = failure;
    this.complain(failure);
    this.state.set({ isPlaying: false });
    drawStage();
  }

  /** @param {Set<string>} changed keys of the state, and `pixels N` for the pixels of a phase. */
  #follow(changed) {
    const { shown } = this.state;
    const isElsewhere = (changed.has("slice") || changed.has("phase")) && !changed.has("correction");
    if (isElsewhere) this.correcting.last = "";
    const areMoments = ["ed_phase", "es_phase", "rv_ed_phase", "rv_es_phase", "side"].some((key) => changed.has(key));
    if (areMoments) this.#showCase();
    if (changed.has("preview")) drawLarge();
    if (changed.has("numbers")) this.#showNumbers();
    if (changed.has("correction")) markFlags();
    this.#draw(changed, areMoments);
    if (changed.has("phase")) moveCursor();
    if (changed.has("isPlaying") && shown.isPlaying) play(this);
    if (changed.has("isPlaying")) markShown();
    updateToolbar();
    this.#say();
  }

  #draw(changed, areMoments) {
    const { shown, moments } = this.state;
    const isLook = ["grey", "look", "opacity", "zoom"].some((key) => changed.has(key));
    if (changed.has("grey") && shown.grey) this.#table = greyTable(this.#view, shown.grey);
    if (changed.has("phase")) this.cine.show(shown.phase);
    const isMask = changed.has("correction");
    if (isLook || isMask || moments.some(([, phase]) => changed.has(`pixels ${phase}`))) drawOverview();
    else if (changed.has("slice") || (changed.has("phase") && !shown.isPlaying)) markShown();
    const isStage = isLook || isMask || areMoments;
    if (isStage || ["slice", "phase", `pixels ${shown.phase}`].some((key) => changed.has(key))) drawStage();
    if (isLook || changed.has("isPlaying")) this.#showTools();
    if (changed.has("phase") && !shown.isPlaying) this.#readNetwork();
  }

  #showNumbers() {
    if (this.correcting.numbers.areCurrent && !this.failure) find("#trouble").hidden = true;
    showNumbers();
    drawCurve();
  }

  #showTools() {
    const { look, zoom, opacity, isPlaying } = this.state.shown;
    for (const button of document.querySelectorAll("[data-look]")) {
      button.setAttribute("aria-pressed", String(button.dataset.look === look));
    }
    for (const button of document.querySelectorAll("[data-zoom]")) {
      button.setAttribute("aria-pressed", String(button.dataset.zoom === zoom));
    }
    find("#opacity").value = String(Math.round(100 * opacity));
    find("#play").textContent = isPlaying ? "Pause" : "Play";
    find("#play").setAttribute("aria-pressed", String(isPlaying));
  }

  #say() {
    clearTimeout(this.#said);
    if (this.state.shown.isPlaying) return;
    this.#said = setTimeout(() => {
      const texts = [this.correcting.last, placeText(this)];
      if (!this.isClosed) find("#said").textContent = texts.filter(Boolean).join("\n");
    }, SAID_AFTER_MS);
  }
}
