"""The README's own command on an empty database: from the first page to a rising curve."""

from __future__ import annotations

import csv
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from app_server import ROOT, AppServer
from playwright.sync_api import Browser, BrowserContext, Page, expect

LEARNED = 300_000  # milliseconds: the process that learns gives way to all others
PAGES = ("", "label_tabular", "query_sampler", "session_progress", "simulation", "settings")
TRUTH = {
    tuple(float(value) for value in row[:-1]): row[-1]
    for row in csv.reader((ROOT / "data/wine_colour/answers.csv").read_text().splitlines()[1:])
}
FINISHED = '[data-test-script-state="notRunning"]'
CARD = """() => {
  const deck = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot;
  const card = deck.querySelector("[data-sample-id]");
  return card ? [card.dataset.sampleId, card.innerText] : [null, ""];
}"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    """The app as the README starts it, its database not there yet."""
    started = AppServer(tmp_path)
    started.command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    started.start()
    yield started
    if started.process:
        started.stop()


def colour(text: str) -> str:
    """The true colour of the wine whose card reads ``text``: its numbers in their order."""
    numbers = []
    for line in text.splitlines():
        try:
            numbers.append(float(line))
        except ValueError:
            continue
    return TRUTH[tuple(numbers)]


def label_truly(page: Page, number: int, seconds: float = 0.05) -> None:
    """Press the key of the true colour for so many wines."""
    last = None
    for _ in range(number):
        sample, text = page.evaluate(CARD)
        while sample in (None, last):  # between two portions there may be none for a moment
            sample, text = page.evaluate(CARD)
        last = sample
        page.keyboard.press(colour(text)[0])
        time.sleep(seconds)


@pytest.mark.parametrize("name", PAGES)
def test_a_deep_link_opens_in_its_frame_without_an_error_and_without_the_web(
    server: AppServer, context: BrowserContext, name: str
) -> None:
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda r: server.url in r.url or foreign.append(r.url))
    page.goto(f"{server.url}/{name}")
    expect(page.get_by_role("link", name="Session progress")).to_be_visible()
    expect(page.locator("[data-stale]").first).to_be_attached()
    expect(page).to_have_url(re.compile("project=wine_colour"))
    expect(page.locator(FINISHED)).to_have_count(1)
    page.wait_for_timeout(2000)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    assert [url for url in foreign if not url.startswith(("data:", "blob:", "ws://127."))] == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways(
    server: AppServer, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{server.url}/{name}")
        expect(page.get_by_test_id("stMain").locator("[data-stale]").first).to_be_attached()
        expect(page.locator(FINISHED)).to_have_count(1)
        page.wait_for_timeout(2500)
        overflow = page.evaluate(
            "() => Math.max(...[document.documentElement, "
            "...document.querySelectorAll('[data-testid=stMain]')]"
            ".map(each => each.scrollWidth - each.clientWidth))"
        )
        assert overflow <= 0, name
    context.close()


def test_sessions_appear_by_themselves_and_the_curve_ends_above_97_percent(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/label_tabular")
    page.locator("[data-sample-id]").wait_for(timeout=60_000)
    for session in range(1, 6):  # how far they lag behind quick fingers is the machine's speed
        label_truly(page, 20)
        expect(page.locator(f'[data-session-id="{session}"]')).to_be_visible(timeout=LEARNED)
    expect(page.locator('[data-count="labeled"]')).to_have_text("100")
    page.get_by_role("link", name="Session progress").click()
    expect(page.get_by_text("Accuracy by")).to_be_visible()
    shown = page.locator('[data-testid="stMetric"]', has_text="Accuracy").inner_text()
    assert float(shown.split()[-1].rstrip("%")) > 97
    page.wait_for_timeout(500)
    server.stop()
    with duckdb.connect(str(server.path)) as connection:
        sessions = connection.execute(
            "SELECT session_id, state, labels FROM labeling.sessions ORDER BY session_id"
        ).fetchall()
        counts = connection.execute(
            "SELECT count(*), count(DISTINCT sample_id), count(uncertainty), "
            "min(session_id), max(session_id) FROM wine_colour_queries"
        ).fetchone()
        both = connection.execute(
            "SELECT count(*) FROM wine_colour_queries JOIN wine_colour_metadata USING (sample_id)"
        ).fetchone()
        wrong = connection.execute(
            "SELECT count(*) FROM wine_colour_metadata WHERE session_id > 5 OR label IS NULL"
        ).fetchone()
    assert [each[:2] for each in sessions] == [(i, "DONE") for i in range(1, 6)]
    assert counts == (3024, 3024, 3024, 5, 5)
    assert both == wrong == (0,)


def test_a_session_by_hand_from_the_query_sampler(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/label_tabular")
    page.locator("[data-sample-id]").wait_for(timeout=60_000)
    label_truly(page, 15)
    expect(page.locator('[data-state="saved"]')).to_be_visible()
    page.get_by_role("link", name="Query sampler").click()
    page.get_by_role("button", name="Run a session now").click()
    expect(page.get_by_text("Next in the queue")).to_be_visible(timeout=LEARNED)
    expect(page.get_by_text("Session 1: ", exact=False).first).to_be_visible()
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


def test_the_app_starts_beside_a_database_it_cannot_use(
    tmp_path: Path, context: BrowserContext
) -> None:
    started = AppServer(tmp_path)
    started.command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    shutil.copy(ROOT / "README.md", started.path)
    started.start()
    page = context.new_page()
    page.goto(f"{started.url}/session_progress")
    expect(page.get_by_text("is not a DuckDB database")).to_be_visible()
    started.stop()
    assert started.path.read_bytes() == (ROOT / "README.md").read_bytes()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_deck_tells_how_efficient_labeling_still_is(
    server: AppServer, browser: Browser, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(f"{server.url}/label_tabular")
    page.locator("[data-sample-id]").wait_for(timeout=60_000)
    bar = page.locator('[data-part="halting"]')
    expect(bar).to_be_hidden()
    label_truly(page, 20)
    expect(bar).to_have_attribute("data-halting", "efficient", timeout=LEARNED)
    expect(bar).to_contain_text("Efficient")
    expect(bar).to_contain_text("clearly more uncertain than a random draw")
    mark, scale = (bar.locator(each).bounding_box() for each in ("i", ".scale"))
    assert mark and scale
    middle = (mark["x"] + mark["width"] / 2 - scale["x"]) / scale["width"]
    assert 0 <= middle <= 1 / 3
    inside = page.evaluate(
        "() => { const deck = document.querySelector('[data-testid=stBidiComponentIsolated]')"
        ".shadowRoot.querySelector('.deck'); return deck.scrollWidth <= deck.clientWidth }"
    )
    assert inside
    rows = bar.evaluate("bar => bar.getBoundingClientRect().height")
    assert rows < 30
    context.close()
