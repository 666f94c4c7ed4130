"""Keyboards of the world: what is made and labeled by them, as Chromium gets it from a system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from app_server import AppServer, decisions, settings_for
from deck_page import DeckPage
from forms import Form, stored
from playwright.sync_api import Browser, BrowserContext, Page, expect

from labeling_core.settings import Category

ALT, SHIFT = 1, 8  # as the browser's protocol counts them


class Struck(NamedTuple):
    """A key: what it writes in its layout, and where it is."""

    key: str
    code: str
    modifiers: int = 0


# Name of the project → its categories, each with the key that it is given and where that is.
MADE = {
    "طيور": {"صقر": Struck("ص", "KeyW"), "بومة": Struck("ب", "KeyF")},
    "ציפורים": {"נשר": Struck("נ", "KeyB"), "ינשוף": Struck("י", "KeyH")},
    "鸟类": {"老鹰": Struck("1", "Digit1"), "猫头鹰": Struck("2", "Digit2")},
    "새 소리": {"독수리": Struck("1", "Digit1"), "올빼미": Struck("2", "Digit2")},
    "เสียงนก": {"แมว": Struck("แ", "KeyC"), "สุนัข": Struck("ส", "KeyL")},
}
# Layout → for each category its key, and how that is struck.
LAYOUTS = {
    "us": {"r": Struck("r", "KeyR"), "[": Struck("[", "BracketLeft"), "1": Struck("1", "Digit1")},
    "german": {
        "ö": Struck("ö", "Semicolon"),
        "z": Struck("z", "KeyY"),
        "@": Struck("@", "KeyQ"),  # with AltGr, which is no Alt to a page
        "ß": Struck("ß", "Minus"),
    },
    "french": {
        "a": Struck("a", "KeyQ"),
        "1": Struck("1", "Digit1", SHIFT),
        "&": Struck("&", "Digit1"),
        "é": Struck("é", "Digit2"),
        "#": Struck("#", "Digit3"),  # with AltGr
    },
    "mac": {"ł": Struck("ł", "KeyL", ALT), "@": Struck("@", "KeyL", ALT)},  # with Option
}


@pytest.fixture(scope="module")
def server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("app")))
    server.make_projects(
        [
            settings_for(
                name, categories=tuple(Category(f"labeled {key}", key=key) for key in keys)
            )
            for name, keys in LAYOUTS.items()
        ]
    )
    server.start()
    yield server
    server.stop()


def strike(page: Page, key: Struck) -> None:
    """Press and release a key of whatever layout."""
    session = page.context.new_cdp_session(page)
    event = {"key": key.key, "code": key.code, "modifiers": key.modifiers}
    session.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": key.key, **event})
    session.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})
    session.detach()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_of_a_layout_means_what_it_writes(
    server: AppServer, context: BrowserContext, layout: str
) -> None:
    deck = DeckPage(context, server.url, layout, "post").open()
    for number, key in enumerate(LAYOUTS[layout].values(), start=2):
        strike(deck.page, key)
        deck.wait_for(f"shown.length === {number}")
    deck.wait_saved()
    found = [label for _, label, _ in decisions(server, layout)]
    assert found == [f"labeled {key}" for key in LAYOUTS[layout]]


@pytest.mark.parametrize("name", MADE)
def test_a_project_is_made_and_labeled_in_every_script(
    server: AppServer, context: BrowserContext, name: str
) -> None:
    categories = MADE[name]
    rows = "\n".join(f"{at},{name} {at}" for at in range(12))
    form = Form(context, server).open("settings?new=1")
    table = f"number,{name}\n{rows}".encode()
    form.upload(
        "CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text",
        {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": table},
    )
    form.text("Name", name)
    for row, each in enumerate(categories):
        form.editor.add_row(row, Name=each)
    form.press("Create the project")
    sheet = form.page.locator("[data-sample-id]")
    for each, key in categories.items():
        button = form.page.locator(f'[data-category="{each}"]')
        expect(button).to_have_attribute("data-key", key.key)
        before = sheet.get_attribute("data-sample-id")
        strike(form.page, key)
        expect(sheet).not_to_have_attribute("data-sample-id", str(before))
        expect(form.page.locator('[data-part="verdict"] bdi')).to_have_text(each)
    expect(form.page.locator('[data-state="saved"]:not([data-failing])')).to_be_visible()
    project = form.page.url.rpartition("project=")[2].partition("&")[0]
    settings = stored(server, project)
    assert settings["title"] == name
    with server.tables() as tables:
        found = tables.execute(
            f'SELECT label, annotator FROM "{settings["metadata_table"]}" ORDER BY label_id'
        ).fetchall()
    assert [label for label, _ in found] == list(categories)
