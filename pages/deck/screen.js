// @ts-check
/* What is seen: the sample, the categories, the counts. */

import { grouped, named, node, tell, write } from "./dom.js";
import { Finder } from "./finder.js";
import { KeysWindow } from "./keys_window.js";
import { showLearning } from "./learning_line.js";
import { Spoken } from "./spoken.js";
import { Tools } from "./tools.js";

/** @import { Deck } from "./deck.js" */
/** @import { Category, Counts, Entry, Parts, Verdict } from "./types.d.ts" */
/** @typedef {{button: HTMLButtonElement, share: HTMLElement, bar: HTMLElement}} Shown a category */

const SOME = 6; // buttons: more seldom fit the panel's height beside what is reviewed
const MANY = 12; // buttons: more seldom fit it at all

export class DeckScreen {
  /** @type {string | null} */
  shown = null; // sample_id in front
  /** @type {Entry | null} */
  ready = null; // the entry painted into the back sheet
  /** @type {Map<string, Shown>} */
  categories = new Map();
  /** @type {[string, Shown][]} */
  laidOut = []; // those whose buttons are in the panel
  chosen = /** @type {HTMLButtonElement | undefined} */ (undefined); // that of the decision in front

  /** @param {HTMLElement} root
   * @param {Deck} deck */
  constructor(root, deck) {
    this.root = root;
    this.deck = deck;
    this.part = /** @type {Parts} */ (named(root, "part"));
    this.button = /** @type {Record<string, HTMLButtonElement>} */ (named(root, "do"));
    /** @type {NodeListOf<HTMLElement>} */
    const [front, back] = root.querySelectorAll('[data-part="sheet"]');
    this.front = front; // the sheet with the sample that is seen
    this.back = back;
    this.spoken = new Spoken(this);
    this.finder = new Finder(this, deck);
    this.tools = new Tools(this);
    this.keys = new KeysWindow(this);
    this.clear();
  }

  clear() {
    for (const sheet of [this.front, this.back]) {
      sheet.replaceChildren();
      this.label(sheet, undefined);
    }
  }

  /** Bring the page in line with the deck; true if another sample came to the front. */
  show() {
    const entry = this.deck.current();
    const changed = (entry?.sample_id ?? null) !== this.shown;
    if (changed) this.turn(entry);
    this.label(this.front, entry);
    write(this.part.title, this.deck.title);
    this.showDecision(entry);
    this.showCounts();
    showLearning(this.part, this.deck.learning);
    this.showSaved();
    this.showMessages(entry);
    this.root.dataset.ahead = String(this.deck.queue.length);
    return changed;
  }

  turn(/** @type {Entry | undefined} */ entry) {
    this.shown = entry?.sample_id ?? null;
    if (entry && this.ready !== entry) this.prepare(entry);
    [this.front, this.back] = [this.back, this.front];
    this.ready = null;
    for (const sheet of [this.front, this.back]) {
      const seen = sheet === this.front && Boolean(entry);
      sheet.toggleAttribute("data-front", seen);
      sheet.ariaHidden = String(!seen);
      sheet.tabIndex = seen ? 0 : -1; // it may have to be scrolled
    }
    const { activeElement } = /** @type {ShadowRoot} */ (this.root.getRootNode());
    if (activeElement === this.back) this.front.focus({ preventScroll: true });
    this.deck.view.leave?.(this.back);
    if (entry) this.deck.view.enter?.(this.front);
    this.tools.turn();
    this.label(this.back, undefined);
    this.root.toggleAttribute("data-nothing-seen", this.unseen);
    this.part.comment.value = entry?.draft ?? entry?.comment ?? "";
  }

  /** Lay the sample out behind the one in front, so that turning to it is a matter of one frame. */
  prepare(/** @type {Entry | undefined} */ entry) {
    if (!entry || this.ready === entry) return;
    this.back.scrollTop = 0;
    this.deck.view.paint(this.back, entry.view);
    this.ready = entry;
  }

