// @ts-check
/* The deck on a list of samples that have been decided already. What is left of the list comes from
   the server; nothing is reserved. */

import { grouped, node, write } from "./dom.js";
import { DeckScreen } from "./screen.js";

/** @import { Deck } from "./deck.js" */
/** @import { Entry } from "./types.d.ts" */

/** Later: to the end of the list, nothing is decided. */
export function putOff(/** @type {Deck} */ { cursor, queue }) {
  const first = queue[0];
  if (cursor === null && first) queue.push(...queue.splice(0, 1));
}

/** The keys for that. */
export const PUTTING_OFF = { skipKeys: ["⇧+→"], skipHelp: "later: to the end of the list, nothing is decided" };

/** Where in the list the sample on the screen is. */
function positionOf(/** @type {Deck} */ { cursor, decided, queue, more }) {
  return { at: (cursor ?? decided.length) + 1, of: decided.length + queue.length + more };
}

export class ListScreen extends DeckScreen {
  /** @param {HTMLElement} root
   * @param {Deck} deck */
  constructor(root, deck) {
    super(root, deck);
    this.part.title.ariaLevel = "2"; // below that of the page
    this.showsFinding(true);
    /** @type {ChildNode} */ (this.button.skip.lastChild).textContent = "Later";
  }

  /** @override */
  showDecision(/** @type {Entry | undefined} */ entry) {
    super.showDecision(entry);
    const { at, of } = positionOf(this.deck);
    write(this.part.place, entry ? `${grouped(at)} of ${grouped(of)}` : "");
    this.button.skip.setAttribute("aria-pressed", "false");
    this.button.skip.disabled = !entry || this.deck.cursor !== null;
    this.showsFinding(Boolean(entry));
    if (entry) this.showFinding(entry);
  }

  showsFinding(/** @type {boolean} */ shown) {
    this.part.finding.hidden = !shown;
    this.root.toggleAttribute("data-finding", shown);
  }

  /** What is known of the sample's label. */
  showFinding(/** @type {Entry} */ _entry) {}

  /** The categories' bars are not shares of the labels here.
   * @override */
  showCounts() {
    const counts = this.deck.countsNow();
    if (!counts) return;
    this.showTotals(counts);
    const { at, of } = positionOf(this.deck);
    this.part.done.style.width = `${of ? (100 * (at - 1)) / of : 0}%`;
  }

  colorOf(/** @type {string | null} */ name) {
    return this.categories.get(name ?? "")?.button.style.getPropertyValue("--category") || "currentColor";
  }

  /** `shares` is {category: [text, 0..1]}; `meaning` says of what.
   * @param {Record<string, [string, number]>} shares
   * @param {string} meaning */
  showShares(shares, meaning) {
    for (const [name, { share, bar }] of this.categories) {
      const [text, part] = shares[name] ?? ["", 0];
      this.showShare(share, text, meaning);
      bar.style.transform = `scaleX(${part})`;
    }
  }
}

/** A label and whose it is, with its colour.
 * @param {string} label
 * @param {string} whose
 * @param {string} color */
export function opinion(label, whose, color) {
  const line = node("p");
  line.append(node("bdi", "", label), " · ", node("bdi", "", whose));
  line.style.setProperty("--category", color);
  return line;
}
