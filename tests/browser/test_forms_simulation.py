"""The simulation page's form: each of its sources, and each field of the plan."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from app_server import ROOT, AppServer, settings_for
from forms import Form
from playwright.sync_api import BrowserContext, expect
from prepared import label_wines, workspace_of

SLOW = 600_000  # milliseconds: the process behind it gives way to all others
FILE = "kind,number\n" + "".join(f"{'ab'[i % 9 > 4]},{i % 9}\n" for i in range(90))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a source of each kind."""
    folder = tmp_path_factory.mktemp("simulation")
    for number, each in enumerate(sorted((ROOT / "data/digits").glob("*.png"))[:24]):
        (folder / "sorted" / "ab"[number % 2]).mkdir(parents=True, exist_ok=True)
        shutil.copy(each, folder / "sorted" / "ab"[number % 2])
    server = AppServer(folder)
    server.make_projects([settings_for("done"), settings_for("other")])
    server.make_tables({"known": "SELECT i % 9 AS number, i % 7 AS odd, "
                        "CASE WHEN i % 9 > 4 THEN 'a' ELSE 'b' END AS kind, "
                        "'c' || i % 2 AS category FROM range(90) t(i)"})  # fmt: skip
    with workspace_of(server) as workspace:
        label_wines(workspace, "done", 40)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        server.start()
    yield server
    server.stop()


def records(server: AppServer) -> list[dict[str, Any]]:
    """What is on record of the simulations, the oldest first."""
    found = sorted(server.folder.glob("*/simulations/*/simulation.json"))
    return [json.loads(each.read_text("utf-8")) for each in found]


def small(form: Form, batch: int) -> None:
    """A plan that takes a moment; no field as it was."""
    form.remove("Query strategies", "Automatic")
    form.add("Query strategies", "Greatest entropy")
    form.choose("Classifier", "Random forest")
    form.number("Batch size", batch)
    form.number("Budget", 8)
    form.number("Seeds", 2)


def test_each_source_is_replayed_as_the_form_says(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("simulation?project=done")
    form.choose("Table", "known")
    form.shows("combobox", {"Label column": "category"})  # by what such columns are called
    form.choose("Label column", "kind")
    small(form, 4)
    expect(form.page.get_by_text("12 models to train")).to_be_visible()
    form.press("Run the simulation")
    expect(form.page.get_by_text("Table known, label column kind")).to_be_visible()
    unfold(form)
    form.segment("Labeled data from", "A file")
    form.upload("CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text", {
        "name": "mine.csv", "mimeType": "text/csv", "buffer": FILE.encode(),
    })  # fmt: skip
    form.choose("Label column", "kind")
    form.press("Run the simulation")
    expect(form.page.get_by_text("File mine.csv, label column kind")).to_be_visible()
    form.segment("Labeled data from", "A folder")
    form.text("Folder of images or sounds", str(server.folder / "sorted"))
    form.press("Run the simulation")
    expect(form.page.get_by_text("Folder sorted: 24 labeled images")).to_be_visible()
    form.segment("Labeled data from", "A project’s labels")
    form.shows("combobox", {"Labels of": "done"})
    form.choose("Labels of", "other")
    expect(form.page.get_by_text("0 labels so far.")).to_be_visible()
    form.choose("Labels of", "done")
    expect(form.page.get_by_text("40 labels so far.")).to_be_visible()
    form.press("Run the simulation")
    expect(form.page.get_by_text("Labels of done: 40 labeled rows")).to_be_visible()
    plan = {"strategies": ["margin", "random", "entropy"], "batch": 4, "budget": 8, "seeds": 2,
            "classifier": "random_forest"}  # fmt: skip
    found = records(server)
    assert [each["title"] for each in found] == ["known", "mine", "sorted", "done"]
    for each in found:
        assert {name: each["plan"][name] for name in plan} == plan, each["title"]
    assert [each["project_id"] for each in found] == ["", "", "", "done"]


def unfold(form: Form) -> None:
    """Open the part with the form, which is folded once there is a result."""
    if not form.button("Run the simulation").is_visible():
        form.page.get_by_text("Replay your own data").click()
    expect(form.button("Run the simulation")).to_be_visible()


def test_a_plan_that_cannot_be_carried_out_is_told_and_nothing_starts(
    server: AppServer, context: BrowserContext
) -> None:
    before = len(records(server))
    form = Form(context, server).open("simulation?project=done")
    unfold(form)
    form.number("Seeds", 0)
    expect(form.page.get_by_text("The seeds must be 1 or more.")).to_be_visible()
    form.press("Run the simulation")
    form.number("Seeds", 1)
    form.segment("Labeled data from", "A folder")
    form.press("Run the simulation")
    expect(form.page.get_by_text("name a folder above")).to_be_visible()
    assert len(records(server)) == before


def test_a_result_is_chosen_drawn_downloaded_stopped_and_deleted(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("simulation?project=done")
    form.press("Show the wine-colour figure")
    with form.inside(form.page.get_by_test_id("stMain")):
        form.press("Stop")
        expect(form.page.get_by_text("Stopped by")).to_be_visible()
        expect(form.button("Delete")).to_be_visible()  # nothing redraws the page by itself now
        wines = form.reads("combobox", "Simulation")
        unfold(form)
        form.choose("Table", "known")
        form.choose("Label column", "kind")
        small(form, 2)
        form.press("Run the simulation")
        expect(form.button("Stop")).to_have_count(0, timeout=SLOW)
        form.settle()
        expect(form.page.locator(".js-plotly-plot")).to_have_count(2)
        form.segment("Measure", "Macro-F1")
        expect(form.page.get_by_role("heading", name="Macro-F1 by labels")).to_be_visible()
        form.segment("Bands", "95 % interval")
        form.shows("radiogroup", {"Bands": "95 % interval"})
        _, content = form.download("Download the runs (JSON)")
        assert {each["strategy"] for each in json.loads(content)["runs"]} == {
            "margin", "random", "entropy",
        }  # fmt: skip
        shown = form.reads("combobox", "Simulation")
        form.choose("Simulation", wines)
        expect(form.page.get_by_text("The wines of the sample project")).to_be_visible()
        form.reload()
        form.shows("combobox", {"Simulation": wines})
        form.choose("Simulation", shown)
        before = len(records(server))
        form.press("Delete")
        expect(form.field("combobox", "Simulation")).not_to_have_value(shown)
        assert len(records(server)) == before - 1
