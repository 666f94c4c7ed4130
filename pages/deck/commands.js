// @ts-check
/* What a key or a button may do, by name. */

/** @import { Deck } from "./deck.js" */
/** @import { CommandName, Field, Gesture } from "./types.d.ts" */

export const writingIn = (/** @type {Field} */ field) => ({ field, text: "" });

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

  /** Write a comment, after the text typed while its sample was on its way. The draft may be ahead of
   * the field: while the deck moves to another place, keys still reach the field of the former one.
   * @param {Deck} deck
   * @param {Gesture} [written] */
  comment(deck, { text = "", closed } = {}) {
    const entry = deck.current();
    const field = deck.screen?.part.comment;
    if (!entry || !field) return;
    const draft = (entry.draft ?? field.value) + text;
    if (draft !== field.value) entry.draft = field.value = draft;
    if (closed) deck.policy.keepComment(deck);
    else field.focus();
  },

  /** Search for a category; where the search goes on in another place, with all that was typed.
   * @param {Deck} deck
   * @param {Gesture} [written] */
  find(deck, { field, text = "", closed } = {}) {
    deck.sought = field ? deck.sought + text : "";
    deck.screen?.finder.begin(closed);
  },

  up: (/** @type {Deck} */ deck) => deck.screen?.scroll(-1),

  down: (/** @type {Deck} */ deck) => deck.screen?.scroll(1),

  help: (/** @type {Deck} */ deck) => deck.screen?.keys.toggle(),

  dismiss(/** @type {Deck} */ deck) {
    deck.refusals = "";
  },
};
