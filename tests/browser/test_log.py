"""The log and changed categories in a real browser, beside a deck that stays open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DeckPage
from playwright.sync_api import BrowserContext, Page, TimeoutError, expect


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    """The app with one project."""
    started = AppServer(tmp_path)
    started.make_projects([settings_for("team")])
    started.start()
    yield started
    started.stop()


def select_first_row(page: Page) -> None:
    """Click where the table, a canvas, draws the first box; again if it was still being drawn."""
    history = page.get_by_text("History of sample").first
    for _ in range(10):
        box = page.locator('[data-testid="stDataFrame"]').first.bounding_box()
        assert box
        page.mouse.click(box["x"] + 12, box["y"] + 35 + 17)
        with suppress(TimeoutError):
            history.wait_for(timeout=4_000)
            return
    raise AssertionError("no row could be selected")


def test_an_open_deck_follows_a_renamed_category_and_the_log_puts_a_decision_back(
    context: BrowserContext, server: AppServer
):
    deck = DeckPage(context, server.url, "team", "route")
    deck.open()
    for key in "rwr":
        deck.press(key)
    deck.wait_saved()
    first = deck.page.evaluate("window.shown[0]")

    admin = context.new_page()
    admin.set_viewport_size({"width": 1280, "height": 1800})  # an open popover is in sight
    admin.goto(f"{server.url}/settings?project=team")
    admin.get_by_role("button", name="Rename", exact=False).first.click()
    category = admin.locator('[data-testid="stPopoverBody"]').get_by_role("combobox")
    category.fill("red")
    category.press("Enter")
    admin.get_by_label("New name").fill("rouge")
    admin.get_by_role("button", name="Rename it").click()
    expect(deck.page.get_by_role("button", name="rouge")).to_be_visible()
    deck.page.bring_to_front()
    deck.page.keyboard.press("r")
    deck.wait_saved()
    assert [each[1] for each in decisions(server, "team")] == ["rouge", "white", "rouge", "rouge"]

    admin.goto(f"{server.url}/log?project=team")
    admin.get_by_label("Sample", exact=True).fill(first)
    admin.get_by_label("Sample", exact=True).press("Enter")
    expect(admin.get_by_role("button", name="Download 1 event as CSV")).to_be_visible()
    deck.press("Backspace")  # takes the last decision back, not the one that is looked at
    deck.wait_saved()
    admin.get_by_label("Sample", exact=True).fill(deck.sample or "")
    admin.get_by_label("Sample", exact=True).press("Enter")
    expect(admin.get_by_role("button", name="Download 2 events as CSV")).to_be_visible()
    select_first_row(admin)
    admin.get_by_role("button", name="Restore this").click()
    expect(admin.get_by_text("is as it was")).to_be_visible()
    assert [each[1] for each in decisions(server, "team")] == ["rouge", "white", "rouge", "rouge"]
    assert not deck.errors
