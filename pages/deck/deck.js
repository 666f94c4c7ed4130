// @ts-check
/* The deck: what is prefetched, what is decided, which sample is on the screen.
   It outlives its place in the page (Streamlit switches pages without a reload), so that the outbox
   goes on being sent; `screen` is that place, or null. What it is for is its policy; see modes.js. */

import { atBase } from "./address.js";
import { COMMANDS, writingIn } from "./commands.js";
import { afterPaint } from "./dom.js";
import { Exchange } from "./exchange.js";
import { countsWith, notAccepted, whoHas } from "./news.js";
import { Outbox } from "./outbox.js";
import { VIEWS } from "./views.js";
import { WorkTime } from "./work_time.js";

/** @import { DeckScreen } from "./screen.js" */
/** @import { Action, Category, Command, Counts, Entry, Field, Learning } from "./types.d.ts" */
/** @import { Message, Mounted, Piece, Policy, Reply, Sample, State, Verdict, View } from "./types.d.ts" */

const FIRST_DEPTH = 24; // samples asked for at first, so that the first one comes soon
const MOST_KEYS = 300; // that wait for their sample to be painted
const DECIDING = ["skip", "undo", "keep", "none"]; // commands, besides the categories

export class Deck {
  project = "";
  title = "";
  url = "";
  token = "";
  offered = ""; // stamp of the categories
  portion = 0; // samples sent at a time to somebody who is deciding
  /** @type {Category[]} */ categories = [];
  /** @type {View} */ view = VIEWS.record;
  /** @type {DeckScreen | null} */ screen = null;
  /** @type {Entry[]} */
  queue = []; // undecided samples, the first one is on the screen unless `cursor` is set
  more = 0; // in a list: how many follow those that are here
  /** @type {(Entry | null)[]} */
  decided = []; // own decisions, oldest first; holes are fetched when somebody comes near
  /** @type {number | undefined} */ revised; // how often they were changed elsewhere
  /** @type {number | null} */ cursor = null; // index of the decision on the screen
  /** @type {Verdict | null} */ latest = null;
  /** @type {Command[]} */ keys = []; // commands that wait for their sample to be painted
  painted = true;
  turn = 0; // number of the sample on the screen
  /** @type {Field | null} */ writing = null; // which one has the focus
  sought = ""; // what was typed to find a category
  walking = false; // the focus was moved by Tab, and not by a pointer since then
  known = false; // the server has answered once
  finished = false;
  starved = false; // the server had fewer samples than there was room for
  depth = FIRST_DEPTH;
  /** @type {{want: number, history: Piece | null}} */ asked = { want: 0, history: null };
  /** @type {Counts | null} */ counts = null;
  /** @type {Learning | null} */ learning = null;
  /** @type {string | null | undefined} */ notice;
  refusals = "";
  work = new WorkTime();
  /** @type {((message: Message) => void) | null} */ sendAsState = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ away; // until the samples are handed back

  /** @param {string} store prefix of the browser's storage
   * @param {Policy} policy */
  constructor(store, policy) {
    this.policy = policy;
    this.outbox = new Outbox(store);
    this.exchange = new Exchange(this);
  }

  /** Take what the page says; it says it again with every run. True if the categories are others.
   * @param {Mounted} data
   * @param {(name: string, value: unknown) => void} setStateValue */
  update({ project, title, url, token, portion, categories, offered, view }, setStateValue) {
    Object.assign(this, { project, title, url: atBase(url), token, portion });
    this.view = VIEWS[view];
    this.sendAsState = (message) => setStateValue("message", message);
    const changed = offered !== this.offered;
    Object.assign(this, { categories, offered, latest: null }); // it may have another name now
    return changed;
  }

  /** They were changed while this page was open; past decisions may be called otherwise now.
   * @param {Category[]} categories
   * @param {string} offered */
  changeCategories(categories, offered) {
    Object.assign(this, { categories, offered, latest: null }); // it may have another name now
    this.screen?.setCategories(categories);
  }

  /** It has a place in the page right now. */
  get placed() {
    return Boolean(this.screen?.root.isConnected);
  }

  current() {
    return this.cursor === null ? this.queue[0] : (this.decided[this.cursor] ?? undefined);
  }

  get unsaved() {
    return this.outbox.size + this.early;
  }

  /** Decisions that wait for their samples to be painted: a reload loses them. */
  get early() {
    const decides = (/** @type {Command} */ command) =>
      typeof command === "string" ? DECIDING.includes(command) : command.category;
    return this.keys.filter(decides).length;
  }

  /** The server's counts and what is on its way there; null before the first reply. */
  countsNow() {
    const changes = this.outbox.entries.flatMap(({ delta }) => delta);
    return this.counts && countsWith(this.counts, changes);
  }

  // Commands

  /** Do it now if the sample on the screen was painted; otherwise after that, one per frame. */
  press(/** @type {Command} */ command) {
    this.work.touch();
    // At once, whatever waits: what is typed next belongs to the search, and is no category's key.
    if (command === "find") return COMMANDS.find(this);
    const free = this.placed && !this.keys.length;
    if (free && (this.painted || command === "comment")) this.act(command);
    else if (this.keys.length < MOST_KEYS) this.keys.push(command === "comment" ? writingIn(command) : command);
    this.screen?.showSaved();
    this.exchange.pump();
  }

  /** Text typed behind a key that opens a field, and is still waiting, goes into that field. */
  spell(/** @type {string} */ key) {
    if (!this.placed) this.resume();
    const waiting = this.keys.at(-1);
    if (typeof waiting !== "object" || waiting.text === undefined || waiting.closed) return false;
    if (key === "Enter" || key === "Escape") waiting.closed = key;
    else if (key.length === 1) waiting.text += key;
    return true;
  }

