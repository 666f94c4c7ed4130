/* Decisions the server has not confirmed: in memory, and one localStorage entry each. */

const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");

class Outbox {
  constructor(store) {
    this.prefix = `mll:${store}:`;
    this.client = randomId();
    this.seq = 0;
    this.entries = []; // {decision, delta: [[state, ±1]]}, oldest first
    this.adopt();
  }

  get size() {
    return this.entries.length;
  }

  /** `delta` is what the decision adds to the counts, until the server's counts contain it. */
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
    for (const name of this.storedNames().filter((name) => !known.has(name))) {
      try {
        const decision = JSON.parse(localStorage.getItem(name));
        if (decision) this.entries.push({ decision, delta: [] });
      } catch {
        localStorage.removeItem(name); // half written by a crash: nothing that could be sent
      }
    }
  }

  storedNames() {
    try {
      const own = (name) => name.startsWith(this.prefix) && /^\w+:\d+$/.test(name.slice(this.prefix.length));
      return Object.keys(localStorage).filter(own);
    } catch {
      return [];
    }
  }

  name({ client, seq }) {
    return `${this.prefix}${client}:${seq}`;
  }

  /** By client and number, as the server wants them; the next message takes what is too much for one. */
  decisions() {
    return this.entries
      .map(({ decision }) => decision)
      .sort((a, b) => (a.client === b.client ? a.seq - b.seq : a.client < b.client ? -1 : 1))
      .slice(0, 1000);
  }

  holds(wanted) {
    return this.entries.some(({ decision }) => decision === wanted);
  }

  /** Forget what is stored (`{client: highest number}`) and what was refused. */
  prune(stored, refused) {
    const gone = new Set(refused.map((decision) => this.name(decision)));
    const done = (decision) => decision.seq <= (stored[decision.client] ?? 0) || gone.has(this.name(decision));
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

  has(sampleId) {
    return this.entries.some(({ decision }) => decision.sample_id === sampleId);
  }
}
