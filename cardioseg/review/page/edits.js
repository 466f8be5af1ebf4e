/** Edits: changes of whole planes: structures deleted, planes copied, corrections carried on. Each is one step. */

import { without } from "./brushes.js";
import { areEqual } from "./correction.js";

/** @typedef {import("./case_page.js").Page} Page */

const LOST = "Not changed: the network's own mask is lost, because another program wrote over it";
const place = (slice, phase) => `slice ${slice}, phase ${phase}`;

/**
 * Delete the chosen structure, or all, in the slice that is shown.
 *
 * @param {Page} page
 * @param {{isEvery: boolean, atAllPhases: boolean}} which every structure or the chosen one, all phases or this one.
 */
export function deleteHere(page, { isEvery, atAllPhases }) {
  const { case: kase, shown } = page.state;
  const { slice, phase } = shown;
  const label = isEvery ? null : shown.label;
  const name = isEvery ? "All structures" : titleOf(kase, label);
  const phases = atAllPhases ? allPhases(kase) : [phase];
  const words = `${name} deleted in ${atAllPhases ? `slice ${slice} at all phases` : place(slice, phase)}`;
  replace(page, phases, words, (plane) => without(plane, label));
}

/** Give the slice that is shown the labels that it has at the phase before (-1) or after (1). */
export function copyFromPhase(page, steps) {
  const { case: kase, shown } = page.state;
  const { slice, phase } = shown;
  if (kase.phases < 2) return;
  const from = (phase + steps + kase.phases) % kase.phases;
  copy(page, slice, from, `Copied from phase ${from} to ${place(slice, phase)}`);
}

/** Give the slice that is shown the labels of its neighbour towards the base (-1) or the apex (1). */
export function copyFromSlice(page, steps) {
  const { slice, phase } = page.state.shown;
  const from = page.state.neighbour(steps);
  if (from === undefined) return;
  copy(page, from, phase, `Copied from slice ${from} to ${place(slice, phase)}`);
}

/** Remember the mask of the slice that is shown, as it is now. */
export function copyHere(page) {
  const { correcting } = page;
  const { slice, phase } = page.state.shown;
  correcting.having("Reading the mask …", slice, [phase], () => {
    correcting.copied = { slice, phase, labels: correcting.correction.plane(phase, slice).slice() };
    return () => correcting.say(`Copied the mask of ${place(slice, phase)}`);
  });
}

/** Give the slice that is shown the mask that was copied in this case. */
export function pasteHere(page) {
  const { copied } = page.correcting;
  const { slice, phase } = page.state.shown;
  if (!copied) return page.correcting.say("Nothing to paste: no mask of this case was copied (Ctrl c)");
  const words = `Pasted the mask of ${place(copied.slice, copied.phase)} into ${place(slice, phase)}`;
  replace(page, [phase], words, () => copied.labels.slice());
}

/** Carry the correction of the slice that is shown on to all other phases. */
export function carryOn(page) {
  const { case: kase, shown } = page.state;
  const { slice } = shown;
  if (kase.phases < 2) return;
  const { correcting } = page;
  const phases = allPhases(kase);
  correcting.having("Carrying the correction on …", slice, phases, async () => {
    const planes = await correcting.carrying.planes(slice, phases);
    const isChange = ({ phase, labels }) => !areEqual(labels, correcting.correction.plane(phase, slice));
    const count = planes.filter(isChange).length;
    const words = `Correction of slice ${slice}`;
    if (!count) return () => correcting.say(`${words}: nothing to carry on`);
    return () => correcting.change(planes, `${words} carried on to ${count} ${count === 1 ? "phase" : "phases"}`);
  });
}

/** Give the slice that is shown, at this phase or at all, the network's mask again. */
export function backToNetwork(page, { atAllPhases }) {
  const { case: kase, shown } = page.state;
  const { slice, phase } = shown;
  const { correcting } = page;
  if (!correcting.network.isKnown) return correcting.say(LOST);
  const phases = atAllPhases ? allPhases(kase) : [phase];
  const words = `Network's mask again in ${atAllPhases ? `slice ${slice} at all phases` : place(slice, phase)}`;
  correcting.having("Reading the network's mask …", slice, phases, async () => {
    await correcting.network.load(phases);
    const planes = phases.map((at) => ({ phase: at, slice, labels: correcting.network.plane(at, slice) }));
    return () => correcting.change(planes, words);
  });
}

/** Make the phase that is shown end-diastole (`ed`) or end-systole (`es`). */
export function setMoment(page, moment) {
  const { case: kase, shown } = page.state;
  if (kase.phases < 2) return;
  const other = moment === "ed" ? "es" : "ed";
  const isTaken = page.correcting.correction.moments[other] === shown.phase; // then the other is found again
  const moments = { [moment]: shown.phase, ...(isTaken && { [other]: null }) };
  page.correcting.change([], `${moment.toUpperCase()} is phase ${shown.phase}`, moments);
}

function replace(page, phases, words, labelsOf) {
  const { correcting } = page;
  const { slice } = page.state.shown;
  correcting.having("Reading the mask …", slice, phases, () => {
    const { correction } = correcting;
    const planes = phases.map((phase) => ({ phase, slice, labels: labelsOf(correction.plane(phase, slice)) }));
    return () => correcting.change(planes, words);
  });
}

function copy(page, fromSlice, fromPhase, words) {
  const { correcting } = page;
  const { slice, phase } = page.state.shown;
  correcting.having("Reading the mask …", fromSlice, [fromPhase], async () => {
    await correcting.bring(phase, slice); // where it is copied to
    const labels = correcting.correction.plane(fromPhase, fromSlice).slice();
    return () => correcting.change([{ phase, slice, labels }], words);
  });
}

function allPhases(kase) {
  return [...Array(kase.phases).keys()];
}

/** The name of a structure. */
export function titleOf(kase, value) {
  return kase.labels.find((label) => label.value === value)?.title ?? "background";
}
