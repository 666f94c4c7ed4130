// @ts-check
/* How a person uses the keyboard: chosen in the window of keys, kept by this browser. */

const NAME = "mll-habits";

/** `tab`: Tab skips, instead of moving the focus. `single`: keys that write a character (letters,
 * digits, signs) are the deck's; without them nothing that is dictated or struck by mistake decides. */
export const habits = { tab: false, single: true };

try {
  const kept = JSON.parse(localStorage.getItem(NAME) ?? "{}");
  for (const name of /** @type {(keyof typeof habits)[]} */ (Object.keys(habits))) {
    if (typeof kept?.[name] === "boolean") habits[name] = kept[name];
  }
} catch {
  // Storage forbidden, or not ours: as for everybody.
}

/** @param {string} name
 * @param {boolean} value */
export function adopt(name, value) {
  Object.assign(habits, { [name]: value });
  try {
    localStorage.setItem(NAME, JSON.stringify(habits));
  } catch {
    // It holds until the page is left.
  }
}
