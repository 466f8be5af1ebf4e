/** Case page: one case, its parts, and what happens when its state changes. */

import { play } from "./beat.js";
import { Cine } from "./cine.js";
import { moveCursor, showCurve } from "./curve.js";
import { find } from "./elements.js";
import { addRemark, showFacts } from "./facts.js";
import { greyTable } from "./greys.js";
import { drawOverview, markShown, showOverview } from "./overview.js";
import { drawStage, placeText, showStage } from "./stage.js";
import { State } from "./state.js";

const SAID_AFTER_MS = 400; // screen readers: the place where the reader stops, not each on the way

/** What stays from one case to the next. */
let kept = {};

/** An opened case: what the parts of the page share. */
export class Page {
  /** @type {Error|null} */
  failure = null;
  isClosed = false;
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
    return {
      image: exists ? this.cine.image(phase, slice) : undefined,
      outlines: exists && shown.look !== "none" ? this.cine.outlines(phase, slice) : [],
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

  /** Leave the case. */
  close() {
    const { look, opacity, zoom } = this.state.shown;
    kept = { look, opacity, zoom };
    this.isClosed = true;
    this.cine.close();
  }

  async #findImages(server, kase) {
    try {
      this.#view = await server.view(kase.case_id);
      if (this.isClosed) return;
      this.cine.withImages();
      this.resetGrey();
    } catch (failure) {
      if (this.isClosed) return;
      if (failure.status === 409)
        addRemark(failure.message); // there are no images: the mask is shown alone
      else this.#fail(failure);
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
    showOverview(this);
    showCurve(this);
    showStage(this);
  }

  #fail(failure) {
    this.failure = failure;
    const hint = failure.hint ? ` (${failure.hint})` : "";
    find("#trouble span").textContent = `${failure.message}${hint}`;
    find("#trouble").hidden = false;
    this.state.set({ isPlaying: false });
    drawStage();
  }

  /** @param {Set<string>} changed keys of the state, and `pixels N` for the pixels of a phase. */
  #follow(changed) {
    const { shown, moments } = this.state;
    const isLook = ["grey", "look", "opacity", "zoom"].some((key) => changed.has(key));
    if (changed.has("grey") && shown.grey) this.#table = greyTable(this.#view, shown.grey);
    if (changed.has("phase")) this.cine.show(shown.phase);
    if (isLook || moments.some(([, phase]) => changed.has(`pixels ${phase}`))) drawOverview();
    else if (changed.has("slice") || (changed.has("phase") && !shown.isPlaying)) markShown();
    if (isLook || ["slice", "phase", `pixels ${shown.phase}`].some((key) => changed.has(key))) drawStage();
    if (changed.has("phase")) moveCursor();
    if (changed.has("isPlaying") && shown.isPlaying) play(this);
    if (isLook || changed.has("isPlaying")) this.#showTools();
    if (changed.has("isPlaying")) markShown();
    this.#say();
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
    const { case: kase, shown } = this.state;
    if (shown.isPlaying) return;
    this.#said = setTimeout(() => {
      if (!this.isClosed) find("#said").textContent = placeText(kase, shown.slice, shown.phase);
    }, SAID_AFTER_MS);
  }
}
