// @ts-check
/* The deck in adjudication mode: samples about which people disagree, each to be settled. All rulings
   that the server had when the page was opened can be gone back to, whoever made them. */

import { write } from "./dom.js";
import { KEY_HELP } from "./keys.js";
import { labeling } from "./labeling.js";
import { ListScreen, PUTTING_OFF, opinion, putOff } from "./list.js";

/** @import { Deck } from "./deck.js" */
/** @import { Counts, Dispute, Entry, KeyHelp, Policy, Verdict } from "./types.d.ts" */

/** @type {KeyHelp} */
const ADJUDICATION_KEYS = [
  ["Del", "no label: the sample is settled without one"],
  ["⌫", "take the ruling shown, or the last one, back: the sample waits again"],
  ["← →", "back and forth through the rulings; a category key changes the one shown"],
  ...KEY_HELP.slice(2),
];

class AdjudicationScreen extends ListScreen {
  /** @param {HTMLElement} root
   * @param {Deck} deck */
  constructor(root, deck) {
    super(root, deck);
    this.part.decide.dataset.do = "none";
    /** @type {ChildNode} */ (this.part.decide.firstChild).textContent = "Del";
    write(this.part.keep, "No label");
  }

  /** @override */
  showTotals(/** @type {Counts} */ counts) {
    super.showTotals(counts);
    write(this.part["skipped-word"], "without a label");
    write(this.part["total-word"], "disagreements");
  }

  /** @override */
  sayDecision(/** @type {Partial<Verdict>} */ { category }) {
    return category ?? "no label";
  }

  /** @override */
  showDecision(/** @type {Entry | undefined} */ entry) {
    super.showDecision(entry);
    this.part.decide.setAttribute("aria-pressed", String(entry?.status === "SKIPPED"));
  }

  /** @override */
  showFinding(/** @type {Dispute} */ { opinions }) {
    const said = opinions.map(({ annotator, category, comment }) => {
      const whose = comment ? `${annotator}: “${comment}”` : annotator;
      return opinion(category ?? "skipped", whose, this.colorOf(category));
    });
    this.part.opinions.replaceChildren(...said);
    const votes = opinions.flatMap(({ category }) => category ?? []);
    /** @type {Record<string, [string, number]>} */
    const shares = {};
    for (const category of votes) {
      const number = votes.filter((each) => each === category).length;
      shares[category] = [`${number} of ${opinions.length}`, number / opinions.length];
    }
    this.showShares(shares, "people chose it");
  }

  /** @override */
  emptiness() {
    const { known, finished, exchange, queue, more, cursor } = this.deck;
    if (cursor !== null) return super.emptiness();
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known || !finished || (more && !queue.length)) return "Loading samples…";
    return "No disagreement waits.";
  }
}

/** @type {Policy} */
export const adjudicating = {
  ...labeling,
  ...PUTTING_OFF,
  keys: { Delete: "none", Enter: "find" },
  help: ADJUDICATION_KEYS,
  Screen: AdjudicationScreen,
  skip: putOff,

  entryOf(sample) {
    const { sample_id, view, opinions } = /** @type {Dispute} */ (sample);
    return /** @type {Dispute} */ ({ sample_id, view, opinions });
  },

  /** All there are, once. */
  missing({ known }) {
    return known ? null : { index: -1, count: 200 };
  },

  remember(deck, _counts, history) {
    if (history) deck.decided = history.decisions;
  },
};
