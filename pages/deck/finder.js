// @ts-check
/* Categories that are too many to look through: found by typing, the likeliest first. */

import { grouped, write } from "./dom.js";
import { habits } from "./habits.js";

/** @import { Deck } from "./deck.js" */
/** @import { DeckScreen } from "./screen.js" */
/** @import { Category } from "./types.d.ts" */

const FEW = 9; // no more need no finder, if each has a key
const MOST = 80; // buttons that are laid out at a time
const RECENT = 20; // of those without a key that stand there before anything is typed
// Accents, and what takes no place: soft hyphens, zero-width characters, marks of direction.
const UNSEEN = /[\p{M}\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** A text as it is compared. */
export const plain = (/** @type {string} */ text) => text.normalize("NFKD").replace(UNSEEN, "").toLowerCase();

/** The categories that hold what was typed, best first: where it stands in the name, then how
 * recently the category was given, then how often.
 * @param {string} typed
 * @param {Category[]} categories
 * @param {string[]} recent names, the last one given first
 * @param {Record<string, number>} counts
 * @returns {Category[]} */
export function ranked(typed, categories, recent, counts) {
  const wanted = plain(typed).trim();
  const last = new Map(recent.map((name, at) => [name, at]));
  return categories
    .map((category, at) => ({ category, at, fit: fitness(plain(category.name), wanted) }))
    .filter(({ fit }) => fit < Infinity)
    .sort((one, other) => {
      const [a, b] = [one.category.name, other.category.name];
      const recency = (last.get(a) ?? Infinity) - (last.get(b) ?? Infinity) || 0; // Infinity from itself
      return one.fit - other.fit || recency || (counts[b] ?? 0) - (counts[a] ?? 0) || one.at - other.at;
    })
    .map(({ category }) => category);
}

/** 0 for the name itself, 1 for its beginning, 2 for that of a later word, 3 for what is within.
 * @param {string} name
 * @param {string} wanted */
function fitness(name, wanted) {
  if (name === wanted) return 0;
  const at = name.indexOf(wanted);
  if (at < 1) return at < 0 ? Infinity : 1;
  return name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(wanted)) ? 2 : 3;
}

/** Names of the categories given last, each once.
 * @param {Deck["decided"]} decided */
export function recentOf(decided) {
  const found = decided.slice(-500).flatMap((entry) => entry?.category ?? []);
  return [...new Set(found.reverse())];
}

export class Finder {
  /** @type {string[]} */
  found = []; // names, in the order of their buttons
  at = 0; // which of them Enter chooses

  /** @param {DeckScreen} screen
   * @param {Deck} deck */
  constructor(screen, deck) {
    this.screen = screen;
    this.deck = deck;
    this.field = /** @type {HTMLInputElement} */ (screen.part.find);
    this.field.oninput = () => {
      deck.sought = this.field.value;
      this.list();
    };
    this.field.onkeydown = (event) => this.press(event);
    write(screen.part["find-key"], deck.policy.keys.Enter === "find" ? "⏎" : "⇧⏎");
  }

  /** Type here from now on, after what was sought; or end as the key does that ended it already.
   * @param {string} [closed] */
  begin(closed) {
    if (this.screen.part.finder.hidden) return;
    if (this.field.value !== this.deck.sought) this.field.value = this.deck.sought;
    this.list();
    const name = closed && this.wanted(closed);
    if (closed) this.end();
    else this.field.focus();
    if (name) this.deck.act({ category: name });
  }

  end() {
    this.field.value = "";
    this.list();
  }

  /** Lay out the buttons: of what was typed, or those with a key and the last ones of the others. */
  list() {
    const { categories } = this.deck;
    const typed = this.field.value.trim();
    this.screen.part.finder.hidden = habits.single && categories.length <= FEW && categories.every(({ key }) => key);
    const all = typed || categories.length > MOST ? this.choose(typed) : categories;
    this.found = all.slice(0, MOST).map(({ name }) => name);
    this.screen.layOut(this.found);
    const more = (typed ? all.length : categories.length) - this.found.length;
    write(this.screen.part.more, more ? `${grouped(more)} more: type to find them.` : "");
    if (typed && !all.length) write(this.screen.part.more, "No category is called so.");
    this.mark(0, typed);
  }

  /** @param {string} typed */
  choose(typed) {
    const { categories, decided } = this.deck;
    const recent = recentOf(decided);
    if (typed) return ranked(typed, categories, recent, this.deck.countsNow()?.categories ?? {});
    const last = new Set(recent.slice(0, RECENT));
    return categories.filter(({ key, name }) => key || last.has(name));
  }

  /** Show which one Enter chooses; none before anything is typed.
   * @param {number} at
   * @param {string} typed */
  mark(at, typed) {
    this.at = Math.max(0, Math.min(at, this.found.length - 1));
    this.found.forEach((name, place) => {
      const button = this.screen.categories.get(name)?.button;
      const marked = Boolean(typed) && place === this.at;
      button?.toggleAttribute("data-found", marked);
      if (marked) button?.scrollIntoView({ block: "nearest" });
    });
    const said = typed && this.found[this.at];
    write(this.screen.part["find-said"], said ? `${said}, ${this.at + 1} of ${this.found.length}` : "");
  }

  /** The category that a key chooses. */
  wanted(/** @type {string} */ key) {
    return key === "Enter" && this.field.value.trim() ? this.found[this.at] : "";
  }

  press(/** @type {KeyboardEvent} */ event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing || (!step && event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    if (step) return this.mark(this.at + step, this.field.value.trim());
    const name = this.wanted(event.key);
    this.field.blur();
    if (name) this.deck.press({ category: name });
  }
}
