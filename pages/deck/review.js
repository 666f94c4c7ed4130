// @ts-check
/* The deck in review mode: labels that exist already, each to be kept or changed. One's own earlier
   decisions are those of this tab. */

import { COMMANDS } from "./commands.js";
import { tell } from "./dom.js";
import { KEY_HELP } from "./keys.js";
import { commentOf, labeling } from "./labeling.js";
import { ListScreen, PUTTING_OFF, opinion, putOff } from "./list.js";

/** @import { Finding, KeyHelp, Policy, Verdict } from "./types.d.ts" */

/** @type {KeyHelp} */
const REVIEW_KEYS = [
  ["Enter K", "keep the label"],
  ["⌫", "take the decision shown, or the last one, back"],
  ["← →", "back and forth through your decisions; keep or change the one shown again"],
  ...KEY_HELP.slice(2),
];

class ReviewScreen extends ListScreen {
  /** @override
   * @param {Verdict | null | undefined} verdict
   * @param {string} before */
  showVerdict(verdict, before) {
    super.showVerdict(verdict, before);
    if (!verdict || verdict.kept === undefined) this.part.verdict.hidden = true;
    else tell(this.part.verdict, `${before}${verdict.kept ? "kept" : "changed to"} `, verdict.category ?? "");
  }

  /** @override */
  showFinding(/** @type {Finding} */ entry) {
    const { given, annotator, labeled_at, suggested, category } = entry;
    const when = new Date(labeled_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const opinions = [
      opinion(given, `by ${annotator}, ${when}`, this.colorOf(given)),
      opinion(suggested, `the model, ${percent(entry.suggested_probability)}`, this.colorOf(suggested)),
    ];
    this.part.opinions.replaceChildren(...opinions);
    tell(this.part.keep, "Keep ", category ?? "");
    /** @type {Record<string, number>} */
    const known = { [suggested]: entry.suggested_probability, [given]: entry.given_probability };
    /** @type {Record<string, [string, number]>} */
    const shares = {};
    for (const [name, share] of Object.entries(known)) shares[name] = [percent(share), share];
    this.showShares(shares, "is the model's probability of it");
    for (const [name, { button }] of this.categories) button.toggleAttribute("data-suggested", name === suggested);
  }

  /** @override */
  emptiness() {
    const { known, finished, exchange, queue, more, decided } = this.deck;
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known || (more && !queue.length)) return "Loading samples…";
    if (!finished && !decided.length) return "Loading samples…";
    return decided.length ? "That was the whole list. Nothing is left to look at." : "Nothing is left to look at.";
  }
}

const percent = (/** @type {number} */ share) =>
  `${(100 * share).toFixed(share > 0.995 || share < 0.005 ? 1 : 0)} %`;

/** @type {Policy} */
export const reviewing = {
  ...labeling,
  ...PUTTING_OFF,
  keys: { Enter: "keep", k: "keep", K: "keep" },
  help: REVIEW_KEYS,
  Screen: ReviewScreen,
  skip: putOff,

  entryOf(sample) {
    return { ...sample, status: "LABELED", category: /** @type {Finding} */ (sample).given };
  },

  decide(deck, _action, category) {
    const entry = deck.current();
    if (!entry || deck.screen?.unseen) return;
    const kept = category === entry.category;
    /** @type {Verdict} */
    const verdict = { status: "LABELED", category, comment: commentOf(entry), kept };
    deck.record(entry, kept ? "keep" : "label", verdict);
    Object.assign(entry, verdict, { draft: undefined });
    if (deck.cursor !== null) return COMMANDS.next(deck);
    deck.decided.push(...deck.queue.splice(0, 1));
    deck.latest = verdict;
  },

  /** The label is what it was before it was looked at. */
  undo(deck) {
    const at = deck.cursor ?? deck.decided.length - 1;
    const entry = /** @type {Finding | null | undefined} */ (deck.decided[at]);
    if (!entry) return;
    deck.record(entry, "undo", { status: "LABELED", category: entry.given });
    deck.decided.splice(at, 1);
    deck.queue.unshift({ ...entry, category: entry.given });
    deck.cursor = null;
    deck.latest = null;
  },

  keepComment() {}, // it goes with the decision

  missing() {
    return null;
  },

  remember() {},
};
