/* The deck in review mode: a list of labels that exist already, each to be kept or changed. What is
   left of the list comes from the server; nothing is reserved, and one's own earlier decisions are
   those of this tab. */

const REVIEW_KEYS = [
  ["Enter K", "keep the label"],
  ["Tab", "later: to the end of the list, nothing is decided"],
  ["⌫", "take the decision shown, or the last one, back"],
  ["← →", "back and forth through your decisions; keep or change the one shown again"],
  ...KEY_HELP.slice(3),
];

class ReviewDeck extends Deck {
  constructor(store) {
    super(store);
    this.more = 0; // how many follow those that are here
    this.moreKeys = { Enter: "keep", k: "keep", K: "keep" };
    this.keyHelp = REVIEW_KEYS;
  }

  makeScreen(root) {
    return new ReviewScreen(root, this);
  }

  get position() {
    return { at: (this.cursor ?? this.decided.length) + 1, of: this.decided.length + this.queue.length + this.more };
  }

  entryOf(finding) {
    return { ...finding, status: "LABELED", category: finding.given };
  }

  keep() {
    const entry = this.current();
    if (entry) this.decide("label", entry.category);
  }

  decide(action, category) {
    const entry = this.current();
    if (!entry || this.screen.unseen) return;
    const decision = { status: "LABELED", category, comment: commentOf(entry), kept: category === entry.category };
    this.record(entry, decision.kept ? "keep" : "label", decision);
    Object.assign(entry, decision, { draft: undefined });
    if (this.cursor !== null) return this.next();
    this.decided.push(this.queue.shift());
    this.latest = decision;
  }

  /** Later: nothing is decided. */
  skip() {
    if (this.cursor === null && this.queue.length) this.queue.push(this.queue.shift());
  }

  undo() {
    const at = this.cursor ?? this.decided.length - 1;
    const entry = this.decided[at];
    if (!entry) return;
    this.record(entry, "undo", { status: "LABELED", category: entry.given });
    this.decided.splice(at, 1);
    this.queue.unshift({ ...entry, category: entry.given });
    this.cursor = null;
    this.latest = null;
  }

  keepComment() {} // it goes with the decision

  missing() {
    return null;
  }

  remember() {}

  receive(reply) {
    this.more = reply.more;
    super.receive(reply);
  }
}

class ReviewScreen extends Screen {
  constructor(root, deck) {
    super(root, deck);
    this.part.finding.hidden = false;
    this.button.skip.lastChild.textContent = "Later";
  }

  showDecision(entry) {
    super.showDecision(entry);
    const { at, of } = this.deck.position;
    write(this.part.place, entry ? `${grouped(at)} of ${grouped(of)}` : "");
    this.button.skip.setAttribute("aria-pressed", "false");
    this.button.skip.disabled = !entry || this.deck.cursor !== null;
    this.showFinding(entry);
  }

  showVerdict(decision, before) {
    super.showVerdict(decision, before);
    if (!decision || decision.kept === undefined) return (this.part.verdict.hidden = true);
    write(this.part.verdict, `${before}${decision.kept ? "kept" : "changed to"} ${decision.category}`);
  }

  showFinding(entry) {
    this.part.finding.hidden = !entry;
    if (!entry) return;
    const { given, annotator, labeled_at, suggested, category } = entry;
    const when = new Date(labeled_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    write(this.part.given, `${given} · by ${annotator}, ${when}`);
    write(this.part.suggested, `${suggested} · the model, ${percent(entry.suggested_probability)}`);
    write(this.part.keep, `Keep ${category}`);
    for (const [part, name] of [[this.part.given, given], [this.part.suggested, suggested]]) {
      const color = this.categories.get(name)?.button.style.getPropertyValue("--category");
      part.style.setProperty("--category", color || "currentColor");
    }
    for (const [name, { button, share, bar }] of this.categories) {
      const known = { [suggested]: entry.suggested_probability, [given]: entry.given_probability }[name];
      button.toggleAttribute("data-suggested", name === suggested);
      write(share, known === undefined ? "" : percent(known));
      bar.style.transform = `scaleX(${known ?? 0})`;
    }
  }

  /** The categories' bars are probabilities here. */
  showCounts() {
    const counts = this.deck.countsNow();
    if (!counts) return;
    for (const name of ["labeled", "skipped", "total"]) write(this.part[name], grouped(counts[name]));
    const { at, of } = this.deck.position;
    this.part.done.style.width = `${of ? (100 * (at - 1)) / of : 0}%`;
  }

  emptiness() {
    const { known, finished, exchange, queue, more, decided } = this.deck;
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known || (more && !queue.length)) return "Loading samples…";
    if (!finished && !decided.length) return "Loading samples…";
    return decided.length ? "That was the whole list. Nothing is left to look at." : "Nothing is left to look at.";
  }
}

const percent = (share) => `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;
