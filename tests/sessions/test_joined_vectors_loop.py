"""Vectors in a file of their own, through the whole loop of a table up to a downloaded model."""

from __future__ import annotations

import csv
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source
from running import run_session, train

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.models import final_model, model_card
from labeling_core.models.load_model import load_model
from labeling_core.projects import lifecycle
from labeling_core.sessions import features
from labeling_core.settings import Column, Project
from labeling_core.simulation import data_sources, job
from labeling_core.workspace import Workspace

KEY = "vectors_seen"
TOLD = np.random.default_rng(0).normal(size=(200, 8)) * 0.5
TOLD[:, 2] += np.where(np.arange(200) % 2, 1.0, -1.0)  # by which bottles are red or white
COLUMNS = (Column("acidity", "shown"), Column("cask", "both"))


def write(models: Path, rows: range) -> None:
    beside = {"bottle": list(rows), "vector": list(TOLD[rows])}
    pq.write_table(pa.table(beside), models / "seen.parquet")


@pytest.fixture
def project(models: Path, workspace: Workspace) -> Project:
    write(models, range(196))
    make_source(workspace.database)
    settings = replace(SETTINGS, features=f"classical+{KEY}", columns=COLUMNS, every=1_000)
    return lifecycle.create_project(workspace.database, settings)


def predicted(model: Path, data: Path, out: Path) -> list[str]:
    words = ("predict", "--model", model, "--data", data, "--out", out)
    assert main([*map(str, words)]) == 0
    with out.open(encoding="utf-8") as file:
        return [row["prediction"] for row in csv.DictReader(file)]


