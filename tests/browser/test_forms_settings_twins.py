"""Files that are there twice: a dry run, the label of the one for the other, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import Annotator
from app_server import AppServer
from broken_media import encoded, photo, write_all
from forms import Form
from picture_project import SETTINGS, read, take_all
from playwright.sync_api import BrowserContext, expect
from prepared import workspace_of

from labeling_core.projects.lifecycle import create_project


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project of pictures, each there three times, one of each two labeled."""
    folder = Path(tmp_path_factory.mktemp("twins"))
    write_all(folder / "pictures", {
        f"{n}{end}": encoded(photo(16, 16, seed=n), end.rpartition(".")[2].upper())
        for n in range(4) for end in (".png", "_copy.png", ".bmp")
    })  # fmt: skip
    patch = pytest.MonkeyPatch()
    patch.setenv("LABELING_DATA_ROOTS", str(folder))
    server = AppServer(folder)
    with workspace_of(server) as workspace:
        settings = replace(SETTINGS, title="twins", source=str(folder / "pictures"),
                           probe_share=0.0, queries_table="")  # fmt: skip
        project = create_project(workspace.database, settings)
        read(workspace, project)
        ana = Annotator(workspace, project)
        ids = [each["sample_id"] for each in take_all(ana)]
        wanted = {"0.png": "a", "1.bmp": "b"}
        ana.send([ana.decision(each, "label", category=wanted[each]) for each in ids
                  if each in wanted])  # fmt: skip
        ana.send(release=True, holding=[each for each in ids if each not in wanted])
    server.start()
    yield server
    server.stop()
    patch.undo()


def stored(server: AppServer) -> list[tuple[Any, ...]]:
    with server.tables() as tables:
        return tables.execute(
            "SELECT sample_id, label, origin FROM p_metadata WHERE origin = 'import' ORDER BY ALL"
        ).fetchall()


def test_a_label_follows_on_consent_and_is_taken_back(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("label_images?project=twins")
    form.go("8 files are there twice")
    expect(form.page.get_by_text("8 files are the same as another")).to_be_visible()
    expect(form.button("Label them alike")).to_be_disabled()
    form.press("Dry run")
    expect(form.page.get_by_text("4 would get a label.")).to_be_visible()
    assert stored(server) == []

    form.press("Label them alike")
    expect(form.page.get_by_text("Import 1: 4 labels are stored.")).to_be_visible()
    assert stored(server) == [
        ("0.bmp", "a", "import"), ("0_copy.png", "a", "import"),
        ("1.png", "b", "import"), ("1_copy.png", "b", "import")]  # fmt: skip
    form.press("Dry run")
    expect(form.page.get_by_text("None of them would get a label.")).to_be_visible()
    form.reload()
    with form.popover("Take back an import"):
        form.choose("Import", "1: 4 labels of the same files", runs=False)
        form.press("Take it back")
    expect(form.page.get_by_text("Import 1 is taken back: 4 labels are gone.")).to_be_visible()
    assert stored(server) == []
