/* The deck: what is prefetched, what is decided, which sample is on the screen.
   It outlives its place in the page (Streamlit switches pages without a reload), so that the outbox
   goes on being sent; `screen` is that place, or null. */

const FIRST_DEPTH = 24; // samples asked for at first, so that the first one comes soon
const PORTION = 32; // samples sent at a time to somebody who is deciding; as exchange.py
const LONGEST = 120000; // ms without any input that still count as work on a sample
const MOST_KEYS = 300; // that wait for their sample to be painted

class Deck {
  constructor(store) {
    this.outbox = new Outbox(store);
    this.exchange = new Exchange(this);
    this.screen = null;
    this.queue = []; // undecided samples, the first one is on the screen unless `cursor` is set
    this.decided = []; // own decisions, oldest first; holes are fetched when somebody comes near
    this.cursor = null; // index of the decision on the screen
    this.keys = []; // commands that wait for their sample to be painted
    this.painted = true;
    this.writing = false; // a comment has the focus
    this.known = false; // the server has answered once
    this.depth = FIRST_DEPTH;
    this.active = { time: 0, since: 0 };
    this.refusals = "";
    this.moreKeys = {}; // key -> command, besides KEYS
    this.keyHelp = KEY_HELP;
  }

  makeScreen(root) {
    return new Screen(root, this);
  }

  /** Take what the page says; it says it again with every run. */
  update({ project, title, url, token, categories, offered, view }, setStateValue) {
    Object.assign(this, { project, title, url, token });
    this.view = views[view];
    this.sendAsState = (message) => setStateValue("message", message);
    const changed = offered !== this.offered;
    Object.assign(this, { categories, offered, latest: null }); // it may have another name now
    return changed;
  }

