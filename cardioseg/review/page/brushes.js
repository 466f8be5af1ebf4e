/** Brushes: which pixels of a plane a stroke changes, and to what. A plane holds a label for each pixel, row by row. */

/**
 * @typedef {object} Size
 * @property {number} rows
 * @property {number} columns
 * @property {[number, number]} pixelMm height and width of a pixel.
 */

/**
 * The pixels whose middle is covered by a disc that moves along a line; those at both ends of the line always.
 *
 * @param {Size} size
 * @param {[number, number]} from row and column, in pixels: pixel (0, 0) reaches from (0, 0) to (1, 1).
 * @param {[number, number]} to
 * @param {number} radiusMm
 * @returns {number[]} places in the plane: row x columns + column.
 */
export function sweptDisc({ rows, columns, pixelMm }, from, to, radiusMm) {
  const [top, bottom] = covered(from[0], to[0], radiusMm / pixelMm[0], rows);
  const [left, right] = covered(from[1], to[1], radiusMm / pixelMm[1], columns);
  const ends = [from, to].map(([row, column]) => `${Math.floor(row)}/${Math.floor(column)}`);
  const places = [];
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const isNear = distanceMm([row + 0.5, column + 0.5], from, to, pixelMm) <= radiusMm;
      if (isNear || ends.includes(`${row}/${column}`)) places.push(row * columns + column);
    }
  }
  return places;
}

/** The rows, or columns, that a disc can reach: from, to. */
function covered(one, other, radius, count) {
  const [low, high] = [Math.min(one, other), Math.max(one, other)];
  return [Math.max(Math.floor(low - radius), 0), Math.min(Math.floor(high + radius) + 1, count)];
}

/** The distance of a point from the line between two points. */
function distanceMm(point, from, to, [height, width]) {
  const [y, x] = [(to[0] - from[0]) * height, (to[1] - from[1]) * width];
  const [down, right] = [(point[0] - from[0]) * height, (point[1] - from[1]) * width];
  const length = y * y + x * x;
  const along = length ? Math.min(Math.max((down * y + right * x) / length, 0), 1) : 0;
  return Math.hypot(down - along * y, right - along * x);
}

/**
 * The pixels whose middle lies inside a closed line; where it crosses itself, all that it goes around.
 *
 * @param {{rows: number, columns: number}} size
 * @param {[number, number][]} line rows and columns, in pixels; its end is joined to its beginning.
 * @returns {number[]} places in the plane.
 */
export function enclosedBy({ rows, columns }, line) {
  const turns = new Int32Array(rows * columns); // how often the line goes around a pixel
  line.forEach((to, index) => {
    const from = line.at(index - 1);
    const isDown = from[0] < to[0];
    const [upper, lower] = isDown ? [from, to] : [to, from];
    const [top, bottom] = [firstMiddle(upper[0]), Math.min(firstMiddle(lower[0]), rows)];
    for (let row = top; row < bottom; row++) {
      const along = (row + 0.5 - upper[0]) / (lower[0] - upper[0]);
      const crossing = upper[1] + along * (lower[1] - upper[1]);
      for (let column = firstMiddle(crossing); column < columns; column++) {
        turns[row * columns + column] += isDown ? 1 : -1;
      }
    }
  });
  return [...turns.keys()].filter((place) => turns[place]);
}

/** The first row, or column, whose middle is not before a position. */
function firstMiddle(position) {
  return Math.max(Math.ceil(position - 0.5), 0);
}

/**
 * The pixels of one label that hang together, side by side, around a pixel.
 *
 * @param {Uint8Array} plane
 * @param {number} columns
 * @param {number} start place of the pixel.
 * @returns {{places: number[], reachesEdge: boolean}} whether they reach the edge of the picture.
 */
export function regionAround(plane, columns, start) {
  const label = plane[start];
  const seen = new Uint8Array(plane.length);
  const places = [start];
  let reachesEdge = false;
  seen[start] = 1;
  for (let index = 0; index < places.length; index++) {
    const beside = sideBySide(places[index], columns, plane.length);
    reachesEdge ||= beside.length < 4;
    for (const place of beside) {
      if (seen[place] || plane[place] !== label) continue;
      seen[place] = 1;
      places.push(place);
    }
  }
  return { places, reachesEdge };
}

function sideBySide(place, columns, length) {
  const column = place % columns;
  const beside = [];
  if (column > 0) beside.push(place - 1);
  if (column < columns - 1) beside.push(place + 1);
  if (place >= columns) beside.push(place - columns);
  if (place < length - columns) beside.push(place + columns);
  return beside;
}

/**
 * Keep the cavity inside the wall: where a stroke lets the LV cavity touch something else, also by a corner, that
 * becomes wall. Only what the stroke changed is looked at: a wall that was open before stays open. A slice without
 * wall stays without wall.
 *
 * @param {Uint8Array} before the stroke.
 * @param {Uint8Array} after the stroke; changed here.
 * @param {number} columns
 * @param {{cavity: number, wall: number}} labels
 * @returns {number[]} places of the pixels that became wall, other than the stroke drew them.
 */
export function keepCavityInsideWall(before, after, columns, { cavity, wall }) {
  if (!before.includes(wall)) return [];
  const becomesWall = new Set();
  const isOpen = (place) => after[place] !== cavity && after[place] !== wall;
  for (let place = 0; place < after.length; place++) {
    if (before[place] === after[place]) continue;
    const around = allAround(place, columns, after.length);
    if (after[place] === cavity) around.filter(isOpen).forEach((other) => becomesWall.add(other));
    else if (isOpen(place) && around.some((other) => after[other] === cavity)) becomesWall.add(place);
  }
  for (const place of becomesWall) after[place] = wall;
  return [...becomesWall];
}

function allAround(place, columns, length) {
  const column = place % columns;
  const around = [];
  for (const down of [-columns, 0, columns]) {
    for (const across of [-1, 0, 1]) {
      const other = place + down + across;
      const isInside = other >= 0 && other < length && column + across >= 0 && column + across < columns;
      if (isInside && other !== place) around.push(other);
    }
  }
  return around;
}

/** The plane without a structure; without all of them if `label` is null. */
export function without(plane, label) {
  return plane.map((value) => (label === null || value === label ? 0 : value));
}
