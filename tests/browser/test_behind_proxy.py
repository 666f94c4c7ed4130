"""The app behind nginx: at the root of a host and below a path, known to the app or stripped."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import nginx_proxy
import pytest
from app_server import AppServer, decisions, free_port, settings_for
from deck_page import DeckPage
from login_provider import LoginProvider, hosted_server, sign_in
from nginx_proxy import Proxy
from playwright.sync_api import Browser, Page, expect
from test_media_decks import CHOSEN, part, project

from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS

PATH = "/labeling"  # also where the app's own routes begin, which must not get mixed up


class Way(NamedTuple):
    """How a browser gets to the app: below ``path``, which the proxy strips or passes on."""

    path: str
    strips: bool
    tls: bool
    buffers: bool

    @property
    def base(self) -> str:
        """What the app knows of the path."""
        return "" if self.strips else self.path


WAYS = {
    "at the root": Way("", strips=False, tls=True, buffers=True),
    "known to the app": Way(PATH, strips=False, tls=True, buffers=True),
    "stripped": Way(PATH, strips=True, tls=True, buffers=False),
    "stripped, deep, without TLS": Way("/a/b", strips=True, tls=False, buffers=True),
}


class Visit(NamedTuple):
    """A tab of a new browser, the address under which it finds the app, and the server behind."""

    page: Page
    url: str
    server: AppServer

    def deck(self, page: str, name: str) -> DeckPage:
        """The deck of a project, on its page."""
        deck = DeckPage(self.page.context, self.url, name, "post")
        deck.address = f"{self.url}/{page}?project={name}"
        return deck.open()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nginx_proxy.require()
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def servers(folder: Path) -> Iterator[Callable[[str], AppServer]]:
    """The app by what it knows of its path; started at the first use."""
    made: dict[str, AppServer] = {}
    images, sounds = part(folder / "i", "digits", 40), part(folder / "s", "spoken_words", 6)
    patch = pytest.MonkeyPatch()
    patch.setenv("LABELING_DATA_ROOTS", str(folder))

    def server(base: str) -> AppServer:
        if base not in made:
            home = folder / f"app{len(made)}"
            home.mkdir()
            made[base] = AppServer(home, base)
            made[base].make_projects([
                project("seen", DIGITS, source=str(images), categories=CHOSEN),
                project("heard", SPOKEN_WORDS, source=str(sounds)),
                settings_for("cellar"),
                settings_for("taken"),
            ])  # fmt: skip
            made[base].start()
        return made[base]

    yield server
    for each in made.values():
        each.stop()
    patch.undo()


@pytest.fixture
def visit(
    folder: Path, servers: Callable[[str], AppServer], browser: Browser
) -> Iterator[Callable[[str], Visit]]:
    """Come to the app on one of WAYS. At the end nothing may have been asked for that is not
    below the app's own address, nor a script have failed."""
    ended: list[Callable[[], object]] = []
    wrong: list[str] = []

    def come(name: str) -> Visit:
        way = WAYS[name]
        server = servers(way.base)
        proxy = Proxy(folder / f"proxy{len(list(folder.iterdir()))}", server.port, *way)
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, ignore_https_errors=True
        )
        context.set_default_timeout(60_000)
        ended.extend([context.close, proxy.stop])
        page = context.new_page()
        context.on("request", lambda each: wrong.extend(astray(each.url, proxy.url)))
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        return Visit(page, proxy.url, server)

    yield come
    for end in ended:
        end()
    assert wrong == []


def astray(asked: str, app: str) -> list[str]:
    """The address, if it is not below that of the app."""
    return [asked] if asked.startswith("http") and not asked.startswith(f"{app}/") else []


