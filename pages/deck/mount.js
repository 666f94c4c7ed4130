/* Where the deck meets Streamlit and the browser. The export runs with every run of the page; only
   the cleanup returned last is kept, and it may come late: after the next place was entered. */

const AWAY = 60_000; // ms on other pages after which the samples are handed back
const MODES = { label: Deck, review: ReviewDeck, adjudicate: AdjudicationDeck };
const decks = new Map(); // one per store
let place = null; // {root, deck, calls, off}: where the deck is in the page

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
  return () => here.calls === call && leave(here);
}

function enter(root, deck) {
  if (place) leave(place);
  clearTimeout(deck.away);
  for (const other of decks.values()) if (other !== deck) other.handBack(); // of another name, say
  const off = new AbortController();
  place = { root, deck, calls: 0, off };
  deck.screen = deck.makeScreen(root);
  deck.screen.setCategories(deck.categories);
  listen(root, deck, off.signal);
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

function listen(root, deck, signal) {
  const { comment } = deck.screen.part;
  for (const button of root.querySelectorAll("[data-do]")) button.onclick = () => deck.press(button.dataset.do);
  comment.oninput = () => deck.current() && (deck.current().draft = comment.value);
  comment.onblur = () => deck.keepComment();
  root.onkeydown = (event) => event.stopPropagation(); // what is typed here is not for Streamlit
  window.addEventListener("keydown", (event) => onKey(event, deck), { capture: true, signal });
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
