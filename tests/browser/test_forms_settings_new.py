"""A new project, made by its form: of each kind of source, each field other than it was."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_server import ROOT, AppServer
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect

# Of 1.234,5|… nothing is found out by itself: one column of text, dots as decimal marks.
GUESSED = "größe|art\n1,5|klein\n2,25|groß\n".encode("cp1252")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server, on which each test makes its project."""
    folder = Path(tmp_path_factory.mktemp("new"))
    (folder / "shelf").mkdir()
    for each in sorted((ROOT / "data/digits").glob("*.png"))[:5]:
        shutil.copy(each, folder / "shelf")
    (folder / "shelf" / "film.mov").touch()
    server = AppServer(folder)
    server.make_projects([])
    server.make_tables({"known": "SELECT i, 'red' AS colour FROM range(9) t(i)",
                        "numbers": "SELECT i FROM range(30) t(i)"})  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        server.start()
    yield server
    server.stop()


def fill_in(form: Form, name: str) -> dict[str, Any]:
    """Change what projects of all kinds have; what of it is stored."""
    form.text("Name", name)
    form.text("Labels table", f"{name}_l")
    form.text("Metadata table", f"{name}_m")
    form.text("Queries table", f"{name}_q")
    form.text("Label column", "colour")
    form.text("Label id column", "colour_id")
    form.choose("Classifier", "Random forest")
    form.choose("Query strategy", "Smallest margin")
    form.choose("Measure", "Macro-F1")
    form.number("Retrain every n labelings", 12)
    form.slide("Share of probes (%)", 8)
    form.number("Samples that several people decide (%)", 25)
    form.number("People for each of them", 3)
    form.choose("Their final label is", "what they agree on; an adjudicator decides the rest")
    form.editor.add_row(
        0, Name="red", Order="2", Description="like wine", Key="x", Colour="#aa0011"
    )
    form.editor.add_row(1, Name="blue", Order="1")
    return {
        "title": name, "labels_table": f"{name}_l", "metadata_table": f"{name}_m",
        "queries_table": f"{name}_q", "label_column": "colour", "label_id_column": "colour_id",
        "classifier": "random_forest", "strategy": "margin", "measure": "macro_f1", "every": 12,
        "probe_share": 0.08, "overlap_share": 0.25, "overlap_people": 3,
        "final_label": "adjudicator",
    }  # fmt: skip


def made(form: Form, server: AppServer, name: str, wanted: dict[str, Any]) -> None:
    """Press the button: the project is labeled on its page, and holds what was entered."""
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    form.shows("combobox", {"Project": name})
    found = stored(server, name)
    assert {each: found[each] for each in wanted} == wanted
    assert [(each["name"], each["key"], each["description"]) for each in found["categories"]] == [
        ("blue", "b", ""), ("red", "x", "like wine"),
    ]  # fmt: skip
    assert found["categories"][1]["color"] == "#aa0011"
    assert newest(server, name, "created")
    form.go("Settings")
    form.shows("textbox", {"Name": name, "Labels table": f"{name}_l", "Label column": "colour"})
    form.shows("combobox", {"Classifier": "Random forest", "Query strategy": "Smallest margin",
                            "Measure": "Macro-F1"})  # fmt: skip
    form.shows("spinbutton", {"Retrain every n labelings": "12", "People for each of them": "3"})
    form.shows("group", {"Share of probes (%)": "8"})
    form.press("New project")  # nothing is left over from the one before
    form.shows("textbox", {"Name": "", "Labels table": "project_labels", "Label column": "label"})
    form.shows(
        "combobox", {"Classifier": "Automatic", "Modality": "Tabular", "Measure": "Accuracy"}
    )
    form.shows("spinbutton", {"Retrain every n labelings": "20"})
    form.shows("group", {"Share of probes (%)": "10"})
    expect(form.page.get_by_text("rows, ")).to_have_count(0)
    form.press("Back to the project")
    form.shows("textbox", {"Name": name})


