/** Server: asks this machine's `cardioseg review` for data. Nothing else is ever asked. */

/** What went wrong, in words for a person. */
export class Failure extends Error {
  /**
   * @param {string} message what failed.
   * @param {string} [hint] what to do.
   * @param {number} [status] of the answer; 0 if there was none.
   */
  constructor(message, hint = "", status = 0) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}

const UNAUTHORIZED = 401;

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

  async #pixels(caseId, version, what) {
    return (await this.#ask(`cases/${encodeURIComponent(caseId)}/${what}?version=${version}`)).arrayBuffer();
  }

  async #json(path) {
    return (await this.#ask(path)).json();
  }

  async #ask(path) {
    if (!this.#token) throw withoutSecret();
    const answer = await fetch(`/api/${path}`, { headers: { authorization: `Bearer ${this.#token}` } }).catch(() => {
      throw new Failure("cardioseg review has ended", "start it again; it prints a new address");
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
  );
}

async function inWords(answer) {
  const { message, hint } = await answer.json().catch(() => ({ message: "cardioseg review failed", hint: "" }));
  return new Failure(message, hint, answer.status);
}
