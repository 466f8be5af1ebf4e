/** Beat: plays the phases, 25 a second, as fast as they arrive. */

const PHASE_MS = 40;

/** @param {import("./case_page.js").Page} page plays while `state.shown.isPlaying` is true and the case is shown. */
export function play(page) {
  const { state, cine } = page;
  let due = performance.now() + PHASE_MS;
  const frame = (now) => {
    if (!state.shown.isPlaying || page.isClosed) return;
    const next = (state.shown.phase + 1) % state.case.phases;
    if (now >= due && cine.has(next)) {
      due = Math.max(due + PHASE_MS, now); // no phase is left out: a slow machine plays slowly
      state.set({ phase: next });
    }
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}
