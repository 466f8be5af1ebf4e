/** Slice picture: one slice and its mask on a canvas, in true proportions. */

const CASING = "rgb(0 0 0 / 55%)"; // beside a line, so that it is seen on bright blood
const LINE = 1.6;

/**
 * @typedef {object} Slice
 * @property {Uint16Array|undefined} image
 * @property {{colour: string, path: Path2D}[]} outlines
 * @property {{colour: string, path: Path2D}} [line] that is being drawn.
 * @property {number} columns
 * @property {[number, number]} pixelMm height and width of a pixel.
 * @property {[number, number, number, number]} part rows from, to, columns from, to.
 * @property {Uint32Array|null} table of greys.
 * @property {string} look
 * @property {number} opacity
 */

export class SlicePicture {
  #canvas;
  #context;
  #pixels = document.createElement("canvas");

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
  }

  /** Give the canvas a pixel for each of the screen. */
  fit() {
    const ratio = window.devicePixelRatio;
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight].map((px) => Math.round(px * ratio));
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
  }

  /** @param {Slice} slice */
  draw(slice) {
    this.fit();
    const { width, height } = this.#canvas;
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, width, height);
    const place = placed(slice, width, height);
    if (slice.image && slice.table) this.#drawImage(slice, place);
    if (slice.look !== "none") this.#drawMask(slice, place);
    if (slice.line) this.#drawLine(onCanvas(slice.line, slice, place), slice.line.colour);
  }

  #drawImage({ image, columns, part, table }, place) {
    const [top, bottom, left, right] = part;
    const [width, height] = [right - left, bottom - top];
    if (this.#pixels.width !== width || this.#pixels.height !== height) {
      Object.assign(this.#pixels, { width, height });
    }
    const context = this.#pixels.getContext("2d");
    const data = context.createImageData(width, height);
    const colours = new Uint32Array(data.data.buffer);
    for (let row = top, to = 0; row < bottom; row++) {
      for (let from = row * columns + left, end = from + width; from < end; from++, to++)
        colours[to] = table[image[from]];
    }
    context.putImageData(data, 0, 0);
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(this.#pixels, place.x, place.y, width * place.across, height * place.down);
  }

  #drawMask(slice, place) {
    const context = this.#context;
    context.save();
    context.globalAlpha = slice.opacity;
    for (const outline of slice.outlines) {
      const shape = onCanvas(outline, slice, place);
      if (slice.look === "fill") {
        context.fillStyle = outline.colour;
        context.fill(shape, "evenodd");
      } else this.#drawLine(shape, outline.colour);
    }
    context.restore();
  }

  #drawLine(shape, colour) {
    const context = this.#context;
    const line = LINE * window.devicePixelRatio * (this.#canvas.clientWidth < 150 ? 0.7 : 1);
    context.lineJoin = "round";
    Object.assign(context, { strokeStyle: CASING, lineWidth: 2.2 * line });
    context.stroke(shape);
    Object.assign(context, { strokeStyle: colour, lineWidth: line });
    context.stroke(shape);
  }
}

/** A path in pixels of the image, as one in pixels of the canvas. */
function onCanvas({ path }, { part }, { x, y, across, down }) {
  const shape = new Path2D();
  shape.addPath(path, new DOMMatrix([across, 0, 0, down, x - part[2] * across, y - part[0] * down]));
  return shape;
}

/** Where a part of an image lies in a canvas, as large as fits, and the size of its pixels there. */
export function placed({ part, pixelMm }, width, height) {
  const [top, bottom, left, right] = part;
  const scale = Math.min(width / ((right - left) * pixelMm[1]), height / ((bottom - top) * pixelMm[0]));
  const [down, across] = [scale * pixelMm[0], scale * pixelMm[1]];
  return { down, across, x: (width - (right - left) * across) / 2, y: (height - (bottom - top) * down) / 2 };
}
