"""The deck for every hand: the focus moves as elsewhere, and people choose what keys do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DeckPage
from playwright.sync_api import Browser, BrowserContext, Page, expect

PROJECTS = ("walked", "chosen", "pressed")
FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  const { category, part } = at.dataset;
  return at.dataset.do ?? category ?? part ?? "";
}"""


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("app")))
    server.make_projects([settings_for(each) for each in PROJECTS])
    server.start()
    yield server
    server.stop()


def walk_to(page: Page, name: str) -> list[str]:
    """Press Tab until the focus is on the part ``name`` of the deck; where it was on the way."""
    seen: list[str] = []
    while name not in seen:
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
        assert len(seen) < 60, seen
    return [each for each in seen if each]


def choose(deck: DeckPage, habit: str) -> None:
    """Open the window of keys, turn a choice round, and close the window, all by keys."""
    deck.page.keyboard.press("?")
    box = deck.page.locator(f'[data-habit="{habit}"]')
    before = box.is_checked()
    box.focus()
    deck.page.keyboard.press("Space")
    expect(box).to_be_checked(checked=not before)
    deck.page.keyboard.press("Escape")
    expect(deck.page.locator('[data-part="help"]')).to_be_hidden()


def test_tab_walks_forward_through_the_deck_and_decides_nothing(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "walked", "post").open()
    way = walk_to(deck.page, "help")
    order = [each for each in way if each in ("red", "white", "cava", "comment", "skip", "help")]
    assert order == ["red", "white", "cava", "comment", "skip", "help"]
    before = deck.sample
    walk_back = ["Shift+Tab"] * 2
    for key in walk_back:
        deck.page.keyboard.press(key)
    assert deck.page.evaluate(FOCUSED) not in ("help", "")
    assert deck.sample == before
    while deck.page.evaluate(FOCUSED) != "white":
        deck.page.keyboard.press("Shift+Tab")
    deck.page.keyboard.press("Enter")  # presses the button that has the focus
    deck.wait_for("shown.length === 2")
    while deck.page.evaluate(FOCUSED) != "red":
        deck.page.keyboard.press("Shift+Tab")
    deck.page.keyboard.press("Space")
    deck.wait_for("shown.length === 3")
    for number, key in enumerate(("Delete", "Shift+ArrowRight", "c"), start=4):
        deck.page.keyboard.press(key)  # the focus stays where it is, and keys stay keys
        deck.wait_for(f"shown.length === {number}")
    deck.wait_saved()
    labels = [label for _, label, _ in decisions(server, "walked")]
    assert labels == ["white", "red", None, None, "cava"]
    assert deck.errors == []


def test_tab_skips_for_those_who_have_chosen_so_also_after_a_reload(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "chosen", "post").open()
    cap = deck.page.locator('[data-part="skip-key"]')
    expect(cap).to_have_text("Del")
    choose(deck, "tab")
    expect(cap).to_have_text("Tab")
    deck.page.reload()
    deck.wait_ready()
    expect(cap).to_have_text("Tab")
    deck.page.keyboard.press("Tab")
    deck.wait_for("shown.length === 2")
    deck.page.keyboard.press("Shift+Tab")
    choose(deck, "tab")
    deck.page.keyboard.press("Tab")
    deck.page.keyboard.press("r")
    deck.wait_for("shown.length === 3")
    deck.wait_saved()
    assert [label for _, label, _ in decisions(server, "chosen")] == [None, "red"]


def test_without_single_keys_categories_are_found_or_pressed(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "pressed", "post").open()
    keyboard, finder = deck.page.keyboard, deck.page.locator('[data-part="finder"]')
    expect(finder).to_be_hidden()  # three categories, each with a key
    choose(deck, "single")
    deck.page.reload()
    deck.wait_ready()
    expect(finder).to_be_visible()
    expect(deck.page.locator(".category kbd").first).to_be_hidden()
    before = deck.sample
    for key in ("r", "1", "/", "?", " "):
        keyboard.press(key)
    keyboard.press("Enter")
    keyboard.type("cav")
    keyboard.press("Enter")
    deck.wait_for("shown.length === 2")
    walk_to(deck.page, "red")
    keyboard.press("Enter")
    deck.wait_for("shown.length === 3")
    keyboard.press("Delete")
    deck.wait_for("shown.length === 4")
    deck.page.locator('.moves [data-do="help"]').click()
    listed = deck.page.locator('[data-part="help-keys"] kbd').all_inner_texts()
    assert [each for each in listed if len(each) == 1 and each.isascii()] == []
    assert {"Del", "⌫", "⇧+⏎"} <= set(listed)
    deck.wait_saved()
    rows = decisions(server, "pressed")
    assert [label for _, label, _ in rows] == ["cava", "red", None]
    assert rows[0][0] == before
