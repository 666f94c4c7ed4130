"""A project whose every text is hostile: pages show them as texts, and nothing comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from app_server import AppServer, settings_for
from playwright.sync_api import BrowserContext, Page, expect

from labeling_core.settings import Category

HOSTILE = (
    "[text](https://else.org/a) ![picture](https://else.org/b.png) https://else.org/c www.else.org "
    "<img src=https://else.org/d> :red[red] :material/home: :smile: $x^2$ a@else.org"
)
TITLE = f"**{HOSTILE}**"[:200]
OTHER = "`[other](https://else.org/o)"
PAGES = (
    "", "label_tabular", "label_images", "query_sampler", "session_progress", "review",
    "simulation", "settings", "people", "storage", "log",
)  # fmt: skip
# Whatever leads or looks elsewhere, and what only Markdown of others can have made here.
SHOWN = "[data-testid=stHeading], [data-testid=stAlert], [data-sample-id]"
FOREIGN = (
    "a[href*='else.org'], img[src*='else.org'], [data-testid=stMarkdownContainer] :is(img, "
    "[data-testid=stIconMaterial], .stMarkdownColoredText, .katex, a)"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    started = AppServer(tmp_path_factory.mktemp("hostile"))
    categories = (Category(HOSTILE[:90]), Category(":red[two]"), Category("$x$", retired=True))
    settings = [
        settings_for("one", title=TITLE, categories=categories, queries_table="one_queries"),
        settings_for("two", title=OTHER, categories=categories),
    ]
    started.projects = started.make_projects(settings)
    started.start()
    yield started
    started.stop()


def expect_only_texts(page: Page) -> None:
    """The page has run to its end, and nothing on it is foreign."""
    shown = page.locator("[data-testid=stMain]").locator(SHOWN)
    expect(shown.first).to_be_visible()
    expect(page.locator("[data-test-script-state=notRunning]")).to_have_count(1)
    expect(page.locator(FOREIGN)).to_have_count(0)


def test_no_page_makes_anything_of_what_people_wrote(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{server.url}/?project={server.projects[0]}")
    page.get_by_label("Your name", exact=True).fill(f"{HOSTILE[:90]}")
    page.get_by_label("Your name", exact=True).press("Enter")
    for path in PAGES:
        page.goto(f"{server.url}/{path}?project={server.projects[0]}")
        expect_only_texts(page)
    assert not any("else.org/" in each.split("?")[0] for each in asked)
    page.goto(f"{server.url}/session_progress?project={server.projects[0]}")
    expect(page.get_by_text("Project: **[text](https:").first).to_be_visible()


def test_an_address_makes_no_link_in_a_warning(server: AppServer, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/?project={quote('[text](https://else.org) :red[x]')}")
    expect(page.get_by_text("There is no project “[text](https:")).to_be_visible()
    expect_only_texts(page)
