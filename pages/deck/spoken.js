// @ts-check
/* What a screen reader says by itself: what was decided, and which sample is next, in a few words. */

import { write } from "./dom.js";

/** @import { DeckScreen } from "./screen.js" */

const UNTIL_SAID = 800; // ms without a key; whoever decides faster hears the last one
const SAID_AT_MOST = 160; // characters of a sample: the whole of it is on its sheet

export class Spoken {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  waiting;

  constructor(/** @type {DeckScreen} */ screen) {
    this.screen = screen;
  }

  /** Say it once nothing has changed for a while; until then it costs a timer and nothing else. */
  soon() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => write(this.screen.part.spoken, this.text()), UNTIL_SAID);
  }

  text() {
    const { part, deck } = this.screen;
    const { verdict, place, empty, save } = part;
    const entry = deck.current();
    const sample = entry ? `${place.textContent}: ${inShort(deck.view.words(entry.view))}` : empty.textContent;
    const settled = save.dataset.state === "saved" && !save.hasAttribute("data-failing");
    const told = [verdict.hidden ? "" : verdict.textContent, sample, settled ? "" : save.textContent];
    return told.filter(Boolean).join(". ");
  }
}

const inShort = (/** @type {string} */ text) => (text.length > SAID_AT_MOST ? `${text.slice(0, SAID_AT_MOST)} …` : text);