@pytest.mark.parametrize("name", WAYS)
def test_images_are_labeled_with_the_keyboard(name: str, visit: Callable[[str], Visit]) -> None:
    seen = visit(name)
    deck = seen.deck("label_images", "seen")
    before = len(decisions(seen.server, "seen"))
    for key in "zl":
        image = deck.page.locator("[data-sample-id][data-front] img")
        expect(image).to_be_visible()
        assert image.evaluate("each => each.naturalWidth") > 0
        shown = deck.sample
        deck.press(key)
        expect(deck.page.locator("[data-front]")).not_to_have_attribute(
            "data-sample-id", shown or ""
        )
    deck.wait_saved()
    stored = decisions(seen.server, "seen")[before:]
    assert [each[1] for each in stored] == ["nought", "one"]
    assert deck.page.context.cookies(seen.url)[0]["path"] in ("/", WAYS[name].base or "/")


@pytest.mark.parametrize("name", ["known to the app", "stripped"])
def test_sounds_play_and_records_are_labeled_on_the_pages_one_clicks_to(
    name: str, visit: Callable[[str], Visit]
) -> None:
    page, url, server = came = visit(name)
    deck = came.deck("label_sounds", "heard")
    expect(deck.page.locator("[data-front] img")).to_be_visible()
    deck.wait_for("document.querySelector('[data-testid=stBidiComponentIsolated]').shadowRoot"
                  ".querySelector('[data-front] audio').duration > 0")  # fmt: skip
    before = len(decisions(server, "cellar"))
    page.goto(f"{url}/?project=cellar")
    page.get_by_role("link", name="Label tabular").click()
    page.locator("[data-sample-id]").wait_for()
    page.keyboard.press("w")
    expect(page.locator('[data-count="labeled"]')).to_have_text(str(before + 1))
    expect(page.locator('[data-state="saved"]')).to_be_visible()
    assert [each[1] for each in decisions(server, "cellar")[before:]] == ["white"]
    page.get_by_role("link", name="Projects").click()
    expect(page).to_have_url(re.compile(f"^{re.escape(url)}/?([?].*)?$"))
    page.goto(f"{url}/label_tabular/?project=cellar")  # a slash too many is taken away
    expect(page).to_have_url(f"{url}/label_tabular?project=cellar")
    page.locator("[data-sample-id]").wait_for()


@pytest.mark.parametrize("name", ["known to the app", "stripped"])
def test_a_table_is_downloaded(name: str, visit: Callable[[str], Visit]) -> None:
    page, url, server = came = visit(name)
    deck = came.deck("label_tabular", "taken")
    deck.press("r")
    deck.wait_saved()
    page.goto(f"{url}/session_progress?project=taken")
    with page.expect_download() as download:
        page.get_by_role("link", name="Metadata", exact=True).click()
    with Path(download.value.path()).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == [each[1] for each in decisions(server, "taken")]


@pytest.mark.parametrize("name", ["known to the app", "stripped"])
def test_after_the_login_the_page_that_was_asked_for_opens_and_one_can_leave(
    name: str, folder: Path, browser: Browser
) -> None:
    way = WAYS[name]
    home = folder / f"login{len(list(folder.iterdir()))}"
    home.mkdir()
    provider = LoginProvider(home)
    port = free_port()
    proxy = Proxy(home / "nginx", port, *way)
    server = hosted_server(home, provider, way.base, proxy.url)
    server.port = port
    context = browser.new_context(ignore_https_errors=True)
    try:
        server.make_projects([settings_for("cellar")])
        server.start()
        page = context.new_page()
        sign_in(page, f"{proxy.url}/session_progress?project=cellar", "admin", proxy.url)
        expect(page).to_have_url(f"{proxy.url}/session_progress?project=cellar")
        expect(page.get_by_text("admin@example.org")).to_be_visible()
        secure = {each["name"]: each["secure"] for each in context.cookies(proxy.url)}
        assert secure["labeling_browser"]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="End session").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
        expect(page).to_have_url(re.compile(f"^{re.escape(proxy.url)}/"))
    finally:
        context.close()
        proxy.stop()
        server.stop()
        provider.stop()