  /** Say on the sheet what is on it, and how it is decided.
   * @param {HTMLElement} sheet
   * @param {Entry | undefined} entry */
  label(sheet, entry) {
    const decision = entry?.status && (entry.category ?? "");
    const marks = { sampleId: entry?.sample_id, status: entry?.status, decision };
    for (const [name, value] of Object.entries(marks)) {
      if (value === undefined || value === null) delete sheet.dataset[name];
      else sheet.dataset[name] = value;
    }
  }

  setCategories(/** @type {Category[]} */ categories) {
    this.categories.clear();
    for (const category of categories) this.categories.set(category.name, this.makeCategory(category));
    this.tools.lay(new Set(categories.map(({ key }) => key?.toLowerCase())));
    this.keys.follow();
  }

  /** Put the buttons of these categories into the panel, in this order. */
  layOut(/** @type {string[]} */ names) {
    this.laidOut = names.flatMap((name) => {
      const shown = this.categories.get(name);
      return shown ? [[name, shown]] : [];
    });
    const buttons = this.laidOut.map(([, { button }]) => button);
    const { children } = this.part.categories;
    if (buttons.length === children.length && buttons.every((each, at) => each === children[at])) return;
    this.part.categories.replaceChildren(...buttons);
    this.part.categories.toggleAttribute("data-some", buttons.length > SOME);
    this.part.categories.toggleAttribute("data-many", buttons.length > MANY);
    this.showCounts();
  }

  /** Nothing is on the screen that a label could be about. */
  get unseen() {
    return this.front.hasAttribute("data-unseen");
  }

  /** @returns {Shown} */
  makeCategory(/** @type {Category} */ { name, key, description, color }) {
    const button = node("button", "category");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    Object.assign(button.dataset, { category: name, key: key ?? "" });
    if (color) button.style.setProperty("--category", color);
    const share = node("span", "part");
    share.hidden = true;
    share.role = "img"; // so that its name is read out in place of the bare number
    const bar = node("i", "bar");
    const called = node("span", "name", name);
    called.dir = "auto";
    button.append(node("kbd", "", (key ?? "").toUpperCase()), called, share);
    if (description) button.append(Object.assign(node("span", "description", description), { dir: "auto" }));
    button.append(bar);
    button.onclick = () => this.deck.press({ category: name });
    return { button, share, bar };
  }

  showDecision(/** @type {Entry | undefined} */ entry) {
    const { decided, cursor, latest } = this.deck;
    this.choose(entry?.status === "LABELED" ? entry.category : null);
    this.button.skip.setAttribute("aria-pressed", String(entry?.status === "SKIPPED"));
    const place = cursor === null ? "New sample" : `Decision ${grouped(cursor + 1)} of ${grouped(decided.length)}`;
    write(this.part.place, cursor === null && !entry ? "" : place);
    this.showVerdict(cursor === null ? latest : entry, cursor === null ? "Last: " : "");
    this.root.toggleAttribute("data-past", cursor !== null);
    const off = { back: cursor === null ? !decided.length : !cursor, next: cursor === null, skip: !entry };
    Object.assign(off, { first: off.back, last: off.next, undo: !decided.length });
    for (const [name, value] of Object.entries(off)) this.button[name].disabled = value;
  }

  /** Of a thousand buttons the two that change are touched. */
  choose(/** @type {string | null | undefined} */ name) {
    const chosen = this.categories.get(name ?? "")?.button;
    if (chosen === this.chosen) return;
    this.chosen?.setAttribute("aria-pressed", "false");
    chosen?.setAttribute("aria-pressed", "true");
    this.chosen = chosen;
  }

  /** @param {Partial<Verdict> | null | undefined} verdict
   * @param {string} before */
  showVerdict(verdict, before) {
    const text = verdict?.status ? this.sayDecision(verdict) : "";
    const color = this.categories.get(verdict?.category ?? "")?.button.style.getPropertyValue("--category");
    tell(this.part.verdict, text && before, text);
    this.part.verdict.style.setProperty("--category", color || "currentColor");
    this.part.verdict.hidden = !text;
  }

