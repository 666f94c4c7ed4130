/* The deck in adjudication mode: samples about which people disagree, each to be settled. All rulings
   that the server had when the page was opened can be gone back to, whoever made them. */

const ADJUDICATION_KEYS = [
  ["Del", "no label: the sample is settled without one"],
  ["Tab", "later: to the end of the list, nothing is decided"],
  ["⌫", "take the ruling shown, or the last one, back: the sample waits again"],
  ["← →", "back and forth through the rulings; a category key changes the one shown"],
  ...KEY_HELP.slice(3),
];

class AdjudicationDeck extends ListDeck {
  constructor(store) {
    super(store);
    this.moreKeys = { Delete: "none" };
    this.keyHelp = ADJUDICATION_KEYS;
  }

  makeScreen(root) {
    return new AdjudicationScreen(root, this);
  }

  entryOf({ sample_id, view, opinions }) {
    return { sample_id, view, opinions };
  }

  none() {
    this.decide("skip", null);
  }

  /** All there are, once. */
  missing() {
    return this.known ? null : { index: -1, count: 200 };
  }

  remember(counts, history) {
    if (history) this.decided = history.decisions;
  }
}

class AdjudicationScreen extends ListScreen {
  constructor(root, deck) {
    super(root, deck);
    this.part.decide.dataset.do = "none";
    this.part.decide.firstChild.textContent = "Del";
    write(this.part.keep, "No label");
  }

  showTotals(counts) {
    super.showTotals(counts);
    write(this.part["skipped-word"], "without a label");
    write(this.part["total-word"], "disagreements");
  }

  sayDecision({ category }) {
    return category ?? "no label";
  }

  showDecision(entry) {
    super.showDecision(entry);
    this.part.decide.setAttribute("aria-pressed", String(entry?.status === "SKIPPED"));
  }

  showFinding({ opinions }) {
    const said = opinions.map(({ annotator, category, comment }) => {
      const whose = comment ? `${annotator}: “${comment}”` : annotator;
      return opinion(category ?? "skipped", whose, this.colorOf(category));
    });
    this.part.opinions.replaceChildren(...said);
    const votes = opinions.filter(({ category }) => category !== null);
    const shares = {};
    for (const { category } of votes) {
      const number = votes.filter((each) => each.category === category).length;
      shares[category] = [`${number} of ${opinions.length}`, number / opinions.length];
    }
    this.showShares(shares, "people chose it");
  }

  emptiness() {
    const { known, finished, exchange, queue, more, cursor } = this.deck;
    if (cursor !== null) return super.emptiness();
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known || !finished || (more && !queue.length)) return "Loading samples…";
    return "No disagreement waits.";
  }
}