def test_an_uploaded_table_is_read_as_the_form_says(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.upload(
        "CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text",
        {"name": "dinge.csv", "mimeType": "text/csv", "buffer": GUESSED},
    )
    form.shows("combobox", {"Delimiter": "pipe", "Decimal mark": "comma (1,5)"})
    form.choose("Delimiter", "semicolon")
    expect(form.page.get_by_text("2 rows, 1 column.")).to_be_visible()
    form.choose("Delimiter", "pipe")
    form.choose("Decimal mark", "point (1.5)")
    form.text("Encoding", "latin-1")
    expect(form.page.get_by_text("2 rows, 2 columns")).to_be_visible()
    form.text("Name of the new table", "things")
    wanted = fill_in(form, "things_project")
    made(form, server, "things_project", wanted | {"source": "things", "test_table": ""})
    with server.tables() as tables:
        found = tables.execute('SELECT "größe", art FROM things ORDER BY 1').fetchall()
    assert found == [("1,5", "klein"), ("2,25", "groß")]  # as the form says, not as was found out


def test_a_table_in_the_database_with_a_test_table(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.choose("Table to label", "numbers")
    wanted = fill_in(form, "counted")
    form.choose("Labeled test table", "known")
    made(form, server, "counted", wanted | {"source": "numbers", "test_table": "known"})
    with server.tables() as tables:
        named = {row[0] for row in tables.execute("DESCRIBE counted_m").fetchall()}
    assert {"colour", "colour_id"} <= named


def test_images_out_of_a_zip_with_their_features_chosen(
    server: AppServer, context: BrowserContext
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for each in sorted((ROOT / "data/digits").glob("*.png"))[:6]:
            archive.write(each, each.name.replace("digit_0001", "con"))
    form = Form(context, server).open("settings?new=1")
    form.choose("Modality", "Images")
    form.upload("Images, or a zip of them", {
        "name": "scans.zip", "mimeType": "application/zip", "buffer": packed.getvalue(),
    })  # fmt: skip
    expect(form.page.get_by_text("6 images.")).to_be_visible()
    expect(form.page.get_by_text("1 file stored under another name")).to_be_visible()
    form.text("Name of the new folder", "my_scans")
    wanted = fill_in(form, "scanned")
    made(form, server, "scanned", wanted | {"modality": "images", "source": "uploads/my_scans"})
    kept = {each.name for each in (server.folder / "uploads/my_scans").glob("*.png")}
    assert len(kept) == 6 and "_con.png" in kept


def test_images_of_a_folder_on_the_server(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("settings?new=1")
    form.choose("Modality", "Images")
    form.segment("Samples from", "Use a folder on the server")
    folder = str(server.folder / "shelf")
    form.text("Folder", folder)
    expect(form.page.get_by_text("5 images.")).to_be_visible()
    form.page.get_by_text("1 file not taken").click()
    table = form.page.get_by_test_id("stDataFrame").first
    expect(table).to_contain_text("Video (.mov): export pictures of it")
    suggested = form.page.get_by_text("Suggested: Colours, edges, thumbnail and Pretrained")
    expect(suggested).to_contain_text("needed 38, 42, 87 and 175 labels")
    form.add("What the model sees", "Pretrained embedding")
    expect(suggested).to_have_count(0)
    expect(form.page.get_by_text("knows far more of photographs")).to_be_visible()
    wanted = fill_in(form, "shelved") | {"modality": "images", "source": folder}
    made(form, server, "shelved", wanted | {"features": "classical+embedding"})


def test_sounds_that_are_uploaded_one_by_one(server: AppServer, context: BrowserContext) -> None:
    clips = sorted((ROOT / "data/spoken_words").glob("*.ogg"))[:3]
    form = Form(context, server).open("settings?new=1")
    form.choose("Modality", "Sounds")
    form.upload("Sounds, or a zip of them", *clips)
    expect(form.page.get_by_text("3 sounds.")).to_be_visible()
    form.text("Name of the new folder", "clips")
    wanted = fill_in(form, "heard")
    made(form, server, "heard", wanted | {"modality": "sounds", "source": "uploads/clips"})


def test_active_learning_turned_off_leaves_no_queries_table(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.choose("Table to label", "numbers")
    form.text("Name", "plain")
    form.switch("Active learning")
    form.editor.add_row(0, Name="a")
    form.editor.add_row(1, Name="b")
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    found = stored(server, "plain")
    assert (found["queries_table"], found["labels_table"]) == ("", "plain_labels")
    form.go("Settings")
    form.shows("switch", {"Active learning": "off"})
