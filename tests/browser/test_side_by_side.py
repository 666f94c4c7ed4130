"""Two people label side by side, each in a browser of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from app_server import AppServer, settings_for
from deck_page import DECK, DeckPage
from playwright.sync_api import Browser, BrowserContext, expect

from labeling_core.store.database import Database

TOKYO = "Asia/Tokyo"


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    app = AppServer(Path(tmp_path_factory.mktemp("app")))
    database = Database(app.path)
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE main.few AS SELECT i FROM range(8) t(i)")
    database.close()
    shared = settings_for("shared", source="few", overlap_share=1.0)
    app.make_projects([settings_for("few", source="few"), shared])
    app.start()
    yield app
    app.stop()


@pytest.fixture
def elsewhere(browser: Browser) -> Iterator[BrowserContext]:
    """The browser of somebody in another time zone."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, timezone_id=TOKYO, locale="de-DE"
    )
    yield context
    context.close()


def open_as(name: str, context: BrowserContext, server: AppServer, project: str) -> DeckPage:
    """Say one's name on a page without a deck, and go to the labeling page."""
    deck = DeckPage(context, server.url, project, "post")
    deck.page.goto(f"{server.url}/query_sampler?project={project}")
    field = deck.page.get_by_role("textbox", name="Your name")
    field.fill(name)
    field.press("Enter")
    deck.page.get_by_role("link", name="Label tabular").click()
    deck.wait_ready()
    return deck


# What is in front: a sample, or the sentence that none is left for this person.
FRONT = f"""(() => {{
  const OVER = /with another annotator|^Nothing is left|^Everything is decided/;
  const sample = {DECK}.querySelector("[data-sample-id]")?.dataset.sampleId;
  const said = {DECK}.querySelector('[data-part="empty"]').textContent;
  return sample ?? (OVER.test(said) ? "nothing" : null);
}})()"""


def label_the_rest(deck: DeckPage, key: str = "w") -> None:
    """Press the key until no sample is left for this person."""
    before = None
    while True:
        deck.wait_for(f"![null, {json.dumps(before)}].includes({FRONT})")
        if (before := deck.page.evaluate(FRONT)) == "nothing":
            return
        deck.page.keyboard.press(key)


def test_the_last_samples_with_somebody_else_are_told_in_the_own_time_zone(
    server: AppServer, context: BrowserContext, elsewhere: BrowserContext
) -> None:
    DeckPage(context, server.url, "few", "post").open()  # holds four of eight
    ben = open_as("ben", elsewhere, server, "few")
    label_the_rest(ben)
    told = ben.page.get_by_text("samples are with another annotator until")
    expect(told).to_be_visible()
    found = re.search(r"until (\d\d:\d\d)\.", told.inner_text())
    assert found, told.inner_text()
    now = datetime.now(ZoneInfo(TOKYO))
    assert found[1] in {(now + timedelta(minutes=m)).strftime("%H:%M") for m in range(8, 12)}


def test_both_decide_on_every_shared_sample_and_none_sees_the_others_labels(
    server: AppServer, context: BrowserContext, elsewhere: BrowserContext
) -> None:
    ana = DeckPage(context, server.url, "shared", "post").open()
    label_the_rest(ana, "r")
    ana.wait_saved()
    nothing = ana.page.get_by_text("Nothing is left for you: 8 decisions of other people")
    expect(nothing).to_be_visible()
    ben = open_as("ben", elsewhere, server, "shared")
    assert "red" not in ben.page.locator("[data-sample-id]").inner_text()
    label_the_rest(ben)
    ben.wait_saved()
    connection = server.tables()
    found = connection.execute(
        "SELECT sample_id, list(label ORDER BY label), count(DISTINCT annotator) "
        "FROM shared_metadata GROUP BY sample_id"
    ).fetchall()
    finals = connection.execute("SELECT count(*) FROM shared_labels").fetchall()
    connection.close()
    assert [row[1:] for row in found] == [(["red", "white"], 2)] * 8
    assert finals == [(0,)]