  /** They were changed while this page was open; past decisions may be called otherwise now. */
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
    const decides = (command) => command.category || ["skip", "undo", "keep", "none"].includes(command);
    return this.outbox.size + this.keys.filter(decides).length;
  }

  /** The server's counts and what is on its way there; null before the first reply. */
  countsNow() {
    if (!this.counts) return null;
    const now = { ...this.counts, categories: { ...this.counts.categories } };
    for (const [decision, step] of this.outbox.entries.flatMap(({ delta }) => delta)) {
      if (decision?.status === "LABELED") {
        now.labeled += step;
        now.categories[decision.category] = (now.categories[decision.category] ?? 0) + step;
      } else if (decision) now.skipped += step;
    }
    return now;
  }

  // Commands

  /** Do it now if the sample on the screen was painted; otherwise after that, one per frame. */
  press(command) {
    this.touch();
    const free = this.placed && !this.keys.length;
    if (free && (this.painted || command === "comment")) this.act(command);
    else if (this.keys.length < MOST_KEYS) this.keys.push(command === "comment" ? { text: "" } : command);
    this.screen.showSaved();
    this.exchange.pump();
  }

  /** Text typed behind a comment key that is still waiting goes into that comment. */
  spell(key) {
    if (!this.placed) this.resume();
    const waiting = this.keys.at(-1);
    if (waiting?.text === undefined || waiting.closed) return false;
    if (key === "Enter" || key === "Escape") waiting.closed = true;
    else if (key.length === 1) waiting.text += key;
    return true;
  }

  act(command) {
    if (command.category) this.decide("label", command.category);
    else if (command.view) this.screen.perform(command.view);
    else if (command.text !== undefined) this.comment(command);
    else this[command]();
    this.show();
  }

  /** Work off the keys that waited, as far as a painted sample is there for them. */
  drain() {
    while (this.placed && this.painted && this.keys.length) {
      const onTheirWay = this.exchange.waiting && !this.finished;
      if (this.cursor === null && !this.queue.length && onTheirWay) break;
      this.act(this.keys.shift());
    }
  }

  decide(action, category) {
    const entry = this.current();
    if (!entry || (action === "label" && this.screen.unseen)) return;
    const decision = { status: action === "label" ? "LABELED" : "SKIPPED", category, comment: commentOf(entry) };
    this.record(entry, action, decision);
    if (this.cursor !== null) {
      Object.assign(entry, decision, { draft: undefined });
      return this.next();
    }
    this.queue.shift();
    this.latest = { ...this.entryOf(entry), ...decision };
    this.decided.push(this.latest);
  }

  record(entry, action, decision) {
    const { category = null, comment = null } = decision ?? {};
    const fields = { sample_id: entry.sample_id, action, category, comment, seconds: this.seconds() };
    fields.offered = this.offered; // by the names of this moment: they may change before it is sent
    const before = entry.status && { status: entry.status, category: entry.category };
    const after = decision && { status: decision.status, category };
    this.outbox.add(fields, [[before, -1], [after, 1]]);
  }

  skip() {
    this.decide("skip", null);
  }

  undo() {
    const at = this.cursor ?? this.decided.length - 1;
    const entry = this.decided[at];
    if (!entry) return;
    this.record(entry, "undo", null);
    this.decided.splice(at, 1);
    this.queue.unshift({ ...this.entryOf(entry), draft: entry.comment ?? "" });
    this.cursor = null;
    this.latest = null;
  }

  back() {
    const at = this.cursor ?? this.decided.length;
    if (at > 0) this.cursor = at - 1;
  }

  next() {
    if (this.cursor !== null) this.cursor = this.cursor + 1 < this.decided.length ? this.cursor + 1 : null;
  }

  first() {
    if (this.decided.length) this.cursor = 0;
  }

  last() {
    this.cursor = null;
  }

  comment({ text = "", closed = false } = {}) {
    const entry = this.current();
    if (!entry) return;
    const field = this.screen.part.comment;
    if (text) entry.draft = field.value += text;
    if (closed) this.keepComment();
    else field.focus();
  }

  /** The comment on an undecided sample waits for the decision; on a decided one it is saved now. */
  keepComment() {
    const entry = this.current();
    if (!entry?.status || entry.draft === undefined || commentOf(entry) === entry.comment) return;
    entry.comment = commentOf(entry);
    this.record(entry, entry.status === "LABELED" ? "label" : "skip", entry);
    this.show();
    this.exchange.pump();
  }

  up() {
    this.screen.scroll(-1);
  }

  down() {
    this.screen.scroll(1);
  }

  help() {
    this.screen.toggleHelp();
  }

  dismiss() {
    this.refusals = "";
  }

  // Time spent on the sample on the screen: the tab visible, long pauses cut

  touch(counts = !document.hidden) {
    const now = performance.now();
    if (counts) this.active.time += Math.min(now - this.active.since, LONGEST);
    this.active.since = now;
  }

  seconds() {
    this.touch();
    return Math.round(this.active.time / 10) / 100;
  }

  // The screen

  show() {
    if (!this.screen?.show()) return;
    this.painted = false;
    const turn = (this.turn = (this.turn ?? 0) + 1);
    const painted = () => afterPaint(() => turn === this.turn && this.placed && this.onPainted());
    const loading = this.view.loading?.(this.screen.front);
    if (loading) loading.then(painted);
    else painted();
  }

  /** What may be on the screen soon: the next samples, or the neighbours of the decision shown. */
  ahead() {
    if (this.cursor === null) return this.queue.slice(1, 6);
    return [-1, 1, -2, 2].map((step) => this.decided[this.cursor + step]).filter(Boolean);
  }

  onPainted() {
    this.painted = true;
    this.active = { time: 0, since: performance.now() };
    this.drain();
    this.exchange.pump();
    if (!this.painted) return;
    this.screen.prepare(this.cursor === null ? this.queue[1] : this.queue[0]);
    for (const { view } of this.ahead()) this.view.prefetch(view);
  }

  /** The place in which a comment was being written is gone: go on with it in the next one. */
  resume() {
    if (this.writing) this.keys.push({ text: "" });
    this.writing = false;
  }

  hush() {
    this.view.leave?.(this.screen.front);
  }

  leave() {
    this.hush();
    this.screen = null;
    this.writing = false;
    this.keys = []; // their samples were never painted
    this.painted = true;
    this.sendAsState = null;
    this.exchange.unplug();
  }

  // The exchange

  /** How many more samples there is room for, once it is worth asking. */
  room() {
    const room = this.depth - this.queue.length;
    return this.screen && room >= Math.min(PORTION, this.depth / 2) ? room : 0;
  }

  /** The piece of one's own decisions that is not here and may be wanted soon. */
  missing() {
    if (!this.screen) return null;
    if (!this.known) return { index: -1, count: 30 };
    const at = this.cursor ?? this.decided.length - 1;
    const hole = [at, at - 8, at + 8].find((i) => i >= 0 && i < this.decided.length && !(i in this.decided));
    return hole === undefined ? null : { index: Math.max(0, hole - 20), count: 41 };
  }

  urgent() {
    return Boolean(this.outbox.size || this.missing() || (this.room() && !this.starved));
  }

  pause() {
    if (document.hidden) return 30000;
    return this.learning?.state === "running" || !this.queue.length ? 1500 : 5000;
  }

  compose(message) {
    if (!this.outbox.size) this.outbox.adopt(); // of tabs that were closed meanwhile
    this.asked = { want: this.room(), history: this.missing() };
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

  receive(reply) {
    const { stored = {}, refused = [], counts, learning, drop = [], samples = [], finished, waiting, history } = reply;
    if (reply.categories) this.changeCategories(reply.categories, reply.offered);
    this.outbox.prune(stored, refused);
    this.refuse(refused);
    const notice = waiting && whoHas(waiting);
    Object.assign(this, { counts, learning, finished: Boolean(finished), notice, known: true });
    const away = new Set(drop);
    this.queue = this.queue.filter((one, i) => i === 0 || !away.has(one.sample_id));
    const before = this.queue.length;
    this.take(samples);
    this.starved = this.queue.length - before < this.asked.want;
    this.remember(counts, history, refused.length > 0 || Boolean(reply.categories));
    this.show();
    if (this.painted) this.drain();
  }

  take(samples) {
    const held = new Set(this.queue.map(({ sample_id }) => sample_id));
    const fresh = ({ sample_id }) => !held.has(sample_id) && !this.outbox.has(sample_id);
    for (const sample of samples.filter(fresh)) this.queue.push(this.entryOf(sample));
    if (samples.length) this.depth = this.view.depth;
  }

  /** What is known of a sample before it is decided. */
  entryOf({ sample_id, view }) {
    return { sample_id, view };
  }

  refuse(refused) {
    if (!refused.length) return;
    const reasons = [...new Set(refused.map(({ reason }) => reason))].join(" ");
    const subject = refused.length === 1 ? "A decision was" : `${refused.length} decisions were`;
    this.refusals = `${subject} not accepted. ${reasons}`;
  }

  /** Put the piece of history where it belongs. Only when the server knows all we know: otherwise
      it is asked for again with the next message. */
  remember({ mine, revised }, history, doubt) {
    if (this.outbox.size) return;
    if (mine !== this.decided.length || revised !== this.revised || doubt) this.forget(mine);
    this.revised = revised;
    history?.decisions.forEach((decision, i) => {
      const at = history.index + i;
      if (at < mine && at !== this.cursor) this.decided[at] = decision;
      else if (at < mine) this.decided[at] ??= decision;
    });
    const asked = history && this.asked.history;
    if (!asked) return;
    const start = asked.index < 0 ? Math.max(0, mine - asked.count) : asked.index;
    for (let i = start; i < Math.min(mine, start + asked.count); i++) this.decided[i] ??= null;
  }

  /** Decided in another tab, or changed on another page: fetch again what is looked at, keep what
      is on the screen. */
  forget(mine) {
    const shown = this.current();
    this.decided = new Array(mine);
    if (this.cursor >= mine) this.cursor = null;
    else if (this.cursor !== null && shown) this.decided[this.cursor] = shown;
  }

  failed() {
    if (!this.screen) return;
    if (!this.queue.length) this.keys = [];
    this.show();
  }

  /** Back from the browser's page cache: the samples were given back when the page went away. */
  /** Its place is taken, or left for long: others may have the samples. */
  handBack() {
    if (this.screen || !this.queue.length) return;
    this.exchange.farewell();
    this.queue = [];
    this.starved = false;
  }

  comeBack() {
    this.queue = [];
    this.starved = false;
    this.show();
    this.exchange.hurry();
  }
}

const commentOf = (entry) => (entry.draft ?? entry.comment ?? "").trim() || null;

/** Where the last samples are, and until when (in this browser's time zone) unless they come back. */
function whoHas({ samples, own, until }) {
  const time = new Date(until * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const where = own ? "in another tab of yours" : "with another annotator";
  return `${samples} ${samples === 1 ? "sample is" : "samples are"} ${where} until ${time}.`;
}
