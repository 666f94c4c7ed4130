/* The deck on a list, and in review mode: labels that exist already, each to be kept or changed.
   What is left of the list comes from the server; nothing is reserved. */

class ListDeck extends Deck {
  constructor(store) {
    super(store);
    this.more = 0; // how many follow those that are here
  }

  get position() {
    return { at: (this.cursor ?? this.decided.length) + 1, of: this.decided.length + this.queue.length + this.more };
  }

  /** Later: nothing is decided. */
  skip() {
    if (this.cursor === null && this.queue.length) this.queue.push(this.queue.shift());
  }

  receive(reply) {
    this.more = reply.more;
    super.receive(reply);
  }
}

class ListScreen extends Screen {
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
    this.part.finding.hidden = !entry;
    if (entry) this.showFinding(entry);
  }

  /** The categories' bars are not shares of the labels here. */
  showCounts() {
    const counts = this.deck.countsNow();
    if (!counts) return;
    this.showTotals(counts);
    const { at, of } = this.deck.position;
    this.part.done.style.width = `${of ? (100 * (at - 1)) / of : 0}%`;
  }

  colorOf(name) {
    return this.categories.get(name)?.button.style.getPropertyValue("--category") || "currentColor";
  }

  /** `shares` is {category: [text, 0..1]}; `meaning` says of what. */
  showShares(shares, meaning) {
    for (const [name, { share, bar }] of this.categories) {
      const [text, part] = shares[name] ?? ["", 0];
      this.showShare(share, text, meaning);
      bar.style.transform = `scaleX(${part})`;
    }
  }
}

const REVIEW_KEYS = [
  ["Enter K", "keep the label"],
  ["Tab", "later: to the end of the list, nothing is decided"],
  ["⌫", "take the decision shown, or the last one, back"],
  ["← →", "back and forth through your decisions; keep or change the one shown again"],
  ...KEY_HELP.slice(3),
];

/* One's own earlier decisions are those of this tab. */
class ReviewDeck extends ListDeck {
  constructor(store) {
    super(store);
    this.moreKeys = { Enter: "keep", k: "keep", K: "keep" };
    this.keyHelp = REVIEW_KEYS;
  }

  makeScreen(root) {
    return new ReviewScreen(root, this);
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
}

class ReviewScreen extends ListScreen {
  showVerdict(decision, before) {
    super.showVerdict(decision, before);
    if (!decision || decision.kept === undefined) return (this.part.verdict.hidden = true);
    write(this.part.verdict, `${before}${decision.kept ? "kept" : "changed to"} ${decision.category}`);
  }

  showFinding(entry) {
    const { given, annotator, labeled_at, suggested, category } = entry;
    const when = new Date(labeled_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const opinions = [
      opinion(given, `by ${annotator}, ${when}`, this.colorOf(given)),
      opinion(suggested, `the model, ${percent(entry.suggested_probability)}`, this.colorOf(suggested)),
    ];
    this.part.opinions.replaceChildren(...opinions);
    write(this.part.keep, `Keep ${category}`);
    const known = { [suggested]: entry.suggested_probability, [given]: entry.given_probability };
    const shares = Object.entries(known).map(([name, share]) => [name, [percent(share), share]]);
    this.showShares(Object.fromEntries(shares), "is the model's probability of it");
    for (const [name, { button }] of this.categories) button.toggleAttribute("data-suggested", name === suggested);
  }

  emptiness() {
    const { known, finished, exchange, queue, more, decided } = this.deck;
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known || (more && !queue.length)) return "Loading samples…";
    if (!finished && !decided.length) return "Loading samples…";
    return decided.length ? "That was the whole list. Nothing is left to look at." : "Nothing is left to look at.";
  }
}

/** A label and whose it is, with its colour. */
function opinion(label, whose, color) {
  const line = node("p", "", `${label} · ${whose}`);
  line.style.setProperty("--category", color);
  return line;
}

const percent = (share) => `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;
