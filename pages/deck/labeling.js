// @ts-check
/* The deck as it labels new samples; one's own decisions can be gone back to, all of them. */

import { COMMANDS } from "./commands.js";
import { KEY_HELP } from "./keys.js";
import { DeckScreen } from "./screen.js";

/** @import { Deck } from "./deck.js" */
/** @import { Entry, Policy, Verdict } from "./types.d.ts" */

export const commentOf = (/** @type {Entry} */ entry) => (entry.draft ?? entry.comment ?? "").trim() || null;

/** @type {Policy} */
export const labeling = {
  keys: { Enter: "find", Delete: "skip" },
  skipKeys: ["Del", "⇧+→"],
  skipHelp: "skip this sample",
  help: KEY_HELP,
  Screen: DeckScreen,

  entryOf({ sample_id, view }) {
    return { sample_id, view };
  },

  decide(deck, action, category) {
    const entry = deck.current();
    if (!entry || (action === "label" && deck.screen?.unseen)) return;
    /** @type {Verdict} */
    const verdict = { status: action === "label" ? "LABELED" : "SKIPPED", category, comment: commentOf(entry) };
    deck.record(entry, action, verdict);
    if (deck.cursor !== null) {
      Object.assign(entry, verdict, { draft: undefined });
      return COMMANDS.next(deck);
    }
    deck.queue.shift();
    const decided = { ...deck.policy.entryOf(entry), ...verdict };
    deck.latest = decided;
    deck.decided.push(decided);
  },

  skip(deck) {
    deck.policy.decide(deck, "skip", null);
  },

  undo(deck) {
    const at = deck.cursor ?? deck.decided.length - 1;
    const entry = deck.decided[at];
    if (!entry) return;
    deck.record(entry, "undo", null);
    deck.decided.splice(at, 1);
    deck.queue.unshift({ ...deck.policy.entryOf(entry), draft: entry.comment ?? "" });
    deck.cursor = null;
    deck.latest = null;
  },

  /** The comment on an undecided sample waits for the decision; on a decided one it is saved now. */
  keepComment(deck) {
    const entry = deck.current();
    if (!entry?.status || entry.draft === undefined || commentOf(entry) === entry.comment) return;
    entry.comment = commentOf(entry);
    deck.record(entry, entry.status === "LABELED" ? "label" : "skip", /** @type {Verdict} */ (entry));
    deck.show();
    deck.exchange.pump();
  },

  missing(deck) {
    const { cursor, decided, known, screen } = deck;
    if (!screen) return null;
    if (!known) return { index: -1, count: 30 };
    const at = cursor ?? decided.length - 1;
    const hole = [at, at - 8, at + 8].find((i) => i >= 0 && i < decided.length && !(i in decided));
    return hole === undefined ? null : { index: Math.max(0, hole - 20), count: 41 };
  },

  /** Only when the server knows all we know: otherwise it is asked for again with the next message. */
  remember(deck, { mine, revised }, history, doubt) {
    if (deck.outbox.size) return;
    if (mine !== deck.decided.length || revised !== deck.revised || doubt) forget(deck, mine);
    deck.revised = revised;
    const { cursor, decided } = deck;
    history?.decisions.forEach((decision, i) => {
      const at = history.index + i;
      if (at < mine && at !== cursor) decided[at] = decision;
      else if (at < mine) decided[at] ??= decision;
    });
    const asked = history && deck.asked.history;
    if (!asked) return;
    const start = asked.index < 0 ? Math.max(0, mine - asked.count) : asked.index;
    for (let i = start; i < Math.min(mine, start + asked.count); i++) decided[i] ??= null;
  },
};

/** Decided in another tab, or changed on another page: fetch again what is looked at, keep what is
 * on the screen.
 * @param {Deck} deck
 * @param {number} mine how many decisions there are */
function forget(deck, mine) {
  const shown = deck.current();
  deck.decided = new Array(mine);
  if (deck.cursor === null) return;
  if (deck.cursor >= mine) deck.cursor = null;
  else if (shown) deck.decided[deck.cursor] = shown;
}
