/** Outline: the border of a structure along the edges of its pixels, as a path that is sharp at any zoom. */

/**
 * The outlines of all structures in a slice.
 *
 * @param {Uint8Array} mask labels of rows and columns.
 * @param {number} columns
 * @param {{value: number, colour: string}[]} labels
 * @param {[number, number, number, number]} box rows from, to, columns from, to that hold all that is labelled.
 * @returns {{colour: string, path: Path2D}[]} in pixels: pixel (row, column) reaches from (column, row) to one more.
 */
export function outlines(mask, columns, labels, box) {
  return labels.map(({ value, colour }) => {
    const path = new Path2D();
    for (const corners of loops(mask, columns, value, box)) {
      corners.forEach(([x, y], index) => (index ? path.lineTo(x, y) : path.moveTo(x, y)));
      path.closePath();
    }
    return { colour, path };
  });
}

/**
 * The closed lines around a structure, with the structure on their right: clockwise outside, the other way in holes.
 *
 * @returns {[number, number][][]} the corners of each.
 */
export function loops(mask, columns, value, box) {
  const edges = edgesByStart(mask, columns, value, box);
  const found = [];
  for (const start of edges.keys()) {
    while (edges.get(start)?.length) found.push(corners(walk(edges, start, columns + 1)));
  }
  return found;
}

/** Directed edges: from a corner of a pixel, as a number, to the one or two corners that follow. */
function edgesByStart(mask, columns, value, [top, bottom, left, right]) {
  const edges = new Map();
  const rows = mask.length / columns;
  const width = columns + 1;
  const add = (from, to) => {
    const other = edges.get(from);
    if (other) other.push(to);
    else edges.set(from, [to]);
  };
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const at = row * columns + column;
      if (mask[at] !== value) continue;
      const corner = row * width + column;
      if (row === 0 || mask[at - columns] !== value) add(corner, corner + 1);
      if (column === columns - 1 || mask[at + 1] !== value) add(corner + 1, corner + 1 + width);
      if (row === rows - 1 || mask[at + columns] !== value) add(corner + 1 + width, corner + width);
      if (column === 0 || mask[at - 1] !== value) add(corner + width, corner);
    }
  }
  return edges;
}

/** One loop, whose edges are taken away. Where two pixels touch at a corner only, it turns right and stays apart. */
function walk(edges, start, width) {
  const points = [];
  let [from, step] = [start, 0];
  do {
    const next = edges.get(from);
    const turned = rightOf(step, width);
    const chosen = Math.max(next.indexOf(from + turned), 0);
    const [to] = next.splice(chosen, 1);
    points.push([from % width, Math.floor(from / width)]);
    step = to - from;
    from = to;
  } while (from !== start);
  return points;
}

/** The step after a turn to the right: east, south, west, north. */
function rightOf(step, width) {
  return { 1: width, [width]: -1, [-1]: -width, [-width]: 1 }[step] ?? 0;
}

/** The points at which a loop turns. */
function corners(points) {
  const count = points.length;
  return points.filter(([x, y], index) => {
    const [before, after] = [points[(index + count - 1) % count], points[(index + 1) % count]];
    return (after[0] - x) * (y - before[1]) !== (after[1] - y) * (x - before[0]);
  });
}
