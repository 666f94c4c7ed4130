"""A long recording: cut by the form, its windows labeled by keys, with some seconds around them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer
from forms import Form, stored
from long_recording import truth, write
from playwright.sync_api import BrowserContext, expect

from labeling_core.sources import windows

SECONDS = 120.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server whose folder holds a recording of two minutes."""
    folder = Path(tmp_path_factory.mktemp("windows"))
    write(folder / "night/one.wav", SECONDS)
    patch = pytest.MonkeyPatch()
    patch.setenv("LABELING_DATA_ROOTS", str(folder))
    server = AppServer(folder)
    server.make_projects([])
    server.start()
    yield server
    server.stop()
    patch.undo()


def test_a_recording_is_cut_by_the_form_and_labeled_by_keys(
    server: AppServer, context: BrowserContext, tmp_path: Path
) -> None:
    told = write(tmp_path / "same.wav", SECONDS)
    form = Form(context, server).open("settings?new=1")
    form.text("Name", "night")
    form.choose("Modality", "Sounds")
    form.segment("Samples from", "Use a folder on the server")
    form.text("Folder", "night")
    form.number("Window (seconds)", 5)
    form.number("Overlap (seconds)", 4.9)
    form.number("Shown around (seconds)", 2)
    form.page.get_by_text("Add several", exact=True).click()
    form.text("One name per line", "high\nlow\nnothing", runs=False)
    form.press("Add them")
    form.press("Create the project")
    expect(form.page.get_by_text("Windows overlap by 0 to 90 % of their length.")).to_be_visible()
    form.number("Overlap (seconds)", 0)
    form.press("Create the project")
    front = form.page.locator("[data-front][data-sample-id]")
    front.locator("img").wait_for()
    settings = stored(server, "night")
    cut = {name: settings[f"window_{name}"] for name in ("seconds", "overlap", "context")}
    assert cut == {"seconds": 5.0, "overlap": 0.0, "context": 2.0}
    keys = {each["name"]: each["key"] for each in settings["categories"]}
    expected = {}
    for _ in range(8):
        sample = front.get_attribute("data-sample-id") or ""
        path, span = windows.split(sample)
        assert path == "one.wav" and span is not None
        front.locator("img").wait_for()
        around = front.locator(".around")
        assert around.count() == 2
        shown = min(span.end + 2, SECONDS) - max(span.start - 2, 0)
        clock = front.locator("figcaption").inner_text()
        assert clock.split("/")[1].strip().startswith(f"0:0{shown:.1f}")
        expected[sample] = truth(told, *span)
        form.page.keyboard.press(keys[expected[sample]])
        form.page.wait_for_function(
            "before => document.querySelector('[data-testid=\"stBidiComponentIsolated\"]')"
            ".shadowRoot.querySelector('[data-front]').dataset.sampleId !== before",
            arg=sample,
        )
    form.page.locator('[data-state="saved"]:not([data-failing])').wait_for()
    with server.tables() as tables:
        labels = dict(tables.execute("SELECT path, label FROM night_labels").fetchall())
    assert labels == expected
