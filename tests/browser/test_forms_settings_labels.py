"""Labels that exist are brought in on the settings page, and taken back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from app_server import ROOT, AppServer, settings_for
from forms import Form, newest
from forms import stored as settings_of
from playwright.sync_api import BrowserContext, expect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project without active learning."""
    server = AppServer(tmp_path_factory.mktemp("labels"))
    server.make_tables({"told": "SELECT 'W-' || i AS sku, i AS number FROM range(20) t(i)"})
    server.make_projects([settings_for("told", source="told", queries_table="")], wines=False)
    server.start()
    yield server
    server.stop()


def stored(server: AppServer) -> list[tuple[Any, ...]]:
    with server.tables() as tables:
        return tables.execute(
            "SELECT sample_id, label, annotator FROM told_metadata ORDER BY label_id"
        ).fetchall()


def test_labels_are_looked_at_brought_in_and_taken_back(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=told")
    text = "number,kind,label,who\n1,red,x,kim\n2,white,x,kim\n3,rosé,x,kim\n99,red,x,kim\n4,red\n"
    file = {"name": "labels.csv", "mimeType": "text/csv", "buffer": text.encode()}
    form.upload("File of labels", file)
    form.choose("Format of the file", "A table")
    form.choose("Samples are told by", "number")
    form.text("Column of labels", "kind")
    form.radio("Where labels contradict", "The file holds")
    form.switch("The labeled samples are a random draw")
    form.press("Dry run")
    expect(form.page.get_by_text("4 annotations were read")).to_be_visible()
    expect(form.page.get_by_text("No category: “rosé” (1).")).to_be_visible()
    name, content = form.download("What cannot be taken")
    assert name == "not_taken.csv"
    assert content.decode().splitlines()[1] == '6,"This line has 2 cells, the header 4."'
    form.switch("Unknown labels become categories")
    expect(form.page.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    form.press("Dry run")
    form.press("Import")
    expect(form.page.get_by_text("Import 1: 3 labels of labels.csv are stored.")).to_be_visible()
    assert [each[1:] for each in stored(server)] == [
        ("red", "import 1"), ("white", "import 1"), ("rosé", "import 1")]  # fmt: skip
    told = newest(server, "told", "import")
    assert told["random_draw"] and told["wins"] == "import" and told["created"] == ["rosé"]

    form.reload()
    with form.popover("Take back an import"):
        form.choose("Import", "1: 3 labels of labels.csv", runs=False)  # the only one
        form.press("Take it back")
    expect(form.page.get_by_text("Import 1 is taken back: 3 labels are gone.")).to_be_visible()
    assert stored(server) == []


def of_pictures(form: Form, name: str, packed: io.BytesIO) -> Form:
    """The form of a new project with a zip of pictures in it."""
    form.open("settings?new=1")
    form.choose("Modality", "Images")
    form.upload("Images, or a zip of them", {
        "name": name, "mimeType": "application/zip", "buffer": packed.getvalue(),
    })  # fmt: skip
    return form


def test_sub_folders_become_categories(server: AppServer, context: BrowserContext) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, each in enumerate(sorted((ROOT / "data/digits").glob("*.png"))[:6]):
            archive.write(each, f"{('even', 'odd')[number % 2]}/{each.name}" if number else "x.png")
    form = of_pictures(Form(context, server), "sorted.zip", packed)
    form.switch("Sub-folders are categories")
    form.text("Name", "sorted")
    form.switch("Active learning")
    form.press("Create the project")
    form.page.locator("[data-sample-id='x.png']").wait_for()  # the only one without a label
    assert [each["name"] for each in settings_of(server, "sorted")["categories"]] == ["odd", "even"]
    with server.tables() as tables:
        found = tables.execute("SELECT label, origin, count(*) FROM sorted_metadata GROUP BY ALL")
        assert sorted(found.fetchall()) == [("even", "import", 2), ("odd", "import", 3)]


def test_a_file_of_labels_is_the_start_of_a_folder_of_pictures(
    server: AppServer, context: BrowserContext
) -> None:
    names = [each.name for each in sorted((ROOT / "data/digits").glob("*.png"))[:6]]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.write(ROOT / "data/digits" / name, name)
    form = of_pictures(Form(context, server), "told.zip", packed)
    lines = [
        "path,label",
        *(f"{name},{('even', 'odd')[n % 2]}" for n, name in enumerate(names[:5])),
    ]
    text = "\n".join([*lines, "elsewhere.png,odd"])
    form.upload("Labels that are there", {
        "name": "known.csv", "mimeType": "text/csv", "buffer": text.encode(),
    })  # fmt: skip
    form.switch("The labeled samples are a random draw")
    form.text("Name", "known")
    form.switch("Active learning")
    form.press("Dry run")
    expect(form.page.get_by_text("6 annotations were read")).to_be_visible()
    with server.tables() as tables:  # nothing was made
        assert not tables.execute(
            "SELECT * FROM labeling.projects WHERE project_id = 'known'"
        ).fetchall()
    form.press("Create the project")
    form.page.locator(f"[data-sample-id='{names[5]}']").wait_for()
    assert [each["name"] for each in settings_of(server, "known")["categories"]] == ["even", "odd"]
    told = newest(server, "known", "import")
    assert told["random_draw"] and told["file"] == "known.csv"
    with server.tables() as tables:
        found = tables.execute("SELECT label, origin, count(*) FROM known_metadata GROUP BY ALL")
        assert sorted(found.fetchall()) == [("even", "import", 3), ("odd", "import", 2)]
