"""The model to take away: trained on everything, loaded somewhere else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotating import LOCAL, rows
from running import run_session, train

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import weights_of
from labeling_core.models import final_model
from labeling_core.models.prediction import predict_table, read_model
from labeling_core.people import ForbiddenError, Person
from labeling_core.projects import predictions
from labeling_core.sessions import worker_jobs


def unpack(workspace, project, folder):
    with workspace.database.read() as cursor:
        zipfile.ZipFile(io.BytesIO(final_model.archive(cursor, project.project_id))).extractall(
            folder
        )
    return json.loads((folder / "model_card.json").read_text(encoding="utf-8"))


def test_it_learns_from_probes_too_and_its_card_tells_what_the_session_reached(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(every=1000, probe_share=0.25)
    ana = annotator(project)
    ana.label_truly(40)
    run_session(workspace, project)
    train(workspace, project)
    card = unpack(workspace, project, tmp_path / "out")
    everything = [each[0] for each in rows(workspace.database, "SELECT label_id FROM wine_labels")]
    assert card["label_ids"] == sorted(everything)
    assert sum(card["labels_per_category"].values()) == card["labels"] == 40
    assert (card["accuracy"]["measured_on"], card["accuracy"]["samples"]) == ("probes", 10)
    assert "Not measured on this model" in card["accuracy"]["note"]
    assert card["versions"].keys() >= {"python", "scikit-learn", "skops"}
    text = (tmp_path / "out" / "model_card.md").read_text(encoding="utf-8")
    assert "# Wine: final model" in text
    assert "from load_model import load_model" in text
    assert "| acidity | number |  |" in text and "- bottle: only numbers the rows" in text
    ana.label_truly(3)
    with workspace.database.read() as cursor:
        assert final_model.last_final(cursor, project.project_id)[1:] == (40, 3)
        assert cursor.execute("SELECT count(*) FROM labeling.models").fetchone() == (1,)


def test_by_a_measure_that_counts_categories_alike_all_that_predicts_weighs_them(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(
        every=1000, measure="balanced_accuracy", classifier="logistic_regression"
    )
    ana = annotator(project)
    samples = ana.send(want=60)["samples"][:30]
    said = ["white" if number % 6 == 0 else "red" for number in range(len(samples))]
    ana.send(
        [
            ana.decision(each["sample_id"], "label", category=category)
            for each, category in zip(samples, said, strict=True)
        ]
    )
    train(workspace, project)
    card = unpack(workspace, project, tmp_path / "out")
    weight = card["decision_weights"]["white"]
    assert 1 < weight <= 5 and card["decision_weights"]["red"] == 1  # five times as rare
    text = (tmp_path / "out" / "model_card.md").read_text(encoding="utf-8")
    assert "## Decisions" in text and f"white × {weight:.3g}" in text
    with workspace.database.read() as cursor:
        made = tmp_path / "model.zip"
        made.write_bytes(final_model.archive(cursor, project.project_id))
        source, out = tmp_path / "wine.parquet", tmp_path / "again.parquet"
        cursor.execute(f"COPY main.wine TO '{source}'")
        predicted = cursor.execute(
            f"SELECT prediction, probability FROM {predictions.table(project.project_id)} "
            "ORDER BY probability, prediction"
        ).fetchall()
    predict_table(read_model(made), source, out)
    again = pd.read_parquet(out).sort_values(["probability", "prediction"])
    assert any(name == "white" and p < 0.5 for name, p in predicted)  # taken, and not the likeliest
    assert again["prediction"].tolist() == [name for name, _ in predicted]
    assert again["probability"].tolist() == pytest.approx([p for _, p in predicted], abs=1e-6)


def test_without_a_session_the_card_says_that_accuracy_is_not_known(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(every=1000)
    annotator(project).label_truly(10)
    train(workspace, project)
    assert unpack(workspace, project, tmp_path / "out")["accuracy"] is None
    assert "Not known" in (tmp_path / "out" / "model_card.md").read_text(encoding="utf-8")


def test_a_single_category_and_a_role_that_may_not_are_refused_in_a_sentence(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    with pytest.raises(LabelingError, match="two categories"):
        final_model.train(workspace.loop, project, LOCAL)
    with pytest.raises(ForbiddenError):
        final_model.train(workspace.loop, project, Person("bob", (("", "annotator"),)))
    with workspace.database.read() as cursor:
        assert final_model.archive(cursor, project.project_id) is None


def test_windows_of_one_recording_do_not_choose_its_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Labels at random on points that come five times: only who has seen a copy knows them."""
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(60, 8)), rng.integers(0, 2, 60)
    np.save(tmp_path / "features.npy", np.repeat(points, 5, axis=0).astype(np.float32))
    monkeypatch.setattr(worker_jobs.fitting, "first_steps", lambda folder: [])
    task = {"positions": np.arange(300), "codes": np.repeat(labels, 5)}
    job = {"folder": tmp_path, "out": tmp_path, "classes": ["a", "b"], "classifier": "auto",
           "seed": 0, "measure": "accuracy"}  # fmt: skip
    chosen = []
    for groups in ({}, {"groups": np.repeat(np.arange(60), 5)}):
        np.savez(tmp_path / "task.npz", **task, **groups)
        chosen.append(worker_jobs.final_model(job, lambda text, share: None)["classifier"])
    leaking, honest = (weights_of(each)["logistic_regression"] for each in chosen)
    assert leaking < 0.1 < honest
