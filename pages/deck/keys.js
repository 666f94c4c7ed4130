// @ts-check
/* From a key to a command of the deck. */

import { habits } from "./habits.js";

/** @import { Deck } from "./deck.js" */
/** @import { DeckScreen } from "./screen.js" */
/** @import { Command, CommandKeys, KeyHelp } from "./types.d.ts" */

/** @type {CommandKeys} */
const KEYS = {
  Backspace: "undo",
  ArrowLeft: "back",
  ArrowRight: "next",
  ArrowUp: "first",
  Home: "first",
  ArrowDown: "last",
  End: "last",
  "/": "comment",
  "?": "help",
  PageUp: "up",
  PageDown: "down",
};
/** @type {CommandKeys} */
const SHIFTED = { Enter: "find", ArrowRight: "skip" };
/** @type {Set<Command>} */
const HELD = new Set(["back", "next", "up", "down"]); // may repeat while the key is held

/** @type {KeyHelp} */
export const KEY_HELP = [
  ["⌫", "take the decision shown, or the last one, back"],
  ["← →", "back and forth through your decisions; a category key changes the one shown"],
  ["↑ Home", "your first decision"],
  ["↓ End", "to the sample that is still undecided"],
  ["/", "comment"],
  ["Enter Esc", "leave the comment; it is kept with the decision"],
  ["⇧+⏎", "find a category by its name; Enter takes the first one found"],
  ["PgUp PgDn", "scroll the sample"],
  ["?", "these keys"],
];

// Outside the deck, the space bar presses the button that has the focus. Enter follows a link only:
// a button keeps the focus after a click, and Enter decides in review mode. Whoever walks by Tab
// means what has the focus, wherever it is (:focus-visible comes with the first key after a click, too).
/** @type {Record<string, string>} */
const PRESSING = { " ": "button, a, input, summary", Enter: "a, summary" };

// Where a key belongs to the element that has the focus; of a slider, only those that move it.
const WRITING = "[data-part=comment], [data-part=find]";
const SLIDING = /^(Arrow|Page|Home|End)/;
const TYPING =
  "input:not([type=checkbox], [type=button], [type=submit], [type=range]), textarea, select, dialog, " +
  '[contenteditable]:not([contenteditable="false"]), [role=dialog], [role=slider], [role=menu], [role=listbox]';

/** What a key means in this deck; undefined for one that means nothing.
 * @param {KeyboardEvent} event
 * @param {Pick<Deck, "categories" | "view" | "policy">} deck
 * @returns {Command | undefined} */
export function commandOf(event, { categories, view, policy }) {
  if (event.key === "Tab") return habits.tab && !event.shiftKey ? "skip" : undefined;
  if (event.key.length === 1 && !habits.single) return undefined;
  const wanted = (/** @type {string} */ key) =>
    categories.find((category) => category.key?.toLowerCase() === key.toLowerCase());
  // Keyboards without Latin letters: what stands on the key cap besides.
  const latin = /^[ -~]$/.test(event.key) ? "" : (event.code.match(/^(?:Key|Digit)(.)$/)?.[1] ?? "");
  const category = wanted(event.key) ?? (event.key.length === 1 && latin ? wanted(latin) : undefined);
  if (category) return { category: category.name };
  const named = (event.shiftKey && SHIFTED[event.key]) || policy.keys[event.key] || KEYS[event.key];
  if (named) return named;
  const { actions = {} } = view;
  const typed = [event.key.toLowerCase(), latin.toLowerCase()];
  const action = Object.keys(actions).find((name) => actions[name].keys?.some((key) => typed.includes(key)));
  return action ? { view: action } : undefined;
}

/** Runs before Streamlit's own keys (c clears its cache, r runs the page again).
 * @param {KeyboardEvent} event
 * @param {Deck} deck */
export function onKey(event, deck) {
  if (event.metaKey || event.isComposing || isShortcut(event)) return;
  const target = /** @type {HTMLElement} */ (event.composedPath()[0]);
  const { screen } = deck;
  if (event.key === "Tab") deck.walking = true;
  if (!screen) return;
  if (screen.keys.isOpen) return whileHelping(event, screen);
  if (target === screen.part.comment) {
    if (event.key === "Escape" || event.key === "Enter") claim(event, () => target.blur());
    return;
  }
  // A field of a place that is going: the next one has a text that waits for what is typed.
  const former = target.closest?.(WRITING) && !screen.root.contains(target);
  if (former && deck.spell(event.key)) return claim(event);
  if (target.closest?.(TYPING) || (SLIDING.test(event.key) && target.closest?.("[type=range]"))) return;
  if (deck.spell(event.key)) return claim(event);
  const outside = PRESSING[event.key];
  if (outside && !screen.root.contains(target) && target.closest?.(outside)) return;
  if (outside && deck.walking && !event.shiftKey && target.closest?.(PRESSING[" "])) return;
  const command = commandOf(event, deck);
  if (command === "find" && screen.part.finder.hidden) return;
  if (command) claim(event, () => (!event.repeat || HELD.has(command)) && deck.press(command));
  else if (event.key.length === 1) event.stopImmediatePropagation();
}

/** Ctrl or Alt make a shortcut of a key, unless they write a character: AltGr is both on Windows,
 * and Option alone on a Mac. */
function isShortcut(/** @type {KeyboardEvent} */ event) {
  if (!event.ctrlKey && !event.altKey) return false;
  const writes = event.key.length === 1 && !/^[a-z0-9 ]$/i.test(event.key);
  return !(writes && event.altKey && (!event.ctrlKey || event.getModifierState("AltGraph")));
}

function whileHelping(/** @type {KeyboardEvent} */ event, /** @type {DeckScreen} */ screen) {
  if (event.key === "Escape" || event.key === "?") claim(event, () => screen.keys.toggle());
  else if (event.key.length === 1) event.stopImmediatePropagation();
}

/** It is a key of the deck: for nobody else.
 * @param {KeyboardEvent} event
 * @param {() => void} [action] */
function claim(event, action) {
  event.preventDefault();
  event.stopImmediatePropagation();
  action?.();
}
