"""The settings of a project that is there: each field changed, saved, and seen again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from app_server import AppServer, settings_for
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect
from prepared import on_folder

from labeling_core.projects.categories import assign_keys
from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS
from labeling_core.settings import Settings

TABLES = {
    "wine_other": "SELECT * FROM wine_colour LIMIT 60",
    "wine_known": "SELECT *, 'red' AS colour FROM wine_colour LIMIT 50",
}
CELLAR = settings_for("cellar", queries_table="cellar_queries")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server, a project for each test."""
    folder = Path(tmp_path_factory.mktemp("settings"))
    pictures = [f"digit_{number:04}.png" for number in range(12)]
    clips = [f"clip_{number:03}.ogg" for number in range(6)]
    server = AppServer(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        wanted = [on_folder(folder, DIGITS, "pictures", pictures),
                  on_folder(folder, SPOKEN_WORDS, "clips", clips)]  # fmt: skip
        server.make_projects([*wanted, CELLAR, settings_for("other"), settings_for("turned")])
        server.make_tables(TABLES)
        for settings in wanted:
            for each in sorted(Path(settings.source).iterdir())[:4]:
                more = folder / f"more_{settings.title}"
                more.mkdir(exist_ok=True)
                shutil.copy(each, more)
        server.start()
    yield server
    server.stop()


def before(settings: Settings) -> dict[str, Any]:
    """The settings as they are stored when a project is made."""
    made = replace(settings, categories=assign_keys(settings.categories))
    return dict(json.loads(made.to_json()))


def category(name: str, key: str, color: str, description: str = "") -> dict[str, Any]:
    """A category as the settings hold it."""
    return {"name": name, "description": description, "color": color, "key": key,
            "retired": False, "learned": True}  # fmt: skip


def test_every_field_of_a_project_on_a_table_is_saved_and_seen_again(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=cellar")
    form.text("Name", "Cellar II")
    form.choose("Table to label", "wine_other")
    form.text("Labels table", "my_labels")
    form.text("Metadata table", "my_metadata")
    form.text("Queries table", "my_queries")
    form.text("Label column", "colour")
    form.text("Label id column", "colour_id")
    form.choose("Classifier", "Random forest")
    form.choose("Query strategy", "Greatest entropy")
    form.choose("Measure", "Balanced accuracy")
    form.number("Retrain every n labelings", 7)
    form.slide("Share of probes (%)", 3)
    form.choose("Labeled test table", "wine_known")
    form.number("Samples that several people decide (%)", 30)
    form.number("People for each of them", 3)
    form.choose("Their final label is", "what they agree on; an adjudicator decides the rest")
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    expect(form.page.get_by_role("alert")).to_have_count(0)
    expect(form.page.get_by_role("heading", name="Settings of Cellar II")).to_be_visible()
    form.shows("combobox", {"Project": "Cellar II"})
    assert stored(server, "cellar") == before(CELLAR) | {
        "title": "Cellar II", "source": "wine_other", "labels_table": "my_labels",
        "metadata_table": "my_metadata", "queries_table": "my_queries", "label_column": "colour",
        "label_id_column": "colour_id", "classifier": "random_forest", "strategy": "entropy",
        "measure": "balanced_accuracy", "every": 7, "probe_share": 0.03,
        "test_table": "wine_known", "overlap_share": 0.3, "overlap_people": 3,
        "final_label": "adjudicator",
    }  # fmt: skip
    with server.tables() as tables:
        for name in ("my_labels", "my_metadata"):
            named = [row[0] for row in tables.execute(f"DESCRIBE {name}").fetchall()]
            assert {"colour", "colour_id"} <= set(named), name
        assert tables.execute("SELECT count(*) FROM my_queries").fetchone() is not None
    form.reload()
    form.shows("textbox", {
        "Name": "Cellar II", "Labels table": "my_labels", "Metadata table": "my_metadata",
        "Queries table": "my_queries", "Label column": "colour", "Label id column": "colour_id",
    })  # fmt: skip
    form.shows("combobox", {
        "Project": "Cellar II", "Modality": "Tabular", "Table to label": "wine_other",
        "Classifier": "Random forest", "Query strategy": "Greatest entropy",
        "Measure": "Balanced accuracy", "Labeled test table": "wine_known",
        "Their final label is": "what they agree on; an adjudicator decides the rest",
    })  # fmt: skip
    form.shows("spinbutton", {
        "Retrain every n labelings": "7", "Samples that several people decide (%)": "30",
        "People for each of them": "3",
    })  # fmt: skip
    form.shows("group", {"Share of probes (%)": "3"})
    form.switch("Active learning")
    expect(form.field("textbox", "Queries table")).to_have_count(0)
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    assert stored(server, "cellar")["queries_table"] == ""
    form.reload()
    form.shows("switch", {"Active learning": "off"})
    form.choose("Project", "other")
    form.shows("textbox", {"Name": "other", "Labels table": "other_labels",
                           "Label column": "label"})  # fmt: skip
    form.shows("spinbutton", {"Retrain every n labelings": "20"})
    assert stored(server, "other") == before(settings_for("other"))


def test_categories_are_edited_ordered_added_and_taken_away(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=other")
    form.editor.cells(0, Description="pressed, with its skins", Key="x", Colour="#112233")
    form.editor.cells(1, Name="blanc")
    form.editor.add_row(3, Name="rosé", Order="1.5", Description="in between")
    form.editor.remove_row(2)
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    wanted = [
        category("red", "x", "#112233", "pressed, with its skins"),
        category("rosé", "r", "#0072B2", "in between"),  # the first colour that is free
        category("blanc", "w", "#E69F00"),
    ]
    assert stored(server, "other")["categories"] == wanted
    form.reload()
    assert form.editor.rows() == [
        ["1", "red", "pressed, with its skins", "x", "#112233"],
        ["2", "rosé", "in between", "r", "#0072B2"], ["3", "blanc", "", "w", "#E69F00"],
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "sample"), [("pictures", DIGITS), ("clips", SPOKEN_WORDS)])
def test_every_field_of_a_project_on_files_is_saved_and_seen_again(
    server: AppServer, context: BrowserContext, name: str, sample: Settings
) -> None:
    folder = str(server.folder / f"more_{name}")
    form = Form(context, server).open(f"settings?project={name}")
    old = stored(server, name)
    form.text("Name", f"{name} II")
    form.text("Folder", folder)
    expect(form.page.get_by_text(f"4 {sample.modality}.")).to_be_visible()
    form.text("Labels table", f"{name}_mine")
    form.text("Metadata table", f"{name}_about")
    form.text("Queries table", f"{name}_next")
    form.text("Label column", "what")
    form.text("Label id column", "what_id")
    form.choose("Classifier", "Random forest")
    form.choose("Query strategy", "Random")
    form.number("Retrain every n labelings", 11)
    form.slide("Share of probes (%)", 12)
    form.number("Samples that several people decide (%)", 50)
    form.number("People for each of them", 4)
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    assert stored(server, name) == old | {
        "title": f"{name} II", "source": folder, "labels_table": f"{name}_mine",
        "metadata_table": f"{name}_about", "queries_table": f"{name}_next",
        "label_column": "what", "label_id_column": "what_id", "classifier": "random_forest",
        "strategy": "random", "every": 11, "probe_share": 0.12, "overlap_share": 0.5,
        "overlap_people": 4,
    }  # fmt: skip
    form.reload()
    form.shows("textbox", {
        "Name": f"{name} II", "Folder": folder, "Labels table": f"{name}_mine",
        "Metadata table": f"{name}_about", "Queries table": f"{name}_next",
        "Label column": "what", "Label id column": "what_id",
    })  # fmt: skip
    form.shows("combobox", {
        "Modality": sample.modality.capitalize(), "Classifier": "Random forest",
        "Query strategy": "Random",
    })  # fmt: skip
    form.shows("spinbutton", {
        "Retrain every n labelings": "11", "Samples that several people decide (%)": "50",
        "People for each of them": "4",
    })  # fmt: skip


def test_a_project_that_nobody_has_labeled_in_can_be_turned_to_images(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=turned")
    form.choose("Modality", "Images")
    form.shows("textbox", {"Folder": ""})
    form.text("Folder", str(server.folder / "more_pictures"))
    form.press("Save")
    expect(form.page.get_by_text("Saved.")).to_be_visible()
    found = stored(server, "turned")
    assert (found["modality"], found["source"]) == (
        "images", str(server.folder / "more_pictures"),
    )  # fmt: skip
    form.reload()
    form.shows("combobox", {"Modality": "Images"})
    assert newest(server, "turned", "settings")
