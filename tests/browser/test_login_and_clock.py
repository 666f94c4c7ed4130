"""Hosted use while the server's clock is set: who has signed in is not locked out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import clocks
import pytest
from app_server import AppServer, settings_for
from clocks import Clock
from login_provider import LoginProvider, hosted_server, sign_in
from playwright.sync_api import BrowserContext, expect

PROJECT = "cellar"
pytestmark = pytest.mark.skipif(
    clocks.LIBRARY is None and "CI" not in os.environ, reason="needs Debian's package faketime"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    provider = LoginProvider(tmp_path)
    server = hosted_server(tmp_path, provider)
    server.make_projects([settings_for(PROJECT)])
    yield server
    server.stop()
    provider.stop()


def test_a_clock_that_is_set_back_signs_nobody_out(
    server: AppServer, context: BrowserContext
) -> None:
    clock, page = Clock(server), context.new_page()
    server.start()
    sign_in(page, server.url, "admin")
    page.goto(f"{server.url}/label_tabular?project={PROJECT}")
    page.locator("[data-sample-id]").wait_for(timeout=60_000)
    labeled, home = (
        page.locator('[data-count="labeled"]'),
        page.get_by_role("heading", name=PROJECT),
    )
    saved = page.locator('[data-state="saved"]:not([data-failing])')
    for number, offset in enumerate(("-1d", "-1y", "+2d"), start=1):
        clock.jump(offset)
        page.keyboard.press("w")
        expect(labeled).to_have_text(f"{number}")
        expect(saved).to_be_visible()
    clock.jump("-1y")
    page.goto(server.url)
    expect(home).to_be_visible()
    clock.jump("+40d")  # longer than a login lasts
    page.goto(server.url)
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    clock.jump("+0")
    page.goto(server.url)
    expect(home).to_be_visible()