def test_a_table_is_learned_from_its_columns_and_from_vectors_elsewhere(
    models: Path, workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    Annotator(workspace, project).label_truly(60)
    assert run_session(workspace, project).state == "idle"
    found = features.learned(workspace.database, project)
    assert found and found.columns == {"cask": "category", KEY: "vector 8"}
    assert found.joined[KEY] == (
        "seen.parquet, joined by bottle: 196 of 200 rows have a vector of 8 numbers; 4 have none, "
        "such as bottle “196”: it counts as missing."
    )
    assert features.learned_rows(project.settings, found)[1]["use"] == "learned from only"
    matrix = np.load(features.features_folder(workspace.database, project) / "features.npy")
    with workspace.database.read() as cursor:
        row = cursor.execute(
            "SELECT bottle, __place FROM labeling_pool.samples_wine WHERE bottle < 196 LIMIT 1"
        ).fetchone() or (0, 0)
    expected = (TOLD[row[0]] - TOLD[:196].mean(axis=0)) / TOLD[:196].std(axis=0)
    np.testing.assert_allclose(matrix[row[1], -8:], expected, atol=0.05)

    # Gone for a while: the project goes on, other settings can be changed, others not be chosen.
    (models / "seen.parquet").rename(models / "elsewhere")
    assert features.have_features(workspace.database, project)
    Annotator(workspace, project, "ben").label_truly(10)
    assert run_session(workspace, project).state == "idle"
    changed = replace(project.settings, title="Other")
    assert lifecycle.update_project(workspace.database, project.project_id, changed)
    with pytest.raises(LabelingError, match="“vectors_seen” are no features on offer"):
        lifecycle.create_project(workspace.database, replace(changed, title="New"))
    (models / "elsewhere").rename(models / "seen.parquet")

    # The model takes other rows by the same key, or with the vectors as a column.
    train(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    assert content
    (tmp_path / "model.zip").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        card = json.loads(archive.read("model_card.json"))
    said = "is given that of seen.parquet in the folder of models, by bottle."
    assert said in model_card.to_markdown(card)
    new = pd.DataFrame({"bottle": range(150, 170), "cask": ["cask 1"] * 20})
    new.to_csv(tmp_path / "new.csv", index=False)
    answers = ["red" if bottle % 2 == 0 else "white" for bottle in new.bottle]
    said = predicted(tmp_path / "model.zip", tmp_path / "new.csv", tmp_path / "out.csv")
    assert np.mean([a == b for a, b in zip(said, answers, strict=True)]) > 0.9
    (models / "seen.parquet").unlink()
    frame = new.assign(**{KEY: list(TOLD[150:170])})
    found = load_model(tmp_path / "model.zip").predict(frame).tolist()
    assert found == said
    frame.to_parquet(tmp_path / "with.parquet")
    assert (
        predicted(tmp_path / "model.zip", tmp_path / "with.parquet", tmp_path / "out.csv") == said
    )


def test_another_file_is_read_anew_and_one_that_fits_nothing_ends_with_its_sentence(
    models: Path, workspace: Workspace, project: Project
) -> None:
    Annotator(workspace, project).label_truly(20)
    assert run_session(workspace, project).state == "idle"
    write(models, range(200))
    assert not features.have_features(workspace.database, project)
    assert run_session(workspace, project).state == "idle"
    found = features.learned(workspace.database, project)
    assert found and "200 of 200 rows" in found.joined[KEY]
    pq.write_table(pa.table({"bottle": [900], "vector": [[1.0, 2.0]]}), models / "seen.parquet")
    failed = run_session(workspace, project)
    assert failed.state == "failed"
    assert "seen.parquet has a vector of none of the 200 rows" in failed.text


def test_labels_are_replayed_with_their_vectors_or_not_at_all(
    models: Path, workspace: Workspace, project: Project, tmp_path: Path
) -> None:
    """Joined by sample_id, the rows of the labels' own table would be taken for others."""
    beside = {"sample_id": [str(row + 1) for row in range(200)], "vector": list(TOLD)}
    pq.write_table(pa.table(beside), models / "seen.parquet")
    Annotator(workspace, project).label_truly(60)
    labels = data_sources.project(workspace.database, project, LOCAL)
    with pytest.raises(LabelingError, match="The vectors have not been joined"):
        labels.prepare(tmp_path)
    assert run_session(workspace, project).state == "idle"
    prepared = labels.prepare(tmp_path)
    X, y = job._arrays(prepared.data, tmp_path, lambda text, share: None)
    assert np.corrcoef(X[:, -6], y)[0, 1] > 0.8  # the number that tells red from white


def test_a_simulation_tells_what_each_choice_is_worth(
    models: Path, workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(models, range(196))
    names = ["red" if n % 2 else "white" for n in range(200)]
    frame = pd.DataFrame({"bottle": range(200), "cask": ["cask 1", "cask 2"] * 100, "label": names})
    frame["cask"] = np.random.default_rng(0).choice(["cask 1", "cask 2"], 200)
    frame.to_csv(tmp_path / "known.csv", index=False)
    words = ["simulate", "--data", str(tmp_path / "known.csv"), "--budget", "20", "--seeds", "2",
             "--strategy", "random", "--json"]  # fmt: skip
    ends = {}
    for chosen in ("classical", f"classical+{KEY}", KEY):
        assert main([*words, "--features", chosen]) == 0
        told = capsys.readouterr()
        ends[chosen] = told.out
        assert ("196 of 200 rows have a vector" in told.err) == (chosen != "classical")
    assert len(set(ends.values())) == 3
    assert main([*words, "--features", "embedding"]) == 2
    assert "“embedding” are no features of tables: there are classical" in capsys.readouterr().err

    upload = data_sources.upload(tmp_path / "known.csv", "known.csv", "label", {}, LOCAL, KEY)
    (tmp_path / "data").mkdir()
    prepared = upload.prepare(tmp_path / "data")
    assert prepared.source == f"File known.csv, label column label: 200 labeled rows, seen as {KEY}"
    X, y = job._arrays(prepared.data, tmp_path / "data", lambda text, share: None)
    assert X.shape == (200, 8) and y.sum() == 100
