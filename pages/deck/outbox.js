// @ts-check
/* Decisions the server has not confirmed: in memory, and one localStorage entry each. */

/** @import { Decision, Delta, Fields, Numbered } from "./types.d.ts" */

const MOST_TEXT = 1_000_000; // characters in a message: the server reads no more than 8 MB

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");

export class Outbox {
  /** @type {{decision: Decision, delta: Delta}[]} */
  entries = []; // oldest first; `delta` is what add() says

  constructor(/** @type {string} */ store) {
    this.prefix = `mll:${store}:`;
    this.client = randomId();
    this.seq = 0;
    this.adopt();
  }

  get size() {
    return this.entries.length;
  }

  /** `delta` is what the decision adds to the counts, until the server's counts contain it.
   * @param {Fields} fields
   * @param {Delta} delta */
  add(fields, delta) {
    const decision = { client: this.client, seq: ++this.seq, ...fields };
    this.entries.push({ decision, delta });
    try {
      localStorage.setItem(this.name(decision), JSON.stringify(decision));
    } catch {
      // Storage full or forbidden: the decision still goes out from memory.
    }
  }

  /** Take over what closed or reloaded tabs left behind; they keep their own client and number. */
  adopt() {
    const known = new Set(this.entries.map(({ decision }) => this.name(decision)));
    for (const name of this.storedNames().filter((each) => !known.has(each))) {
      try {
        const decision = JSON.parse(localStorage.getItem(name) ?? "null");
        if (decision) this.entries.push({ decision, delta: [] });
      } catch {
        localStorage.removeItem(name); // half written by a crash: nothing that could be sent
      }
    }
  }

  storedNames() {
    try {
      const stored = Object.keys(localStorage).filter((name) => name.startsWith(this.prefix));
      return stored.filter((name) => /^\w+:\d+$/.test(name.slice(this.prefix.length)));
    } catch {
      return [];
    }
  }

  name(/** @type {Numbered} */ { client, seq }) {
    return `${this.prefix}${client}:${seq}`;
  }

  /** By client and number, as the server wants them; the next message takes what is too much for one. */
  decisions() {
    let room = MOST_TEXT;
    const fits = (/** @type {Decision} */ decision, /** @type {number} */ i) =>
      (room -= JSON.stringify(decision).length) > 0 || i === 0;
    return this.entries
      .map(({ decision }) => decision)
      .sort((a, b) => (a.client === b.client ? a.seq - b.seq : a.client < b.client ? -1 : 1))
      .slice(0, 1000)
      .filter(fits);
  }

  holds(/** @type {Decision} */ wanted) {
    return this.entries.some(({ decision }) => decision === wanted);
  }

  /** Forget what is stored (`{client: highest number}`) and what was refused.
   * @param {Record<string, number>} stored
   * @param {Numbered[]} refused */
  prune(stored, refused) {
    const gone = new Set(refused.map((decision) => this.name(decision)));
    const done = (/** @type {Decision} */ decision) => decision.seq <= (stored[decision.client] ?? 0) || gone.has(this.name(decision));
    const settled = this.entries.filter(({ decision }) => done(decision));
    this.entries = this.entries.filter(({ decision }) => !done(decision));
    for (const { decision } of settled) {
      try {
        localStorage.removeItem(this.name(decision));
      } catch {
        // Sent again by the next module: the server knows it already.
      }
    }
  }

  has(/** @type {string} */ sampleId) {
    return this.entries.some(({ decision }) => decision.sample_id === sampleId);
  }
}
