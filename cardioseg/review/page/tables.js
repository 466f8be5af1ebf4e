/** Tables: those of all cases are written after a save, which takes long in a large folder; nobody has to wait. */

const listeners = [];
let pending = 0;

/** Whether tables are being written, so that those that are there are old. */
export function areTablesOld() {
  return pending > 0;
}

/** @param {() => void} listener called when tables begin or cease to be old. */
export function listenToTables(listener) {
  listeners.push(listener);
}

/**
 * Have the tables written.
 *
 * @param {import("./server.js").Server} server
 * @param {(trouble: {message: string, hint?: string}) => void} complain called if they are written later or never.
 */
export async function writeTables(server, complain) {
  change(1);
  try {
    const { later } = await server.tables();
    if (later) complain({ message: later });
  } catch (failure) {
    complain(failure);
  }
  change(-1);
}

function change(by) {
  pending += by;
  for (const listener of listeners) listener();
}
