"""What assistive technology has of the deck: a sample is labeled by roles and names alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DECK, DeckPage
from playwright.sync_api import Browser, BrowserContext, expect

FOCUS_IS_IN_THE_WINDOW = f"{DECK}.activeElement?.closest('dialog') !== null"


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(tmp_path_factory.mktemp("assistive"))
    server.make_projects([settings_for("wines"), settings_for("fast")])
    server.start()
    yield server
    server.stop()


def test_a_sample_is_labeled_by_roles_and_names_only(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/label_tabular?project=wines")
    expect(page.get_by_role("heading", level=1)).to_have_text("wines")
    deck = page.get_by_role("region", name="Labeling deck")
    said = deck.get_by_role("status").first
    expect(said).to_have_text(re.compile(r"^New sample: fixed acidity [\d.]+, volatile acidity"))
    sample = deck.get_by_role("group", name="Sample")
    read = sample.aria_snapshot()
    assert "fixed acidity" in read and "alcohol" in read
    deck.get_by_role("textbox", name="Comment").fill("cloudy")
    deck.get_by_role("button", name="W white").click()
    expect(said).to_have_text(re.compile(r"^Last: white\. New sample: fixed acidity"))
    assert sample.aria_snapshot() != read
    deck.get_by_role("button", name="Skip").click()
    expect(said).to_have_text(re.compile(r"^Last: skipped\. New sample"))
    deck.get_by_role("button", name="← Back").click()
    expect(said).to_have_text(re.compile(r"Decision 2 of 2: fixed acidity"))
    deck.get_by_role("button", name="C cava").click()
    expect(said).to_have_text(re.compile(r"^Last: cava\. New sample"))
    expect(deck.get_by_text("All saved", exact=True)).to_be_visible()
    assert [row[1:] for row in decisions(server, "wines")] == [("white", "cloudy"), ("cava", None)]


def test_of_many_keys_only_the_last_decision_is_said(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "fast", "post").open()
    said = deck.page.get_by_role("status").filter(has_text="New sample")
    expect(said).to_have_count(1)
    said.evaluate(
        """element => { window.heard = [];
        new MutationObserver(() => window.heard.push(element.textContent))
          .observe(element, { childList: true, characterData: true, subtree: true }) }"""
    )
    deck.press_in_one_tick(12)
    expect(said).to_have_text(re.compile("^Last: cava"))
    assert len(deck.page.evaluate("window.heard")) == 1


def test_the_window_of_keys_is_modal_and_gives_the_focus_back(
    server: AppServer, context: BrowserContext
) -> None:
    deck = DeckPage(context, server.url, "fast", "post").open()
    button = deck.page.get_by_role("button", name="Keys")
    button.focus()
    deck.page.keyboard.press("?")
    window = deck.page.get_by_role("dialog", name="Keys")
    expect(window).to_be_focused()
    for _ in range(8):  # or to the browser's own buttons
        deck.page.keyboard.press("Tab")
        assert deck.page.evaluate(FOCUS_IS_IN_THE_WINDOW)
    deck.page.keyboard.press("Escape")
    expect(window).to_be_hidden()
    expect(button).to_be_focused()
