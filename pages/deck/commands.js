// @ts-check
/* What a key or a button may do, by name. */

/** @import { Deck } from "./deck.js" */
/** @import { CommandName, Gesture } from "./types.d.ts" */

/** @satisfies {Record<CommandName, (deck: Deck) => void>} */
export const COMMANDS = {
  skip: (/** @type {Deck} */ deck) => deck.policy.skip(deck),

  undo: (/** @type {Deck} */ deck) => deck.policy.undo(deck),

  /** The label stays what it is. */
  keep(/** @type {Deck} */ deck) {
    const entry = deck.current();
    if (entry) deck.policy.decide(deck, "label", entry.category ?? null);
  },

  /** There is no label to be given. */
  none: (/** @type {Deck} */ deck) => deck.policy.decide(deck, "skip", null),

  back(/** @type {Deck} */ deck) {
    const at = deck.cursor ?? deck.decided.length;
    if (at > 0) deck.cursor = at - 1;
  },

  next(/** @type {Deck} */ deck) {
    if (deck.cursor !== null) deck.cursor = deck.cursor + 1 < deck.decided.length ? deck.cursor + 1 : null;
  },

  first(/** @type {Deck} */ deck) {
    if (deck.decided.length) deck.cursor = 0;
  },

  last(/** @type {Deck} */ deck) {
    deck.cursor = null;
  },

  /** Write a comment, after the text typed while its sample was on its way.
   * @param {Deck} deck
   * @param {Gesture} [written] */
  comment(deck, { text = "", closed = false } = {}) {
    const entry = deck.current();
    const field = deck.screen?.part.comment;
    if (!entry || !field) return;
    if (text) entry.draft = field.value += text;
    if (closed) deck.policy.keepComment(deck);
    else field.focus();
  },

  find: (/** @type {Deck} */ deck) => deck.screen?.finder.begin(),

  up: (/** @type {Deck} */ deck) => deck.screen?.scroll(-1),

  down: (/** @type {Deck} */ deck) => deck.screen?.scroll(1),

  help: (/** @type {Deck} */ deck) => deck.screen?.keys.toggle(),

  dismiss(/** @type {Deck} */ deck) {
    deck.refusals = "";
  },
};
