// @ts-check
/* Where the deck meets Streamlit and the browser. The export runs with every run of the page; only
   the cleanup returned last is kept, and it may come late: after the next place was entered. */

import { Deck } from "./deck.js";
import { fit } from "./fitting.js";
import { onKey } from "./keys.js";
import { MODES } from "./modes.js";

/** @import { DeckScreen } from "./screen.js" */
/** @import { CommandName, Mounted } from "./types.d.ts" */

/** Where a deck is in the page; `off` ends what it listens to, `calls` counts the runs of the page.
 * @typedef {{root: HTMLElement, deck: Deck, calls: number, off: AbortController, path: string}} Place */

const GAP = 10_000; // ms for which the place may be gone from its page until it counts as left
const AWAY = 60_000; // ms on other pages after which the samples are handed back
/** @type {Map<string, Deck>} */
const decks = new Map(); // one per store
/** @type {Place | null} */
let place = null;

/** @typedef {object} Component what Streamlit gives
 * @property {Mounted} data
 * @property {ParentNode} parentElement
 * @property {(name: string, value: unknown) => void} setStateValue */

export default function mount(/** @type {Component} */ { data, parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector('[data-part="deck"]'));
  const deck = decks.get(data.store) ?? new Deck(data.store, MODES[data.mode]);
  decks.set(data.store, deck);
  const changed = deck.update(data, setStateValue);
  const known = place?.root === root && place.deck === deck ? place : null;
  const here = known ?? enter(root, deck);
  if (known && changed) deck.screen?.setCategories(deck.categories);
  deck.exchange.heard(data.reply);
  deck.show();
  if (!known) deck.exchange.hurry();
  const call = ++here.calls;
  return () => {
    if (here.calls === call) vacate(here);
  };
}

/** After an outage, Streamlit may empty the page for a moment and fill it again: keys wait for that. */
function vacate(/** @type {Place} */ left) {
  const { calls } = left;
  if (place === left && !left.root.isConnected) left.deck.hush();
  setTimeout(() => left.calls === calls && leave(left), onPage(left) ? GAP : 0);
}

function onPage(/** @type {Place} */ { path, deck }) {
  const { pathname, search } = location;
  return pathname === path && new URLSearchParams(search).get("project") === deck.project;
}

/** @param {HTMLElement} root
 * @param {Deck} deck */
function enter(root, deck) {
  if (place && place.deck !== deck) leave(place);
  place?.off.abort();
  deck.resume();
  clearTimeout(deck.away);
  for (const other of decks.values()) if (other !== deck) other.handBack(); // of another name, say
  const off = new AbortController();
  const entered = { root, deck, calls: 0, off, path: location.pathname };
  place = entered;
  deck.view.begin?.(deck.project);
  deck.screen = new deck.policy.Screen(root, deck);
  deck.screen.setCategories(deck.categories);
  listen(entered, off.signal);
  followPage(deck, fit(root), off.signal);
  return entered;
}

function refit(/** @type {Deck} */ { screen }) {
  if (screen) fit(screen.root);
}

/** What stands above the deck may grow by a line while it is open.
 * @param {Deck} deck
 * @param {Element | undefined} page
 * @param {AbortSignal} signal */
function followPage(deck, page, signal) {
  let asked = 0;
  const watch = new ResizeObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => refit(deck));
  });
  if (page) watch.observe(page);
  signal.addEventListener("abort", () => watch.disconnect());
}

function leave(/** @type {Place} */ left) {
  left.off.abort();
  if (place !== left) return;
  place = null;
  left.deck.leave();
  left.deck.away = setTimeout(() => left.deck.handBack(), AWAY);
}

/** @param {Place} here
 * @param {AbortSignal} signal */
function listen(here, signal) {
  const { root, deck } = here;
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("[data-do]"))) {
    button.onclick = () => deck.press(/** @type {CommandName} */ (button.dataset.do));
  }
  root.onkeydown = (event) => event.stopPropagation(); // what is typed here is not for Streamlit
  const pressed = (/** @type {KeyboardEvent} */ event) => (deck.placed || onPage(here)) && onKey(event, deck);
  window.addEventListener("keydown", pressed, { capture: true, signal });
  window.addEventListener("pointerdown", () => (deck.walking = false), { capture: true, signal });
  window.addEventListener("pointermove", () => deck.work.touch(), { passive: true, signal });
  window.addEventListener("resize", () => refit(deck), { signal });
  if (deck.screen) followWriting(deck, deck.screen);
}

/** @param {Deck} deck
 * @param {DeckScreen} screen */
function followWriting(deck, { root, finder, part: { comment, find } }) {
  comment.oninput = () => {
    const entry = deck.current();
    if (entry) entry.draft = comment.value;
  };
  const over = () => {
    // Its place may be going right now: then the writing goes on in the next one.
    if (deck.screen?.root === root && root.isConnected) deck.writing = null;
  };
  comment.onfocus = () => (deck.writing = "comment");
  comment.onblur = () => {
    deck.policy.keepComment(deck);
    queueMicrotask(over);
  };
  find.onfocus = () => (deck.writing = "find");
  find.onblur = () => {
    finder.end();
    queueMicrotask(over);
  };
}

addEventListener("online", () => decks.forEach((deck) => deck.exchange.hurry()));
addEventListener("pagehide", () => decks.forEach((deck) => deck.exchange.farewell()));
addEventListener("pageshow", (event) => event.persisted && decks.forEach((deck) => deck.comeBack()));
document.addEventListener("visibilitychange", () => {
  for (const deck of decks.values()) {
    deck.work.touch(document.hidden); // hidden now: it was visible until now
    if (!document.hidden && deck.screen && !deck.exchange.retry) deck.exchange.hurry();
  }
});
