/** Unsaved: what is said of changes that the server cannot take any more, so that a person can draw them again. */

/**
 * A failure in words; where it means that changes cannot be saved, also which these are, and what can be done.
 *
 * @param {{message: string, hint?: string, isFinal?: boolean}} failure
 * @param {import("./correction.js").Correction} correction
 */
export function inWords({ message, hint, isFinal }, correction) {
  const words = hint ? `${message} (${hint})` : message;
  return isFinal && correction.isDirty ? `${words}. ${loss(correction.document().planes)}` : words;
}

function loss(planes) {
  const slices = [...new Set(planes.map(({ slice }) => slice))].sort((one, other) => one - other);
  const places = slices.map((slice) => {
    const phases = planes.filter((plane) => plane.slice === slice).map(({ phase }) => phase);
    return `slice ${slice}, ${phases.length > 1 ? "phases" : "phase"} ${ranges(phases)}`;
  });
  const where = places.length ? places.join("; ") : "phases of ED and ES";
  return (
    `Your unsaved changes (${where}) cannot be saved from this page, and loading it again discards them. ` +
    "To keep them, open the case in another tab and draw them again there, while you still see them here"
  );
}

/** `0 to 4, 7` */
function ranges(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const starts = sorted.filter((number) => !sorted.includes(number - 1));
  const ends = sorted.filter((number) => !sorted.includes(number + 1));
  return starts.map((start, index) => (ends[index] > start ? `${start} to ${ends[index]}` : `${start}`)).join(", ");
}
