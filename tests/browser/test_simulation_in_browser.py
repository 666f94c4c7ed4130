"""The one-click figure in a real browser: it runs, survives a reload, and can be stopped."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import ROOT, AppServer
from forms import IDLE
from playwright.sync_api import BrowserContext, expect

SLOW = 600_000  # milliseconds: the process behind it gives way to all others


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    """The app as the README starts it, its database not there yet."""
    started = AppServer(tmp_path)
    started.command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
    started.start()
    yield started
    started.stop()


def test_the_wine_colour_figure_appears_survives_a_reload_and_another_run_can_be_stopped(
    server: AppServer, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/simulation")
    page.get_by_role("button", name="Show the wine-colour figure").click(timeout=60_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(2, timeout=SLOW)
    assert "simulation=" in page.url
    page.reload()
    expect(page.locator(".js-plotly-plot")).to_have_count(2, timeout=SLOW)
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_have_count(0, timeout=SLOW)
    expect(page.get_by_text("Yes: “", exact=False)).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the runs").click()
    assert download.value.suggested_filename.endswith(".json")
    page.get_by_text("Replay your own data").click()
    seeds = page.get_by_role("spinbutton", name="Seeds")
    seeds.fill("100")
    seeds.press("Enter")
    expect(page.get_by_text("models to train")).to_contain_text("6,000")
    expect(page.locator(IDLE)).to_have_count(1)  # what is still drawn moves the button
    page.get_by_role("button", name="Run the simulation").click()
    stop.click(timeout=60_000)
    expect(page.get_by_text("Stopped by", exact=False)).to_be_visible(timeout=60_000)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
