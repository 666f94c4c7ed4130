"""What a person says of the columns reaches the model, its card, and the simulation alike."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from annotating import LOCAL, SETTINGS, Annotator
from running import run_session, train

from labeling_core.errors import LabelingError
from labeling_core.models import model_card
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import features
from labeling_core.settings import Column, Settings
from labeling_core.simulation import data_sources, job

SAID = (
    Column("zip", kind="category"),
    Column("weight", missing=("-999",)),
    Column("cask", use="shown"),
    Column("who", use="neither"),
)


@pytest.fixture
def project(workspace):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE main.wine AS SELECT i AS bottle, (i % 2) * 8 + 1 + (i % 7) / 10.0 AS "
            "acidity, 'cask ' || i % 5 AS cask, 10115 + i % 4 AS zip, "
            "CASE i % 10 WHEN 0 THEN -999 ELSE i % 9 + .5 END AS weight, 'ana' AS who, "
            "CASE i % 5 WHEN 0 THEN 'NA' ELSE (i % 11)::VARCHAR END AS age, "
            "CASE i WHEN 3 THEN 'infinity' WHEN 5 THEN '9999-12-31' ELSE '2020-01-01' END::DATE "
            "+ (CASE WHEN i IN (3, 5) THEN 0 ELSE i END)::INTEGER AS day, [i] AS tags "
            "FROM range(200) t(i)"
        )
    return create_project(workspace.database, replace(SETTINGS, columns=SAID, every=1000))


KINDS = {
    "acidity": "number", "zip": "category", "weight": "number", "age": "number", "day": "date",
}  # fmt: skip
LEFT_OUT = {
    "bottle": "only numbers the rows",
    "cask": "is shown only, by choice",
    "who": "is neither shown nor learned from, by choice",
    "tags": "holds lists of one number, which are no vectors",
}


def test_a_session_learns_from_the_columns_as_they_were_chosen(workspace, project):
    assert features.learned(workspace.database, project) is None
    Annotator(workspace, project).label_truly(30)
    assert run_session(workspace, project).state == "idle"
    assert features.learned(workspace.database, project) == (KINDS, LEFT_OUT, {})
    told = json.loads(
        (features.features_folder(workspace.database, project) / "features.json").read_text(
            encoding="utf-8"
        )
    )
    assert told["missing"] == {"weight": ["-999"], "age": ["NA"]}
    train(workspace, project)
    with workspace.database.read() as cursor:
        row = cursor.execute("SELECT card FROM labeling.final_models").fetchone()
    card = json.loads(row[0])
    assert card["features"]["columns"] == KINDS
    assert card["features"]["missing"] == told["missing"]
    text = model_card.to_markdown(card)
    assert "| age | number | NA |" in text
    for name, reason in LEFT_OUT.items():
        assert f"- {name}: {reason}\n" in text


def test_choosing_otherwise_has_the_features_computed_anew(workspace, project):
    Annotator(workspace, project).label_truly(30)
    run_session(workspace, project)
    assert features.have_features(workspace.database, project)
    settings = replace(project.settings, columns=(Column("acidity", use="neither"),))
    other = project._replace(settings=settings)
    assert not features.have_features(workspace.database, other)
    shown = replace(project.settings, main_column="cask", columns=SAID[::-1])
    assert features.have_features(workspace.database, project._replace(settings=shown))


def test_a_kind_that_fits_nothing_ends_the_session_with_its_sentence(workspace, project):
    settings = replace(project.settings, columns=(Column("cask", kind="date"),))
    wrong = project._replace(settings=settings)
    with pytest.raises(LabelingError, match="“cask” cannot be taken for a date"):
        features.ensure_features(
            workspace.database,
            wrong,
            lambda: workspace.queue(project),
            workspace.loop.trainer.worker,
            lambda text, share: None,
        )


def test_a_simulation_learns_from_the_same_columns(workspace, project, tmp_path):
    Annotator(workspace, project).label_truly(60)
    source = data_sources.project(workspace.database, project, LOCAL)
    (tmp_path / "data").mkdir()
    prepared = source.prepare(tmp_path / "data")
    X, y = job._arrays(prepared.data, tmp_path / "data", lambda text, share: None)
    told = json.loads((tmp_path / "data" / "features.json").read_text(encoding="utf-8"))
    assert told["columns"] == KINDS
    assert told["left_out"].keys() >= LEFT_OUT.keys()
    assert told["missing"]["weight"] == ["-999"]
    assert X.shape[0] == len(y) == 60 and np.isfinite(X).all()


def test_the_stamp_follows_what_is_learned_and_nothing_else():
    def stamp(*columns: Column) -> str:
        return features.stamp(Settings(columns=columns))

    assert stamp() == stamp(Column("a"))
    assert stamp(Column("b", "shown")) == stamp(Column("a"), Column("b", "neither"))
    assert stamp(Column("b", "shown"), Column("c")) == stamp(Column("c"), Column("b", "shown"))
    different = [
        stamp(), stamp(Column("b", "shown")), stamp(Column("c", "shown")),
        stamp(Column("b", kind="text")), stamp(Column("b", missing=())),
        stamp(Column("b", missing=("NA",))),
    ]  # fmt: skip
    assert len(set(different)) == len(different)
