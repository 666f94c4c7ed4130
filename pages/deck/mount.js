/* Where the deck meets Streamlit and the browser. The export runs with every run of the page; only
   the cleanup returned last is kept, and it may come late: after the next place was entered. */

const GAP = 10_000; // ms for which the place may be gone from its page until it counts as left
const AWAY = 60_000; // ms on other pages after which the samples are handed back
const MODES = { label: Deck, review: ReviewDeck, adjudicate: AdjudicationDeck };
const decks = new Map(); // one per store
let place = null; // {root, deck, calls, off, path}: where the deck is in the page

export default function mount({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector('[data-part="deck"]');
  if (!decks.has(data.store)) decks.set(data.store, new MODES[data.mode](data.store));
  const deck = decks.get(data.store);
  const changed = deck.update(data, setStateValue);
  const entered = place?.root !== root || place.deck !== deck;
  if (entered) enter(root, deck);
  else if (changed) deck.screen.setCategories(deck.categories);
  deck.exchange.heard(data.reply);
  deck.show();
  if (entered) deck.exchange.hurry();
  const here = place;
  const call = ++here.calls;
  return () => here.calls === call && vacate(here);
}

/** After an outage, Streamlit may empty the page for a moment and fill it again: keys wait for that. */
function vacate(left) {
  const { calls } = left;
  if (place === left && !left.root.isConnected) left.deck.hush();
  setTimeout(() => left.calls === calls && leave(left), onPage(left) ? GAP : 0);
}

function onPage({ path, deck }) {
  const { pathname, search } = location;
  return pathname === path && new URLSearchParams(search).get("project") === deck.project;
}

function enter(root, deck) {
  if (place && place.deck !== deck) leave(place);
  place?.off.abort();
  deck.resume();
  clearTimeout(deck.away);
  for (const other of decks.values()) if (other !== deck) other.handBack(); // of another name, say
  const off = new AbortController();
  place = { root, deck, calls: 0, off, path: location.pathname };
  deck.screen = deck.makeScreen(root);
  deck.screen.setCategories(deck.categories);
  listen(place, off.signal);
  deck.screen.fit();
  followPage(deck, off.signal);
}

/** What stands above the deck may grow by a line while it is open. */
function followPage(deck, signal) {
  let asked = 0;
  const watch = new ResizeObserver(() => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => deck.screen?.fit());
  });
  watch.observe(deck.screen.page);
  signal.addEventListener("abort", () => watch.disconnect());
}

function leave(left) {
  left.off.abort();
  if (place !== left) return;
  place = null;
  left.deck.leave();
  left.deck.away = setTimeout(() => left.deck.handBack(), AWAY);
}

function listen(here, signal) {
  const { root, deck } = here;
  const { comment } = deck.screen.part;
  for (const button of root.querySelectorAll("[data-do]")) button.onclick = () => deck.press(button.dataset.do);
  comment.oninput = () => deck.current() && (deck.current().draft = comment.value);
  comment.onfocus = () => (deck.writing = true);
  comment.onblur = () => {
    deck.keepComment();
    queueMicrotask(() => {
      // Its place may be going right now: then the writing goes on in the next one.
      if (deck.screen?.root === root && root.isConnected) deck.writing = false;
    });
  };
  root.onkeydown = (event) => event.stopPropagation(); // what is typed here is not for Streamlit
  const pressed = (event) => (deck.placed || onPage(here)) && onKey(event, deck);
  window.addEventListener("keydown", pressed, { capture: true, signal });
  window.addEventListener("pointermove", () => deck.touch(), { passive: true, signal });
  window.addEventListener("resize", () => deck.screen.fit(), { signal });
}

addEventListener("online", () => decks.forEach((deck) => deck.exchange.hurry()));
addEventListener("pagehide", () => decks.forEach((deck) => deck.exchange.farewell()));
addEventListener("pageshow", (event) => event.persisted && decks.forEach((deck) => deck.comeBack()));
document.addEventListener("visibilitychange", () => {
  for (const deck of decks.values()) {
    deck.touch(document.hidden); // hidden now: it was visible until now
    if (!document.hidden && deck.screen && !deck.exchange.retry) deck.exchange.hurry();
  }
});
