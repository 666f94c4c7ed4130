"""The README's own command on an empty database: from the first page to a rising curve."""

from __future__ import annotations

import csv
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from app_server import ROOT, AppServer
from playwright.sync_api import Browser, BrowserContext, Page, expect

LEARNED = 300_000  # milliseconds: the process that learns gives way to all others
PAGES = ("", "label_tabular", "query_sampler", "session_progress", "simulation", "settings")
ANSWERS = ROOT / "data/wine_colour/answers.csv"
TRUTH = {
    tuple(float(value) for value in row[:-1]): row[-1]
    for row in csv.reader(ANSWERS.read_text("utf-8").splitlines()[1:])
}
FINISHED = '[data-test-script-state="notRunning"]'
# Done when fonts are there and nothing has changed its size for ten frames.
STEADY = """async () => {
  await document.fonts.ready;
  const sizes = () => [...document.querySelectorAll("body *")]
    .map((each) => `${each.scrollWidth} ${each.scrollHeight}`).join();
  let [before, same] = [sizes(), 0];
  while (same < 10) {
    await new Promise(requestAnimationFrame);
    const now = sizes();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}"""
CARD = """() => {
  const deck = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot;
  const card = deck.querySelector("[data-sample-id]");
  return card ? [card.dataset.sampleId, card.innerText] : [null, ""];
}"""


@contextmanager
def from_nothing(folder: Path) -> Iterator[AppServer]:
    """The app as the README starts it, its database not there yet."""
    started = AppServer(folder)
    started.command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    started.start()
    yield started
    if started.process:
        started.stop()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    """A new instance for a test that labels."""
    with from_nothing(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One instance for all tests that only look at it."""
    with from_nothing(tmp_path_factory.mktemp("untouched")) as started:
        yield started


def wait_drawn(page: Page) -> None:
    """Wait until the page has run, what it asked for has come, and it keeps its size."""
    expect(page.locator("[data-stale]").first).to_be_attached()
    expect(page.locator(FINISHED)).to_have_count(1)
    page.wait_for_load_state("networkidle")
    page.evaluate(STEADY)


def colour(text: str) -> str:
    """The true colour of the wine whose card reads ``text``: its numbers in their order."""
    numbers = []
    for line in text.splitlines():
        try:
            numbers.append(float(line))
        except ValueError:
            continue
    return TRUTH[tuple(numbers)]


def next_card(page: Page, last: str | None) -> tuple[str, str]:
    """The sample that is in front after ``last``, and what its card reads."""
    sample, text = page.evaluate(CARD)
    while sample in (None, last):  # between two portions there may be none for a moment
        sample, text = page.evaluate(CARD)
    return sample, text


def label_truly(page: Page, number: int) -> None:
    """Press the key of the true colour for so many wines; the last has been decided then."""
    last = None
    for _ in range(number):
        last, text = next_card(page, last)
        page.keyboard.press(colour(text)[0])
    next_card(page, last)


@pytest.mark.parametrize("name", PAGES)
def test_a_deep_link_opens_in_its_frame_without_an_error_and_without_the_web(
    untouched: AppServer, context: BrowserContext, name: str
) -> None:
    page = context.new_page()
    foreign: list[str] = []
    page.on("request", lambda r: untouched.url in r.url or foreign.append(r.url))
    page.goto(f"{untouched.url}/{name}")
    expect(page.get_by_role("link", name="Session progress")).to_be_visible()
    expect(page).to_have_url(re.compile("project=wine_colour"))
    wait_drawn(page)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    assert [url for url in foreign if not url.startswith(("data:", "blob:", "ws://127."))] == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_scrolls_sideways(
    untouched: AppServer, browser: Browser, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for name in PAGES:
        page.goto(f"{untouched.url}/{name}")
        expect(page.get_by_test_id("stMain").locator("[data-stale]").first).to_be_attached()
        wait_drawn(page)
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
    expect(page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
    page.get_by_role("link", name="Session progress").click()
    expect(page.get_by_text("Accuracy by")).to_be_visible()
    shown = page.locator('[data-testid="stMetric"]', has_text="Accuracy").inner_text()
    assert float(shown.split()[-1].rstrip("%")) > 97
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