  /** Where several people decide on a sample, decisions are counted and no samples: say so. */
  showTotals(/** @type {Counts} */ counts) {
    const { labeled, skipped, total } = counts;
    for (const [name, number] of Object.entries({ labeled, skipped, total })) write(this.part[name], grouped(number));
    const words = counts.several ? ["labels", "skips", "decisions"] : ["labeled", "skipped", "samples"];
    write(this.part["labeled-word"], words[0]);
    write(this.part["skipped-word"], words[1]);
    write(this.part["total-word"], words[2]);
    this.part.counts.title = counts.several
      ? "Some samples are decided by several people: decisions are counted here, samples under Session progress."
      : "";
  }

  sayDecision(/** @type {Partial<Verdict>} */ { category }) {
    return category ?? "skipped";
  }

  showCounts() {
    const counts = this.deck.countsNow();
    if (!counts) return;
    this.showTotals(counts);
    this.part.done.style.width = `${counts.total ? (100 * (counts.labeled + counts.skipped)) / counts.total : 0}%`;
    for (const [name, { share, bar }] of this.laidOut) {
      const number = counts.categories[name] ?? 0; // no share in percent: it reads like a prediction
      this.showShare(share, grouped(number), number === 1 ? "label" : "labels");
      bar.style.transform = `scaleX(${counts.labeled ? number / counts.labeled : 0})`;
    }
  }

  /** `text` beside a category, and what it is a share of.
   * @param {HTMLElement} share
   * @param {string} text
   * @param {string} meaning */
  showShare(share, text, meaning) {
    if (share.textContent === text) return;
    share.textContent = text;
    share.hidden = !text;
    share.title = share.ariaLabel = text && `${text} ${meaning}`;
  }

  showSaved() {
    const { unsaved, early, exchange } = this.deck;
    const why = exchange.refused ? "not accepted" : "not reachable";
    const trouble = exchange.failures > 0 ? ` · ${why}, will try again` : "";
    const waiting = early ? `, ${grouped(early)} pressed before their sample` : "";
    const text = (unsaved ? `${grouped(unsaved)} to save${waiting}` : "All saved") + trouble;
    this.part.save.dataset.state = unsaved ? "pending" : "saved";
    this.part.save.toggleAttribute("data-failing", Boolean(trouble));
    write(this.part.save, text);
    this.spoken.soon();
  }

  showMessages(/** @type {Entry | undefined} */ entry) {
    const { refusals, exchange, notice, queue } = this.deck;
    const last = entry && queue.length < 2; // who has more in hand need not know yet
    const alert = refusals || exchange.trouble || (last ? notice : "") || "";
    this.part.alert.hidden = !alert;
    this.button.dismiss.hidden = !refusals;
    write(this.part["alert-text"], alert);
    this.part.empty.hidden = Boolean(entry);
    write(this.part.empty, entry ? "" : this.emptiness());
  }

  /** One sentence for the place where no sample is. */
  emptiness() {
    const { cursor, decided, exchange, known, finished, notice, starved } = this.deck;
    if (cursor !== null) return decided[cursor] === null ? "This decision could not be loaded." : "Loading…";
    if (exchange.failures && !known) return "The server does not answer yet. Trying again by itself.";
    if (!known) return "Loading samples…";
    const { labeled, skipped, total } = /** @type {Counts} */ (this.deck.countsNow());
    if (finished && labeled + skipped >= total) {
      return `Everything is decided: ${grouped(labeled)} labeled, ${grouped(skipped)} skipped.`;
    }
    if (notice) return notice;
    if (finished && labeled + skipped > 0) {
      return `Nothing is left for you: ${grouped(total - labeled - skipped)} decisions of other people are still missing.`;
    }
    return finished || starved ? "No sample is free right now. New ones appear here by themselves." : "Loading samples…";
  }

  scroll(/** @type {number} */ direction) {
    this.front.scrollBy({ top: 0.85 * direction * this.front.clientHeight });
  }
}
