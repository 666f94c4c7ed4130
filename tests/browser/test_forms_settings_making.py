"""A project that takes long to make: told how long, stopped, and made at last."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer
from forms import Form, stored
from playwright.sync_api import BrowserContext, expect

# Rows that take so long to work out, at each reading, that making the project takes several
# seconds on any machine, and no room at all: a table of as many seconds would have millions.
SLOW = "SELECT i, md5(repeat(i::VARCHAR, 4000)) AS words FROM range(100_000) t(i)"
TOLD = re.compile(r"Making the project for (\d+) s")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("making")))
    server.make_projects([])
    # By its name the first of the tables: the one that is chosen where nobody chooses.
    server.make_tables({"a_slow_view": SLOW}, kind="VIEW")
    server.start()
    yield server
    server.stop()


def test_a_project_tells_how_far_it_is_is_stopped_and_made_at_the_second_try(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.text("Name", "large")
    form.editor.add_row(0, Name="a")
    form.editor.add_row(1, Name="b")
    create = form.button("Create the project")

    create.click()  # and what runs then does so again and again: nothing to wait for the end of
    bar = form.page.get_by_text(TOLD)
    expect(bar).to_be_visible()
    expect(create).to_be_disabled()
    first = seconds(bar.inner_text())
    expect(bar).not_to_have_text(f"Making the project for {first} s")  # it moves
    form.press("Stop making it")
    expect(form.page.get_by_text("Stopped: no project was made")).to_be_visible()
    expect(create).to_be_enabled()
    expect(form.field("textbox", "Name")).to_have_value("large")

    create.click()
    expect(bar).to_be_visible()
    form.page.locator("[data-sample-id]").wait_for(timeout=120_000)
    assert stored(server, "large")["source"] == "a_slow_view"


def seconds(text: str) -> int:
    found = TOLD.search(text)
    assert found
    return int(found[1])
