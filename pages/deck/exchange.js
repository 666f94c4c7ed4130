// @ts-check
/* One message at a time to the server, by POST or as component state, again until it is answered. */

/** @import { Decision, Message, Reply, Sender } from "./types.d.ts" */
/** @typedef {"post" | "state"} Transport */

const TIMEOUT = 10000;
const PROBE_TIMEOUT = 5000; // for a transport that only stands in: it may lead nowhere
const HEARD_TIMEOUT = 1500;
export const RETRY = [1000, 2000, 4000, 5000];

/** A message without an answer so far; `first` is its first decision.
 * @typedef {object} Unanswered
 * @property {number} number
 * @property {Transport} transport
 * @property {AbortController} abort
 * @property {Decision | undefined} first
 * @property {ReturnType<typeof setTimeout>} [timer] */

export class Exchange {
  number = 0;
  /** @type {Unanswered | null} */
  waiting = null;
  /** @type {ReturnType<typeof setTimeout> | null} */
  retry = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  poll;
  failures = 0;
  /** @type {Transport} */
  preferred = "post";
  trouble = "";
  refused = false; // the server has answered, but may not take it

  /** `deck` composes messages, receives replies and says whether there is anything to send. */
  constructor(/** @type {Sender} */ deck) {
    this.deck = deck;
  }

  /** Send if there is reason to, and the line is free; otherwise ask for news after a while. */
  pump() {
    if (this.waiting || this.retry) return;
    clearTimeout(this.poll);
    if (this.deck.urgent()) this.send();
    else if (this.deck.screen) this.poll = setTimeout(() => this.send(), this.deck.pause());
  }

  /** Try at once: the network is back, or somebody looks again. */
  hurry() {
    clearTimeout(this.retry ?? undefined);
    this.retry = null;
    if (!this.waiting) this.send();
  }

  /** @returns {Transport} */
  transport() {
    const other = this.preferred === "post" ? "state" : "post";
    const wanted = this.failures >= 2 && this.failures % 2 === 0 ? other : this.preferred;
    return wanted === "state" && !this.deck.sendAsState ? "post" : wanted;
  }

  send() {
    clearTimeout(this.poll);
    const transport = this.transport();
    const message = this.deck.compose(++this.number);
    const abort = new AbortController();
    this.waiting = { number: message.message, transport, abort, first: message.decisions[0] };
    this.expire(transport === this.preferred ? TIMEOUT : PROBE_TIMEOUT);
    if (transport === "state") this.deck.sendAsState?.(message);
    else this.post(message, abort.signal);
  }

  async post(/** @type {Message} */ message, /** @type {AbortSignal} */ signal) {
    try {
      const { token, ...body } = message; // looked at before the rest is read
      const response = await fetch(this.deck.url, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Labeling-Token": token },
        body: JSON.stringify(body),
        signal,
      });
      const reply = await response.json().catch(() => ({}));
      if (response.ok && reply.message === message.message) this.answer(reply);
      else this.fail(message.message, reply.error || "", response.status);
    } catch {
      this.fail(message.message, "");
    }
  }

  /** The page ran. Its reply may be to another message: then ours was lost, or comes any moment. */
  heard(/** @type {Reply | null} */ reply) {
    if (reply && reply.message === this.waiting?.number) this.answer(reply);
    else if (this.waiting?.transport === "state") this.expire(HEARD_TIMEOUT);
  }

  expire(/** @type {number} */ after) {
    const { waiting } = this;
    if (!waiting) return;
    clearTimeout(waiting.timer);
    waiting.timer = setTimeout(() => this.fail(waiting.number, ""), after);
  }

  /** The deck left the page: no reply comes there any more. */
  unplug() {
    if (this.waiting?.transport === "state") this.settle();
    this.pump();
  }

  /** A reply counts once, and only for the message that is waited for. */
  answer(/** @type {Reply} */ reply) {
    if (this.waiting?.number !== reply.message) return;
    if (reply.error) return this.fail(reply.message, reply.error, reply.status);
    const { transport, first } = this.waiting;
    this.settle();
    this.preferred = transport;
    this.failures = 0;
    this.trouble = "";
    this.deck.receive(reply);
    if (first && this.deck.outbox.holds(first)) this.again(RETRY[0]); // answered, yet not stored
    else this.pump();
  }

  again(/** @type {number} */ wait) {
    this.retry = setTimeout(() => this.hurry(), wait);
  }

  /** Message `number` was not answered; `sentence` says why, where that is known.
   * @param {number} number
   * @param {string} sentence
   * @param {number} [status] */
  fail(number, sentence, status) {
    if (this.waiting?.number !== number) return;
    if (this.waiting.transport === this.preferred) this.preferred = "post";
    this.settle();
    const wait = RETRY[Math.min(this.failures, RETRY.length - 1)];
    this.failures += 1;
    this.refused = status === 401 || status === 403;
    this.trouble = this.refused ? `${sentence} Reload this page: your decisions wait in this browser.` : sentence;
    this.again(wait);
    this.deck.failed();
  }

  settle() {
    clearTimeout(this.waiting?.timer);
    this.waiting?.abort.abort();
    this.waiting = null;
  }

  /** The page goes away: everything unsaved, and the samples back, in one message without reply. */
  farewell() {
    if (!this.deck.outbox.size && !this.deck.queue.length) return;
    const message = { ...this.deck.compose(++this.number), want: 0, release: true };
    message.decisions = message.decisions.slice(0, 200); // a beacon holds 64 kB; the rest is in localStorage
    navigator.sendBeacon(this.deck.url, new Blob([JSON.stringify(message)], { type: "application/json" }));
  }
}
