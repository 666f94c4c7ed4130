/* From a key to a command of the deck. */

const KEYS = {
  Tab: "skip",
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
const HELD = new Set(["back", "next", "up", "down"]); // may repeat while the key is held

const KEY_HELP = [
  ["Tab", "skip this sample"],
  ["⌫", "take the decision shown, or the last one, back"],
  ["← →", "back and forth through your decisions; a category key changes the one shown"],
  ["↑ Home", "your first decision"],
  ["↓ End", "to the sample that is still undecided"],
  ["/", "comment"],
  ["Enter Esc", "leave the comment; it is kept with the decision"],
  ["PgUp PgDn", "scroll the sample"],
  ["⇧+Tab", "move the focus, as Tab does elsewhere"],
  ["?", "these keys"],
];

// Where a key belongs to the element that has the focus.
const TYPING =
  "input:not([type=checkbox], [type=button], [type=submit]), textarea, select, dialog, " +
  '[contenteditable]:not([contenteditable="false"]), [role=dialog], [role=slider], [role=menu], [role=listbox]';

function commandOf(event, { categories, view, moreKeys }) {
  const wanted = (key) => categories.find((category) => category.key?.toLowerCase() === key.toLowerCase());
  // Keyboards without Latin letters: what stands on the key cap besides.
  const latin = /^[ -~]$/.test(event.key) ? "" : (event.code.match(/^(?:Key|Digit)(.)$/)?.[1] ?? "");
  const category = wanted(event.key) ?? (event.key.length === 1 && latin ? wanted(latin) : undefined);
  if (category) return { category: category.name };
  if (moreKeys[event.key]) return moreKeys[event.key];
  if (KEYS[event.key]) return event.key === "Tab" && event.shiftKey ? undefined : KEYS[event.key];
  const { actions = {} } = view;
  const typed = [event.key.toLowerCase(), latin.toLowerCase()];
  const action = Object.keys(actions).find((name) => actions[name].keys?.some((key) => typed.includes(key)));
  return action && { view: action };
}

/** Runs before Streamlit's own keys (c clears its cache, r runs the page again). */
function onKey(event, deck) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  const target = event.composedPath()[0];
  const { screen } = deck;
  if (screen.helping) return whileHelping(event, screen);
  if (target === screen.part.comment) {
    if (event.key === "Escape" || event.key === "Enter") claim(event, () => target.blur());
    return;
  }
  if (target.closest?.(TYPING)) return;
  if (deck.spell(event.key)) return claim(event);
  // Outside the deck, the space bar presses the button that has the focus. Enter follows a link only:
  // a button keeps the focus after a click, and Enter decides in review mode.
  const outside = { " ": "button, a, input, summary", Enter: "a, summary" }[event.key];
  if (outside && !screen.root.contains(target) && target.closest?.(outside)) return;
  const command = commandOf(event, deck);
  if (command) claim(event, () => (!event.repeat || HELD.has(command)) && deck.press(command));
  else if (event.key.length === 1) event.stopImmediatePropagation();
}

function whileHelping(event, screen) {
  if (event.key === "Escape" || event.key === "?") claim(event, () => screen.toggleHelp());
  else if (event.key.length === 1) event.stopImmediatePropagation();
}

function claim(event, action) {
  event.preventDefault();
  event.stopImmediatePropagation();
  action?.();
}
