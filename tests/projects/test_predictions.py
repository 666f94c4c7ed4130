"""Every sample with its label and what the final model says of it, as one file."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from annotating import LOCAL, SETTINGS, Annotator, rows
from broken_media import encoded, photo, write_all
from picture_project import SETTINGS as PICTURES
from picture_project import read
from running import train

from labeling_core import use_cases
from labeling_core.people import ForbiddenError, Person
from labeling_core.projects import lifecycle

TABLES = "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE 'predicted%'"


def predictions(workspace, project, form="Parquet"):
    content = use_cases.export_predictions(workspace, project, form, LOCAL)
    read_file = pd.read_parquet if form == "Parquet" else pd.read_csv
    return read_file(io.BytesIO(content))


@pytest.mark.parametrize("form", ["Parquet", "CSV"])
def test_every_row_has_its_prediction_and_the_labels_win(workspace, make_project, annotator, form):
    project = make_project(every=1000, probe_share=0.25)
    ana = annotator(project)
    ana.label_truly(39)
    wrong = ana.take(1)[0]
    acidity = rows(workspace.database, f"SELECT acidity FROM wine WHERE bottle = {int(wrong) - 1}")
    ana.send([ana.decision(wrong, "label", category="red" if acidity[0][0] > 5 else "white")])
    train(workspace, project)
    found = predictions(workspace, project, form)
    assert found["bottle"].tolist() == list(range(200))
    assert found["sample_id"].astype(int).tolist() == list(range(1, 201))
    assert found["label"].notna().sum() == 40
    truth = found["acidity"].map(lambda value: "white" if value > 5 else "red")
    mistaken = found["sample_id"].astype(str) == wrong
    assert found["prediction"][~mistaken].tolist() == truth[~mistaken].tolist()
    assert found["probability"].between(0.5, 1).all()
    labeled = found["label"].notna()
    assert (found["category"][labeled] == found["label"][labeled]).all()
    assert (found["category"][~labeled] == found["prediction"][~labeled]).all()
    assert (found["category"][mistaken] != truth[mistaken]).all()
    assert list(found.columns[-5:]) == [
        "sample_id", "label", "prediction", "probability", "category",
    ]  # fmt: skip


def test_categories_renamed_since_the_training_have_their_new_names(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    project = use_cases.rename_category(workspace, "wine", "white", "blanc", LOCAL)
    train(workspace, project)
    for old, new in (("red", "it's red"), ("it's red", "rouge")):
        project = use_cases.rename_category(workspace, "wine", old, new, LOCAL)
    found = predictions(workspace, project)
    assert set(found["prediction"]) == set(found["category"]) == {"rouge", "blanc"}


def test_rows_that_came_later_have_no_prediction_and_gone_ones_no_row(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    train(workspace, project)
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO wine VALUES (500, 1.5, 'cask 9')")
        cursor.execute("DELETE FROM wine WHERE bottle = 150")
    project, _ = use_cases.refresh_source(workspace, project, LOCAL)
    found = predictions(workspace, project).set_index("bottle")
    assert len(found) == 200 and 150 not in found.index
    assert found.index[found["prediction"].isna()].tolist() == [500]
    train(workspace, project)
    assert predictions(workspace, project).set_index("bottle")["prediction"][500] == "red"


def test_columns_of_the_source_with_our_names_are_kept_under_another(workspace, annotator):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE main.wine AS SELECT i % 2 * 8 AS acidity, 'x' AS \"Prediction\", "
            "'y' AS category FROM range(60) t(i)"
        )
    project = lifecycle.create_project(workspace.database, replace(SETTINGS, every=1000))
    annotator(project).label_truly(20)
    train(workspace, project)
    found = predictions(workspace, project)
    assert set(found["Prediction_source"]) == {"x"} and set(found["category_source"]) == {"y"}
    assert set(found["prediction"]) == {"red", "white"}


def test_files_that_cannot_be_read_tell_their_problem(workspace, media: Path):
    fine = {f"{n}.png": encoded(photo(16, 16, seed=n % 2), "PNG") for n in range(12)}
    write_all(media, fine | {"broken.png": b"no image"})
    project = lifecycle.create_project(workspace.database, replace(PICTURES, every=1000))
    read(workspace, project)
    ana = Annotator(workspace, project)
    names = ana.take(8)
    ana.send([ana.decision(each, "label", category="ab"[int(each[:-4]) % 2]) for each in names])
    train(workspace, project)
    found = predictions(workspace, project).set_index("path")
    assert found["problem"].notna().sum() == 1
    assert "image" in found["problem"]["broken.png"]
    assert found.loc["broken.png", ["prediction", "probability", "category"]].isna().all()
    assert all(found["category"][name] == "ab"[int(name[:-4]) % 2] for name in fine)


def test_without_a_final_model_there_is_nothing_and_only_who_manages_gets_it(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    assert use_cases.export_predictions(workspace, project, "CSV", LOCAL) == b""
    annotator(project).label_truly(20)
    train(workspace, project)
    with pytest.raises(ForbiddenError):
        use_cases.export_predictions(workspace, project, "CSV", Person("bob", (("", "annotator"),)))
    assert rows(workspace.database, TABLES) == [("predicted_wine",)]
    with (
        workspace.database.transaction() as cursor
    ):  # as a final model of an earlier version left it
        cursor.execute("DROP TABLE labeling_pool.predicted_wine")
    assert use_cases.export_predictions(workspace, project, "CSV", LOCAL) == b""


def test_a_deleted_project_leaves_none(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    train(workspace, project)
    use_cases.delete_project(workspace, "wine", LOCAL)
    assert rows(workspace.database, TABLES) == []
