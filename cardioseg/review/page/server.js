/** Server: asks this machine's `cardioseg review` for data. Nothing else is ever asked. */

/** What went wrong, in words for a person. */
export class Failure extends Error {
  /**
   * @param {string} message what failed.
   * @param {string} [hint] what to do.
   * @param {number} [status] of the answer; 0 if there was none.
   * @param {boolean} [isFinal] whether the server takes no change of this page from now on.
   */
  constructor(message, hint = "", status = 0, isFinal = false) {
    super(message);
    this.hint = hint;
    this.status = status;
    this.isFinal = isFinal;
  }
}

const UNAUTHORIZED = 401;
const OTHER_VERSION = "was changed meanwhile"; // how the server ends what it says of a case of which it has another one

export class Server {
  #token;

  /** @param {string} token the secret in the address of the page; a fragment, which browsers never send. */
  constructor(token) {
    this.#token = token;
  }

  /** The folder's name and a row for each case. */
  cases() {
    return this.#json("cases");
  }

  /** @param {string} caseId */
  case(caseId) {
    return this.#json(`cases/${encodeURIComponent(caseId)}`);
  }

  /** How to draw the images of a case: the first window, and what their numbers mean. */
  view(caseId) {
    return this.#json(`cases/${encodeURIComponent(caseId)}/images`);
  }

  /** Slices, rows and columns of a phase. */
  async image(caseId, version, phase) {
    return new Uint16Array(await this.#pixels(caseId, version, `images/${phase}`));
  }

  /** The same of the mask. */
  async mask(caseId, version, phase) {
    return new Uint8Array(await this.#pixels(caseId, version, `masks/${phase}`));
  }

  /** The same of the network's own mask, whatever a person made of it. */
  async predicted(caseId, phase) {
    const answer = await this.#ask(`cases/${encodeURIComponent(caseId)}/predicted/${phase}`);
    return new Uint8Array(await answer.arrayBuffer());
  }

  /** Volumes, EF and mass of a corrected mask. */
  measures(caseId, correction) {
    return this.#json(`cases/${encodeURIComponent(caseId)}/measures`, correction);
  }

  /** The planes of a slice at the other phases, with the correction carried on to them. */
  carried(caseId, correction, slice) {
    return this.#json(`cases/${encodeURIComponent(caseId)}/carried`, { ...correction, slice });
  }

  /** Save a correction with what a person decided: the new version of the case. */
  review(caseId, correction, decision) {
    return this.#json(`cases/${encodeURIComponent(caseId)}/review`, { ...correction, ...decision });
  }

  /** Have the tables of all cases written, if cases were saved since: why they are written later, under `later`. */
  tables() {
    return this.#json("tables", {});
  }

  async #pixels(caseId, version, what) {
    return (await this.#ask(`cases/${encodeURIComponent(caseId)}/${what}?version=${version}`)).arrayBuffer();
  }

  async #json(path, sent) {
    return (await this.#ask(path, sent)).json();
  }

  /** @param {any} [sent] goes along as JSON. */
  async #ask(path, sent) {
    if (!this.#token) throw withoutSecret();
    const headers = { authorization: `Bearer ${this.#token}` };
    const json = { ...headers, "content-type": "application/json" };
    const options = sent ? { method: "POST", headers: json, body: JSON.stringify(sent) } : { headers };
    const answer = await fetch(`/api/${path}`, options).catch(() => {
      throw new Failure("cardioseg review has ended", "start it again; it prints a new address", 0, true);
    });
    if (answer.status === UNAUTHORIZED) throw withoutSecret();
    if (!answer.ok) throw await inWords(answer);
    return answer;
  }
}

function withoutSecret() {
  return new Failure(
    "This address lacks the secret of the running cardioseg review",
    "copy the whole address that it prints, with all that follows the #",
    UNAUTHORIZED,
    true,
  );
}

async function inWords(answer) {
  const { message, hint } = await answer.json().catch(() => ({ message: "cardioseg review failed", hint: "" }));
  return new Failure(message, hint, answer.status, message.endsWith(OTHER_VERSION));
}
