/** Greys: from the numbers of an image to what the screen shows, through a table. */

const NUMBERS = 1 << 16;

/**
 * @param {{lowest: number, step: number}} scale intensity = lowest + step x number.
 * @param {[number, number]} grey darkest and brightest intensity.
 * @returns {Uint32Array} for each number the bytes red, green, blue, opaque, as canvases store them.
 */
export function greyTable({ lowest, step }, [low, high]) {
  const greys = new Uint8ClampedArray(NUMBERS);
  const slope = 255 / Math.max(high - low, Number.EPSILON);
  for (let number = 0; number < NUMBERS; number++) greys[number] = (lowest + step * number - low) * slope;
  return Uint32Array.from(greys, (grey) => (0xff000000 | (grey * 0x010101)) >>> 0);
}

/**
 * A window, moved or widened.
 *
 * @param {[number, number]} grey
 * @param {number} brighter share of the width by which pictures become brighter.
 * @param {number} wider share of the width that is added.
 * @returns {[number, number]}
 */
export function adjusted([low, high], brighter, wider) {
  const width = high - low;
  const centre = (low + high) / 2 - brighter * width;
  const half = Math.max((width * (1 + wider)) / 2, Number.EPSILON);
  return [centre - half, centre + half];
}

/** Centre and width, as workstations call a window: `C 340  W 680`. */
export function windowText([low, high]) {
  const digits = high - low < 10 ? 2 : 0;
  return `C ${((low + high) / 2).toFixed(digits)}  W ${(high - low).toFixed(digits)}`;
}
