"""A browser that is killed with samples in its hands: the next one of the same person goes on with
them at once, and nobody is robbed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from app_server import AppServer, settings_for
from conftest import CHROMIUM_ARGS
from login_provider import LoginProvider, hosted_server, sign_in
from playwright.sync_api import Browser, Page, expect
from test_login import give_role

PROJECTS = ("alone", "two")


class OwnChromium:
    """A Chromium of its own, with a profile in ``folder`` that outlives it."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        path = shutil.which("chromium-headless-shell") or shutil.which("chromium") or ""
        folder.mkdir(exist_ok=True)
        port_file = folder / "DevToolsActivePort"
        port_file.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [path, *CHROMIUM_ARGS, "--headless", "--remote-debugging-port=0",
             f"--user-data-dir={folder}", "about:blank"],
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 60
        while not (port_file.exists() and "\n" in port_file.read_text("utf-8")):
            assert time.monotonic() < end and self.process.poll() is None
            time.sleep(0.05)
        address = "http://127.0.0.1:" + port_file.read_text("utf-8").splitlines()[0]
        self.page: Page = browser.browser_type.connect_over_cdp(address).contexts[0].new_page()
        self.page.set_default_timeout(60_000)

    def kill(self) -> None:
        """SIGKILL: no goodbye to anybody."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)  # a script may stand before the browser
        self.process.wait(timeout=60)


@pytest.fixture(scope="module")
def local(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("local")))
    server.make_projects([settings_for("alone_one"), settings_for("alone_another")])
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hosted(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("hosted")
    provider = LoginProvider(folder)
    server = hosted_server(folder, provider)
    server.make_projects([settings_for(each) for each in PROJECTS])
    server.start()
    yield server
    server.stop()
    provider.stop()


def open_deck(page: Page, server: AppServer, project: str) -> str:
    """The sample on the screen, once the deck has all that it asks for at first."""
    page.goto(f"{server.url}/label_tabular?project={project}")
    page.locator("[data-sample-id]").wait_for()
    expect(page.locator('[data-state="saved"]')).to_be_visible()
    return shown(page)


def shown(page: Page) -> str:
    return str(page.locator("[data-sample-id]").get_attribute("data-sample-id"))


def next_samples(page: Page, number: int) -> list[str]:
    """The samples that come one after the other, each labeled."""
    found = []
    for _ in range(number):
        found.append(shown(page))
        page.keyboard.press("r")
        front = page.locator(f'[data-sample-id="{found[-1]}"]')
        expect(front).to_have_count(0)
    return found


def held(server: AppServer, project: str) -> list[str]:
    """What the server has reserved, in the order of the queue."""
    with server.tables() as connection:
        rows = connection.execute(
            "SELECT sample_id FROM labeling.reservations WHERE project_id = ? AND sample_id NOT IN "
            f"(SELECT sample_id FROM {project}_metadata) ORDER BY place",
            [project],
        ).fetchall()
    return [sample_id for (sample_id,) in rows]


@pytest.fixture
def chromium(browser: Browser, tmp_path: Path) -> Iterator[Callable[[str], OwnChromium]]:
    """Start a Chromium with the profile of this name."""
    started: list[OwnChromium] = []

    def start(profile: str) -> OwnChromium:
        started.append(OwnChromium(browser, tmp_path / profile))
        return started[-1]

    yield start
    for each in started:
        each.kill()


@pytest.mark.parametrize("profile", ["one", "another"])
def test_without_a_login(
    local: AppServer, chromium: Callable[[str], OwnChromium], profile: str
) -> None:
    first = chromium("one")
    open_deck(first.page, local, f"alone_{profile}")
    next_samples(first.page, 2)
    expect(first.page.locator('[data-state="saved"]')).to_be_visible()
    before = held(local, f"alone_{profile}")
    first.kill()
    second = chromium(profile)  # with the cookie of the first, or without
    assert open_deck(second.page, local, f"alone_{profile}") == before[0]
    assert next_samples(second.page, 10) == before[:10]


def test_with_a_login_and_never_from_somebody_else(
    hosted: AppServer, browser: Browser, chromium: Callable[[str], OwnChromium]
) -> None:
    admin = browser.new_context().new_page()
    sign_in(admin, hosted.url, "admin")
    for who in ("ana@example.org", "vera@example.org"):
        give_role(admin, hosted, who, "annotator")
    admin.context.close()
    first = chromium("first")
    sign_in(first.page, hosted.url, "ana")
    open_deck(first.page, hosted, "alone")
    before = held(hosted, "alone")
    first.kill()

    second = chromium("second")
    sign_in(second.page, hosted.url, "ana")
    assert open_deck(second.page, hosted, "alone") == before[0]
    assert next_samples(second.page, 5) == before[:5]
    open_deck(second.page, hosted, "two")
    anas = held(hosted, "two")
    second.kill()

    vera = chromium("vera")
    sign_in(vera.page, hosted.url, "vera")
    open_deck(vera.page, hosted, "two")
    veras = [each for each in held(hosted, "two") if each not in anas]
    assert next_samples(vera.page, 5) == veras[:5]

    third = chromium("third")
    sign_in(third.page, hosted.url, "ana")
    assert open_deck(third.page, hosted, "two") not in veras
    assert not set(next_samples(third.page, 5)) & set(veras)
