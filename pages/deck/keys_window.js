// @ts-check
/* The window of keys: what each does here, and what a person wants done otherwise. */

import { node, write } from "./dom.js";
import { adopt, habits } from "./habits.js";

/** @import { DeckScreen } from "./screen.js" */

const SIGNS = "⌫⏎←→↑↓"; // for keys that write no character

/** Whether a key, as it is written on its cap, is on with these habits. */
const isOn = (/** @type {string} */ cap) => habits.single || cap.length > 1 || SIGNS.includes(cap);

export class KeysWindow {
  /** @param {DeckScreen} screen */
  constructor(screen) {
    this.screen = screen;
    this.rows = screen.part["help-keys"];
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (screen.root.querySelectorAll("[data-habit]"))) {
      const name = /** @type {keyof typeof habits} */ (box.dataset.habit);
      box.checked = habits[name];
      box.onchange = () => {
        adopt(name, box.checked);
        this.follow();
      };
    }
  }

  get isOpen() {
    return this.screen.part.help.open;
  }

  toggle() {
    const { help } = this.screen.part;
    if (help.open) return help.close(); // gives the focus back to what had it
    this.list();
    help.showModal(); // keeps the focus in, and hides the rest from screen readers
    help.focus();
  }

  /** The caps on the buttons tell the keys that are on. */
  follow() {
    const { root, part, finder } = this.screen;
    root.toggleAttribute("data-few-keys", !habits.single);
    write(part["skip-key"], this.skipKeys()[0]);
    finder.list();
    this.list();
  }

  skipKeys() {
    return [...(habits.tab ? ["Tab"] : []), ...this.screen.deck.policy.skipKeys];
  }

  list() {
    const { categories, tools, deck } = this.screen;
    const names = [...categories].map(([name, { button }]) => [(button.dataset.key ?? "").toUpperCase(), name]);
    const usable = tools.all.filter(({ button }) => !button.hidden);
    const actions = usable.map(({ cap = "", help = "" }) => [cap, help]);
    const skip = [this.skipKeys().join(" "), deck.policy.skipHelp];
    const rows = [...names, skip, ...deck.policy.help, ...actions].flatMap(([caps, text]) => {
      const on = caps.split(" ").filter((cap) => cap && isOn(cap));
      if (!on.length) return [];
      const term = node("dt");
      term.append(...on.map((cap) => node("kbd", "", cap)));
      return [term, Object.assign(node("dd", "", text), { dir: "auto" })];
    });
    this.rows.replaceChildren(...rows);
  }
}
