"""The labeling page as a person at the keyboard sees it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

EXCHANGE = "**/labeling/exchange"

DECK = """document.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot"""
# Counts, frame by frame, the places of the page that the deck has been in.
PLACES = """window.places = 1;
const deckIn = () => %s?.querySelector(".deck");
let last = deckIn();
const count = () => {
  const now = deckIn();
  if (now && now !== last) { window.places += 1; last = now; }
  requestAnimationFrame(count);
};
requestAnimationFrame(count);"""
# Writes down, frame by frame, which sample is on the screen, and what is said of the decisions.
RECORDER = """
window.shown = [];
window.told = [];
const look = () => {
  const deck = document.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot;
  const id = deck?.querySelector("[data-sample-id]")?.dataset.sampleId ?? null;
  if (id !== null && window.shown.at(-1) !== id) window.shown.push(id);
  for (const part of deck?.querySelectorAll("[role=alert], [data-state]") ?? []) {
    if (!window.told.includes(part.textContent)) window.told.push(part.textContent);
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
// Two kinds of keys decide nothing. What is typed into Streamlit's dialog about a lost connection,
// which takes the focus, is no key of the deck's. And where no sample is on the screen, as the next
// ones are still on their way, there is nothing to decide on: the deck claims such a key as one of
// its own, and has no more to save than before.
window.typed = 0;
window.idle = [];
const toSave = (deck) => deck.querySelector("[data-state]")?.textContent.match(/^[\\d,]*/)[0];
addEventListener("keydown", (event) => {
  const number = window.typed++;
  const dialog = event.composedPath().some((each) => each.getAttribute?.("role") === "dialog");
  if (dialog) window.idle.push(number);
  const deck = document.querySelector('[data-testid="stBidiComponentIsolated"]')?.shadowRoot;
  if (dialog || !deck || deck.querySelector("[data-sample-id]")) return;
  const before = toSave(deck);
  event.stopImmediatePropagation = () => {
    Event.prototype.stopImmediatePropagation.call(event);
    queueMicrotask(() => toSave(deck) === before && window.idle.push(number));
  };
}, true);
"""
CATEGORY_OF = {"r": "red", "w": "white", "c": "cava", "Delete": None}


class DeckPage:
    """One browser tab with the deck of ``project``.

    ``expected`` collects what was decided: each key, with the sample that was on the screen
    when its turn came.
    """

    def __init__(
        self,
        context: BrowserContext,
        url: str,
        project: str,
        transport: str,
        recorded: bool = True,
    ) -> None:
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        if recorded:
            self.page.add_init_script(RECORDER)
        if transport == "state":
            self.page.route(EXCHANGE, lambda route: route.abort())
        self.address = f"{url}/label_tabular?project={project}"
        self.keys: list[str] = []
        self.ignored = 0
        self.earlier: list[tuple[str, str | None]] = []

    def open(self) -> DeckPage:
        self.page.goto(self.address)
        self.wait_ready()
        return self

    def wait_ready(self) -> None:
        self.page.locator("[data-sample-id]").wait_for(timeout=60_000)
        self.wait_saved()

    def wait_ahead(self, number: int) -> None:
        """Wait until so many samples are at hand: without a server no others come."""
        self.wait_for(f"{DECK}.querySelector('.deck').dataset.ahead >= {number}")

    def wait_taken(self) -> None:
        """Wait until every key has had its sample, and the one after it is on the screen."""
        self.wait_for(f"shown.length > {len(self.keys)} - idle.length")

    def label_all(self) -> None:
        """Decide on every sample that is at hand, until an empty screen has been painted."""
        while ahead := self.ahead:
            self.press("r")
            self.wait_for(f"{DECK}.querySelector('.deck').dataset.ahead < {ahead}")
        self.page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    @property
    def ahead(self) -> int:
        """How many samples are at hand, the one on the screen included."""
        return int(self.page.locator("[data-ahead]").get_attribute("data-ahead") or 0)

    def wait_saved(self, timeout: float = 180_000) -> None:
        expect(self.page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible(
            timeout=timeout
        )

    def wait_until_streamlit_is_back(self) -> None:
        """Some seconds without a server, and a dialog of Streamlit's comes over the page."""
        state = self.page.locator('[data-test-connection-state="CONNECTED"]')
        expect(state).to_have_count(1, timeout=120_000)
        expect(self.page.get_by_role("dialog")).to_have_count(0)

    @property
    def sample(self) -> str | None:
        return self.page.locator("[data-sample-id]").get_attribute("data-sample-id")

    def count(self, name: str) -> int:
        number = self.page.locator(f'[data-count="{name}"]')
        expect(number).to_have_text(re.compile(r"\d"))  # a dash until the first reply
        return int(number.inner_text().replace(",", ""))

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.keys.append(key)

    def type_keys(self, number: int, rate: float, keys: str = "rwc") -> None:
        """Press ``number`` keys, ``rate`` a second."""
        start = time.monotonic()
        for i in range(number):
            self.press(keys[i % len(keys)])
            time.sleep(max(0.0, start + (i + 1) / rate - time.monotonic()))

    def take_turns(self, keys: Iterable[str]) -> None:
        """Press each key once a sample is painted, so that none finds the next on their way."""
        for key in keys:
            self.page.locator("[data-sample-id]:not([data-unseen])").wait_for()
            self.press(key)

    def label(self, number: int, truth: Callable[[str], str]) -> dict[str, str]:
        """Label so many samples by the keys of their true categories, each once it is painted;
        sample → category."""
        pairs = self.page.locator("[data-category]").evaluate_all(
            "all => all.map(each => [each.dataset.category, each.dataset.key])"
        )
        keys, found = dict(pairs), {}
        for _ in range(number):
            self.page.locator("[data-sample-id]:not([data-unseen])").wait_for()
            sample = self.sample or ""
            found[sample] = truth(sample)
            self.page.keyboard.press(keys[found[sample]])
            expect(self.page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)
        return found

    def wait_session(self, number: int) -> None:
        """Wait until the deck tells of that session or a later one; the process that learns gives
        way to all others."""
        reached = re.compile("^(" + "|".join(map(str, range(number, number + 20))) + ")$")
        told = self.page.locator("[data-session-id]")
        expect(told).to_have_attribute("data-session-id", reached, timeout=600_000)

    def press_in_one_tick(self, number: int) -> None:
        keys = ["rwc"[i % 3] for i in range(number)]
        self.page.evaluate(
            """keys => { for (const key of keys) document.body.dispatchEvent(new KeyboardEvent(
              "keydown", {key, bubbles: true, composed: true, cancelable: true})) }""",
            keys,
        )
        self.keys += keys

    def decided(self) -> list[tuple[str, str | None]]:
        """(sample, category) in the order of the keys, of which none waits; valid while nobody
        navigates."""
        shown: list[Any] = self.page.evaluate("window.shown")
        lost = set(self.page.evaluate("window.idle"))
        self.keys = [key for number, key in enumerate(self.keys) if number not in lost]
        self.page.evaluate("window.idle = []")
        self.ignored += len(lost)
        assert len(shown) >= len(self.keys), "a key was taken for a sample that was not shown"
        pairs = zip(shown, self.keys, strict=False)
        return self.earlier + [(sample, CATEGORY_OF[key]) for sample, key in pairs]

    def reload_when(self, the_server_answers: Callable[[], None]) -> None:
        """Reload; what was decided so far counts on, though the page has forgotten it."""
        self.wait_taken()
        self.earlier, self.keys = self.decided(), []
        with self.page.expect_request(lambda request: request.is_navigation_request()):
            self.page.evaluate("window.left = true; setTimeout(() => location.reload(), 50)")
        the_server_answers()
        self.wait_for("!window.left && window.shown?.length >= 0")

    def close(self) -> list[tuple[str, str | None]]:
        """Close the tab as a person does (pagehide runs); what was decided in it."""
        self.wait_taken()
        decided = self.decided()
        self.page.close(run_before_unload=False)
        return decided

    def count_places(self) -> None:
        """From now on ``window.places`` tells how many places the deck has been in: Streamlit may
        take it off the page and put it in again, as it does after an outage."""
        self.page.evaluate(PLACES % DECK)

    def wait_for(self, expression: str, arg: Any = None) -> None:
        """Until a JavaScript expression is true; Playwright's own way needs an eval in the page,
        which its Content-Security-Policy forbids."""
        end = time.monotonic() + 120
        while not self._evaluate(expression, arg):
            assert time.monotonic() < end, expression
            self.page.wait_for_timeout(20)

    def _evaluate(self, expression: str, arg: Any) -> Any:
        try:
            return self.page.evaluate(expression, arg)
        except PlaywrightError:  # the page is just being loaded
            return None
