"""The sidebar: whose decisions they are, which project it is, how far its files are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from app_server import AppServer, settings_for
from forms import Form
from playwright.sync_api import BrowserContext, expect

from labeling_core.projects.sample_projects import DIGITS

SLOW = replace(
    DIGITS, title="slow", labels_table="slow_l", metadata_table="slow_m", queries_table="slow_q",
    features="embedding",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with three projects on a table, and one on files that are read for minutes."""
    server = AppServer(tmp_path_factory.mktemp("sidebar"))
    third = replace(settings_for("third"), title="Third one")  # its id is not its name
    server.make_projects([settings_for("first"), settings_for("second"), third, SLOW])
    server.start()
    yield server
    server.stop()


def test_the_name_is_kept_and_stands_beside_the_decisions(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("label_tabular?project=first")
    form.text("Your name", "Zoë")
    form.page.locator("[data-sample-id]").last.wait_for()
    form.page.locator("[data-sample-id]").last.click()
    form.page.keyboard.press("r")
    expect(form.page.locator('[data-count="labeled"]')).to_have_text("1")
    expect(form.page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
    with server.tables() as tables:
        assert tables.execute("SELECT annotator FROM first_metadata").fetchall() == [("Zoë",)]
        assert tables.execute("SELECT name FROM labeling.names").fetchall() == [("Zoë",)]
    form.reload()
    form.shows("textbox", {"Your name": "Zoë"})


def test_the_project_is_kept_from_page_to_page_and_over_a_reload(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("session_progress?project=first")
    form.choose("Project", "second")
    expect(form.page).to_have_url(re.compile("project=second"))
    expect(form.page.get_by_text("Project: second")).to_be_visible()
    form.go("Settings")
    form.shows("textbox", {"Name": "second"})
    form.reload()
    form.shows("combobox", {"Project": "second"})
    form.shows("textbox", {"Name": "second"})


def test_the_project_stays_when_it_is_given_another_name_in_another_tab(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("session_progress?project=first")
    form.choose("Project", "Third one")
    other = Form(context, server).open("settings?project=third_one")
    other.text("Name", "The third")
    other.press("Save")
    other.shows("combobox", {"Project": "The third"})
    for name in ("Ida", "Zoë"):  # the page runs again, and once more with what it has drawn
        form.text("Your name", name)
        expect(form.page.get_by_text("Project: The third")).to_be_visible()
        form.shows("combobox", {"Project": "The third"})


def test_reading_files_is_stopped_and_goes_on(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("label_images?project=slow")
    form.page.locator("[data-sample-id]").wait_for()
    form.press("Stop reading")
    expect(form.button("Go on reading")).to_be_visible()
    expect(form.page.get_by_text(re.compile("^Stopped"))).to_be_visible()
    form.reload()
    expect(form.page.get_by_text(re.compile("^Stopped"))).to_be_visible()
    form.press("Go on reading")
    expect(form.button("Stop reading")).to_be_visible()
    form.press("Stop reading")
    expect(form.button("Go on reading")).to_be_visible()
