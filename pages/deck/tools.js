// @ts-check
/* What can be done with the sample on the sheet, as buttons below it. */

import { node } from "./dom.js";

/** @import { DeckScreen } from "./screen.js" */
/** @import { ViewAction } from "./types.d.ts" */
/** @typedef {ViewAction & {name: string, button: HTMLButtonElement, cap?: string}} Tool */

export class Tools {
  /** @type {Tool[]} */
  all = [];

  /** @param {DeckScreen} screen */
  constructor(screen) {
    this.screen = screen;
  }

  /** A key in `taken` stays with its category. */
  lay(/** @type {Set<string | undefined>} */ taken) {
    const { root, part, deck } = this.screen;
    this.all = Object.entries(deck.view.actions ?? {}).map(([name, action]) => {
      const key = action.keys?.find((each) => !taken.has(each));
      const button = node("button");
      button.type = "button";
      button.dataset.action = name;
      button.onclick = () => deck.press({ view: name });
      if (key) button.append(node("kbd", "", action.cap ?? key.toUpperCase()));
      button.append(action.text);
      return { ...action, name, button, cap: key && (action.cap ?? key.toUpperCase()) };
    });
    part.tools.replaceChildren(...this.all.map(({ button }) => button));
    part.tools.hidden = !this.all.length;
    root.toggleAttribute("data-tools", this.all.length > 0);
    this.turn();
    this.show();
  }

  /** Another sample came to the front, for which some may be of no use. */
  turn() {
    for (const { use, button } of this.all) if (use) button.hidden = !use(this.screen.front);
  }

  show() {
    for (const { on, button } of this.all) if (on) button.setAttribute("aria-pressed", String(on(this.screen.front)));
  }

  perform(/** @type {string} */ name) {
    this.all.find((tool) => tool.name === name && !tool.button.hidden)?.run(this.screen.front);
    this.show();
  }
}