  act(/** @type {Command} */ command) {
    if (typeof command === "string") COMMANDS[command](this);
    else if (command.category) this.policy.decide(this, "label", command.category);
    else if (command.view) this.screen?.tools.perform(command.view);
    else if (command.field) COMMANDS[command.field](this, command);
    this.show();
  }

  /** Work off the keys that waited, as far as a painted sample is there for them. */
  drain() {
    while (this.placed && this.painted && this.keys.length) {
      const onTheirWay = this.exchange.waiting && !this.finished;
      if (this.cursor === null && !this.queue.length && onTheirWay) break;
      for (const command of this.keys.splice(0, 1)) this.act(command);
    }
  }

  /** Put a decision into the outbox; `verdict` is what holds for the sample then.
   * @param {Entry} entry
   * @param {Action} action
   * @param {State & Partial<Verdict> | null} verdict */
  record(entry, action, verdict) {
    const { category = null, comment = null } = verdict ?? {};
    const { offered } = this; // by the names of this moment: they may change before it is sent
    const fields = { sample_id: entry.sample_id, action, category, comment, seconds: this.work.seconds(), offered };
    const before = entry.status && { status: entry.status, category: entry.category };
    const after = verdict && { status: verdict.status, category };
    this.outbox.add(fields, [[before, -1], [after, 1]]);
  }

  // The screen

  show() {
    if (!this.screen?.show()) return;
    this.painted = false;
    const turn = (this.turn += 1);
    const painted = () => afterPaint(() => turn === this.turn && this.placed && this.onPainted());
    const loading = this.view.loading?.(this.screen.front);
    if (loading) loading.then(painted);
    else painted();
  }

  /** What may be on the screen soon: the next samples, or the neighbours of the decision shown. */
  ahead() {
    const { cursor } = this;
    if (cursor === null) return this.queue.slice(1, 6);
    return [-1, 1, -2, 2].flatMap((step) => this.decided[cursor + step] ?? []);
  }

  onPainted() {
    this.painted = true;
    this.work.restart();
    this.drain();
    this.exchange.pump();
    if (!this.painted) return;
    this.screen?.prepare(this.cursor === null ? this.queue[1] : this.queue[0]);
    for (const { view } of this.ahead()) this.view.prefetch(view);
  }

  /** The place in which something was being written is gone: go on with it in the next one. */
  resume() {
    if (this.writing) this.keys.push(writingIn(this.writing));
    this.writing = null;
  }

  hush() {
    if (this.screen) this.view.leave?.(this.screen.front);
  }

  leave() {
    this.hush();
    this.screen = null;
    this.writing = null;
    this.keys = []; // their samples were never painted
    this.painted = true;
    this.sendAsState = null;
    this.exchange.unplug();
  }

  // The exchange

  /** How many more samples there is room for, once it is worth asking. */
  room() {
    const room = this.depth - this.queue.length;
    return this.screen && room >= Math.min(this.portion, this.depth / 2) ? room : 0;
  }

  urgent() {
    return Boolean(this.outbox.size || this.policy.missing(this) || (this.room() && !this.starved));
  }

  pause() {
    if (document.hidden) return 30000;
    return this.learning?.state === "running" || !this.queue.length ? 1500 : 5000;
  }

  /** @returns {Message} */
  compose(/** @type {number} */ message) {
    if (!this.outbox.size) this.outbox.adopt(); // of tabs that were closed meanwhile
    this.asked = { want: this.room(), history: this.policy.missing(this) };
    return {
      token: this.token,
      client: this.outbox.client,
      message,
      decisions: this.outbox.decisions(),
      holding: this.queue.map(({ sample_id }) => sample_id),
      screen: this.queue[0]?.sample_id ?? null, // or where the screen returns to
      version: this.learning?.version ?? 0,
      offered: this.offered,
      release: false,
      ...this.asked,
    };
  }

  receive(/** @type {Reply} */ reply) {
    const { stored = {}, refused = [], drop = [], samples = [], waiting } = reply;
    this.more = reply.more ?? 0;
    if (reply.categories) this.changeCategories(reply.categories, reply.offered);
    this.outbox.prune(stored, refused);
    if (refused.length) this.refusals = notAccepted(refused);
    const notice = waiting && whoHas(waiting);
    const { counts, learning, finished } = reply;
    Object.assign(this, { counts, learning, finished: Boolean(finished), notice, known: true });
    const away = new Set(drop);
    this.queue = this.queue.filter((one, i) => i === 0 || !away.has(one.sample_id));
    const before = this.queue.length;
    this.take(samples);
    this.starved = this.queue.length - before < this.asked.want;
    const doubt = refused.length > 0 || Boolean(reply.categories);
    this.policy.remember(this, counts, reply.history, doubt);
    this.show();
    if (this.painted) this.drain();
  }

  take(/** @type {Sample[]} */ samples) {
    const held = new Set(this.queue.map(({ sample_id }) => sample_id));
    const fresh = (/** @type {Sample} */ { sample_id }) => !held.has(sample_id) && !this.outbox.has(sample_id);
    for (const sample of samples.filter(fresh)) this.queue.push(this.policy.entryOf(sample));
    if (samples.length) this.depth = this.view.depth;
  }

  failed() {
    if (!this.screen) return;
    if (!this.queue.length) this.keys = [];
    this.show();
  }

  /** Its place is taken, or left for long: others may have the samples. */
  handBack() {
    if (this.screen || !this.queue.length) return;
    this.exchange.farewell();
    this.queue = [];
    this.starved = false;
  }

  /** Back from the browser's page cache: the samples were given back when the page went away. */
  comeBack() {
    this.queue = [];
    this.starved = false;
    this.show();
    this.exchange.hurry();
  }
}
