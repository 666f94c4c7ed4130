// What the deck's modules need of a browser, as small as it can be. Import this first.

import { webcrypto } from "node:crypto";

globalThis.crypto ??= webcrypto; // Node 18 has it under another name
globalThis.addEventListener ??= () => {};
globalThis.document ??= { hidden: false };

export class FakeStorage {
  getItem(name) {
    return Object.hasOwn(this, name) ? this[name] : null;
  }

  setItem(name, value) {
    this[name] = String(value);
  }

  removeItem(name) {
    delete this[name];
  }
}

/** An empty localStorage in place of the last one. */
export function emptyStorage() {
  globalThis.localStorage = new FakeStorage();
  return globalThis.localStorage;
}

/** Timers that run when the test says so; `waits` is what they were set to, in their order. */
export class Clock {
  now = 0;
  waits = [];
  #timers = new Map();
  #number = 0;

  /** In place of setTimeout and clearTimeout, until the test is over. */
  constructor(test) {
    const { setTimeout, clearTimeout } = globalThis;
    globalThis.setTimeout = (job, wait) => {
      this.waits.push(wait);
      this.#timers.set((this.#number += 1), { job, at: this.now + wait });
      return this.#number;
    };
    globalThis.clearTimeout = (number) => this.#timers.delete(number);
    test.after(() => Object.assign(globalThis, { setTimeout, clearTimeout }));
  }

  get pending() {
    return [...this.#timers.values()].map(({ at }) => at - this.now).sort((a, b) => a - b);
  }

  /** Let so many ms pass; what is due runs, and what comes of it at once. */
  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [number, { job, at }] = due;
      this.now = at;
      this.#timers.delete(number);
      job();
      await settled();
    }
    this.now = end;
  }
}

/** Until all promises that can be kept have been. */
export const settled = () => new Promise((done) => setImmediate(done));

/** A server behind fetch: each request waits in `requests` until the test answers or loses it. */
export class Server {
  requests = [];

  constructor(test) {
    const { fetch } = globalThis;
    globalThis.fetch = (url, { body, signal }) =>
      new Promise((resolve, reject) => {
        const request = { url, message: JSON.parse(body), signal, open: true };
        const end = (how) => async (...what) => {
          request.open = false;
          how(...what);
          await settled();
        };
        request.reply = end((reply, status = 200) => resolve({ ok: status < 400, status, json: async () => reply }));
        request.lose = end(() => reject(new TypeError("Failed to fetch")));
        signal.addEventListener("abort", end(() => reject(new DOMException("aborted", "AbortError"))));
        this.requests.push(request);
      });
    test.after(() => Object.assign(globalThis, { fetch }));
  }

  get last() {
    return this.requests.at(-1);
  }
}

globalThis.location = new URL("https://labels.example.org/labeling/label_tabular?project=wine");

/** What the browser sends as a beacon, until the test is over. */
export function beacons(test) {
  const sent = [];
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const navigator = { sendBeacon: (url, blob) => sent.push({ url, blob }) };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  test.after(() => {
    delete globalThis.navigator;
    if (before) Object.defineProperty(globalThis, "navigator", before);
  });
  return sent;
}

/** An element that knows its tag, its attributes and what it stands in. */
export class FakeElement {
  constructor(tag, attributes = {}, parent = null) {
    Object.assign(this, { tag, attributes, parent, blurred: false });
  }

  closest(selector) {
    return this.matches(selector) ? this : (this.parent?.closest(selector) ?? null);
  }

  /** Lists of tags with [attribute], [attribute=value] and :not(…). */
  matches(selector) {
    return selector.split(/,(?![^(]*\))/).some((each) => this.#matchesOne(each.trim()));
  }

  #matchesOne(selector) {
    const [, tag, rest] = selector.match(/^(\w*)(.*)$/s);
    if (tag && tag !== this.tag) return false;
    const excluded = [...rest.matchAll(/:not\(([^)]*)\)/g)].some(([, list]) => this.matches(list));
    if (excluded) return false;
    return [...rest.replace(/:not\([^)]*\)/g, "").matchAll(/\[([\w-]+)(?:="?([^"\]]*)"?)?\]/g)].every(
      ([, name, value]) => name in this.attributes && (value === undefined || this.attributes[name] === value),
    );
  }

  contains(other) {
    return other === this || (Boolean(other?.parent) && this.contains(other.parent));
  }

  blur() {
    this.blurred = true;
  }
}

emptyStorage();
