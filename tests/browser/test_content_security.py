"""The security headers in a real browser: they hold, and nothing of the app is broken by them."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import ROOT, AppServer
from playwright.sync_api import BrowserContext, expect

from labeling_core.web.security_headers import HEADERS

PAGES = (
    "", "query_sampler?project=wine_colour", "session_progress?project=wine_colour",
    "settings?project=wine_colour", "people",
)  # fmt: skip
DECKS = (
    "label_tabular?project=wine_colour", "label_images?project=digits",
    "label_sounds?project=spoken_words",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The app as the README starts it, with its sample projects."""
    started = AppServer(tmp_path_factory.mktemp("headers"))
    started.command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    started.start()
    yield started
    started.stop()


@pytest.mark.parametrize("path", ["/", "/settings", "/_stcore/health", "/labeling/media/x"])
def test_every_response_carries_them(server: AppServer, path: str) -> None:
    request = urllib.request.Request(server.url + path)
    try:
        with urllib.request.urlopen(request) as response:
            headers = response.headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    for name in (*HEADERS, "Content-Security-Policy"):
        assert headers[name], name


def test_pages_decks_figures_and_downloads_work_under_them(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on(
        "console",
        # Streamlit looks for its own addresses below a deep link first: that is a 404.
        lambda each: each.type == "error" and "404" not in each.text and told.append(each.text),
    )
    for path in PAGES:
        page.goto(f"{server.url}/{path}")
        expect(page.locator("[data-testid=stHeading]").first).to_be_visible()
    for path in DECKS:
        page.goto(f"{server.url}/{path}")
        page.locator("[data-sample-id]:not([data-unseen])").wait_for(timeout=60_000)
    page.goto(f"{server.url}/session_progress?project=wine_colour")
    figure = page.locator(".js-plotly-plot").first
    figure.hover(timeout=60_000)
    for button in (
        page.locator("[data-title^='Download plot']").first,
        page.get_by_role("link", name="Labels", exact=True),
    ):
        with page.expect_download() as download:
            button.click()
        assert Path(download.value.path()).stat().st_size > 0
    assert told == []


def test_no_other_site_can_frame_the_app(server: AppServer, context: BrowserContext) -> None:
    page = context.new_page()
    with page.expect_console_message(lambda each: "frame-ancestors" in each.text):
        page.set_content(f'<iframe src="{server.url}/"></iframe>')


def test_markup_in_a_page_cannot_run_a_script(server: AppServer, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(server.url)
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
    }""")
    assert page.evaluate("window.ran") is None
