"""A table that is labeled while its features are computed, which is stopped, and goes on."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer, decisions
from deck_page import DeckPage
from forms import Form
from playwright.sync_api import BrowserContext, expect

ROWS = 300_000  # so many that the features take several seconds anywhere
WORDS = "'word ' || i % {0} || ' and word ' || i * 7 % {0} AS text_{0}"
TABLE = (
    "SELECT i AS number, (i % 2) * 10 + random() AS x, "
    + ", ".join(WORDS.format(each) for each in (1001, 2003))
    + f" FROM range({ROWS}) t(i)"
)
BAR = re.compile(r"Reading the (samples|columns)|Fitting the features|Computing the features")
READY = 300.0  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("features")))
    server.make_projects([])
    server.make_tables({"many": TABLE})
    server.start()
    yield server
    server.stop()


def test_a_table_is_labeled_while_its_features_are_computed_and_nothing_is_lost(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.text("Name", "large")
    form.editor.add_row(0, Name="low")
    form.editor.add_row(1, Name="high")
    form.button("Create the project").click()
    form.page.locator("[data-sample-id]").wait_for(timeout=120_000)

    deck = DeckPage(context, server.url, "large", "post").open()
    side = deck.page.get_by_test_id("stSidebar")
    bar = side.get_by_test_id("stProgress")
    expect(bar).to_contain_text(BAR)
    wanted = label(deck, 6)
    first = bar.inner_text()
    expect(bar).not_to_have_text(first)  # it moves
    wanted += label(deck, 6)
    expect(bar).to_be_visible()  # it was labeled meanwhile

    deck.page.get_by_role("button", name="Stop reading").click()
    expect(side.get_by_text("Stopped.")).to_be_visible()
    wanted += label(deck, 6)
    deck.page.reload()
    deck.wait_ready()
    expect(side.get_by_text("Stopped.")).to_be_visible()  # nothing starts it by itself
    deck.page.get_by_role("button", name="Go on reading").click()
    expect(bar).to_contain_text(BAR)
    wanted += label(deck, 6)
    deck.wait_saved()
    expect(bar).to_have_count(0, timeout=READY * 1000)
    assert decisions(server, "large") == wanted
    end = time.monotonic() + READY
    while not sessions(server):  # the labels of the first seconds are learned from
        assert time.monotonic() < end, "nothing was learned"
        time.sleep(0.5)
    assert deck.errors == []


def label(deck: DeckPage, number: int) -> list[tuple[str, str | None, str | None]]:
    """Decide on so many samples by a key; what is wanted of each."""
    found = []
    for at in range(number):
        sample = deck.sample or ""
        deck.page.keyboard.press("lh"[at % 2])
        expect(deck.page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)
        found.append((sample, ("low", "high")[at % 2], None))
    return found


def sessions(server: AppServer) -> int:
    with server.tables() as tables:
        row = tables.execute("SELECT count(*) FROM labeling.sessions WHERE state = 'DONE'")
        return int((row.fetchone() or (0,))[0])
