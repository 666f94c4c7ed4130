"""What the progress page lets one choose: the axis, the downloads and their format, the models."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator

import pandas as pd
import pytest
from app_server import AppServer, settings_for
from forms import Form
from playwright.sync_api import BrowserContext, expect
from prepared import disputed_wines, label_wines, workspace_of

LEARNED = 600_000  # milliseconds: the process that learns gives way to all others
FORMULA = "=1+1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project of two sessions, and one that two people labeled."""
    server = AppServer(tmp_path_factory.mktemp("progress"))
    server.make_projects([
        settings_for("curve", queries_table="curve_queries", probe_share=0.2),
        settings_for("shared", overlap_share=0.3, queries_table="shared_queries", every=1000),
    ])  # fmt: skip
    with workspace_of(server) as workspace:
        label_wines(workspace, "curve", 40, comment=FORMULA)
        disputed_wines(workspace, "shared")
    server.start()
    yield server
    server.stop()


def table_of(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_the_accuracy_is_drawn_by_session_or_by_labels(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("session_progress?project=curve")
    titles = form.page.locator(".js-plotly-plot .xtitle")
    expect(titles.filter(has_text="session_id").first).to_be_visible()
    labels = titles.filter(has_text="labels when the session began")
    before = labels.count()
    form.segment("Accuracy by", "number of labels")
    expect(labels).to_have_count(before + 1)
    form.shows("radiogroup", {"Accuracy by": "number of labels"})


def test_every_table_is_downloaded_in_each_format(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("session_progress?project=curve")
    with server.tables() as tables:
        queued = tables.execute("SELECT count(*) FROM curve_queries").fetchall()[0][0]
    wanted = {"labels": 40, "metadata": 40, "queries": queued, "sessions": 2}
    found = {
        "labels": form.download("Labels"), "metadata": form.download("Metadata"),
        "queries": form.download("Queries"), "sessions": form.download("Sessions"),
    }  # fmt: skip
    for each, (name, content) in found.items():
        assert name == f"curve_{each}.csv", each
        assert len(table_of(content)) == wanted[each], each
    assert {row["comment"] for row in table_of(found["metadata"][1])} == {FORMULA}
    name, content = form.download("Source with labels")
    assert name == "curve_source_with_labels.csv"
    assert len(table_of(content)) == queued + 40
    name, content = form.download("History")
    assert {row["kind"] for row in table_of(content)} >= {"decision"}
    name, content = form.download("Label Studio")
    assert name == "curve_label_studio.json" and len(json.loads(content)) == 40
    name, content = form.download("DuckDB file")
    assert name == "curve_tables.duckdb" and content[8:12] == b"DUCK"
    form.switch("Safe to open in a spreadsheet")
    _, safe = form.download("Metadata")
    assert {row["comment"] for row in table_of(safe)} == {f"'{FORMULA}"}
    form.segment("Format", "Parquet")
    expect(form.field("switch", "Safe to open in a spreadsheet")).to_have_count(0)
    for each in wanted:
        name, content = form.download(each.capitalize())
        assert name == f"curve_{each}.parquet", each
        assert len(pd.read_parquet(io.BytesIO(content))) == wanted[each], each


def test_only_some_of_the_labels_are_downloaded(server: AppServer, context: BrowserContext) -> None:
    with server.tables() as tables:
        votes = tables.execute("SELECT annotator, label, sample_id FROM shared_metadata").fetchall()
    form = Form(context, server).open("session_progress?project=shared")
    form.page.get_by_text("Only some of the labels").click()
    expect(form.page.get_by_text(f"All {len(votes)} decisions are taken away.")).to_be_visible()

    def told(number: int) -> int:
        expect(form.page.get_by_text(f"{number} of {len(votes)} decisions fit.")).to_be_visible()
        return len(table_of(form.download("Metadata")[1]))

    form.choose("Agreement on the sample", "All of the people")
    groups = [{label for _, label, other in votes if other == each} for _, _, each in votes]
    agreed = sum(len(each) == 1 for each in groups)
    assert told(agreed) == agreed < len(votes)
    form.choose("Agreement on the sample", "Any")
    form.add("Labeled by", "ben")
    by_ben = [label for who, label, _ in votes if who == "ben"]
    assert told(len(by_ben)) == len(by_ben) < len(votes)
    form.add("Categories", "red")
    assert told(by_ben.count("red")) == by_ben.count("red") < len(by_ben)
    assert len(table_of(form.download("History")[1])) == len(votes)  # it comes whole
    form.date("From", "2019/01/01")
    assert told(by_ben.count("red")) == by_ben.count("red")
    form.date("Until", "2020/01/01")
    assert told(0) == 0


def test_the_models_and_the_predictions_are_downloaded(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("session_progress?project=curve")
    name, content = form.download("Model of the last session")
    assert name == "curve_model.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {"model.skops", "model_card.json"} <= set(archive.namelist())
    form.press("Train the final model")
    expect(form.button("Final model")).to_be_visible(timeout=LEARNED)
    expect(form.page.get_by_text("The one there is learned from 40 labels.")).to_be_visible()
    form.settle()
    name, content = form.download("Final model")
    assert name == "curve_final_model.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {"model.skops", "model_card.json", "model_card.md"} <= set(archive.namelist())
    name, content = form.download("All samples with predictions")
    assert name == "curve_predictions.csv"
    rows = table_of(content)
    with server.tables() as tables:
        assert tables.execute("SELECT count(*) FROM wine_colour").fetchall() == [(len(rows),)]
    form.reload()
    expect(form.button("Final model")).to_be_visible()
