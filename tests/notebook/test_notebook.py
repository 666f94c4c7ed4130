"""The whole job of the product from a notebook: the same tables as the pages, as DataFrames."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from annotating import reserved

import labeling_core as lc
from labeling_core.config import DATA
from labeling_core.notebook import deciding
from labeling_core.notebook.database_work import DatabaseWork
from labeling_core.notebook.door import Door
from labeling_core.settings import Column
from labeling_core.workspace import Workspace


@pytest.fixture(params=["in this process", "through the app"])
def opened(request, tmp_path):
    path = tmp_path / "labeling.duckdb"
    if request.param == "in this process":
        with lc.open(path, annotator="ana") as found:
            yield found
        return
    app = Workspace(path)
    door = Door(app)
    with lc.open(path, annotator="ana") as found:
        assert not isinstance(found._work, DatabaseWork)
        found.workspace = app
        yield found
    door.close()
    app.close()


def bottles(rows=120):
    """Two well separated groups: white above 5."""
    acidity = np.tile([1.0, 9.0], rows // 2) + np.arange(rows) % 7 / 10
    return pd.DataFrame({"acidity": acidity, "cask": [f"cask {at % 5}" for at in range(rows)]})


def queue_of(opened, project_id):
    workspace = getattr(opened, "workspace", None) or opened._work._workspace
    return workspace.queue(workspace.project(project_id))


def truth(sample):
    return "white" if float(sample.fields["acidity"]) > 5 else "red"


def label(project, count):
    done = []
    while len(done) < count:
        found = project.next(count - len(done))
        for sample in found:
            project.label(sample.sample_id, truth(sample))
        done += [each.sample_id for each in found]
    return done


def test_a_dataframe_is_labeled_learned_from_and_predicted(opened, tmp_path):
    project = opened.create("Wine", bottles(), ["red", "white"], every=1_000)
    done = label(project, 40)
    assert list(opened.projects) == [project.project_id] == ["wine"]
    labels, metadata = project.labels(), project.metadata()
    assert len(labels) == 40 and set(metadata.sample_id) == set(done)
    assert ((labels.acidity > 5) == (labels.label == "white")).all()
    assert set(metadata.annotator) == {"ana"} and set(metadata.status) == {"LABELED"}
    assert len(project.queries()) == 80
    session = project.run_session()
    assert (session.session_id, session.labels, session.kind) == (1, 40, "probes")
    assert session.accuracy == 1.0 and session.low < 1.0
    progress = project.progress()
    assert progress.session_id.tolist() == [1] and progress.accuracy.tolist() == [1.0]
    project.train()
    fresh = pd.DataFrame({"acidity": [1.2, 9.3], "cask": ["cask 1", "cask 2"]}, index=[7, 8])
    predicted = project.predict(fresh)
    assert predicted.prediction.tolist() == ["red", "white"] and list(predicted.index) == [7, 8]
    assert predicted.probability.between(0.5, 1).all()
    project.export("labels", tmp_path / "labels.csv")
    assert pd.read_csv(tmp_path / "labels.csv").label.tolist() == labels.label.tolist()
    kinds = project.history().kind
    assert kinds.iloc[0] == "session" and kinds.iloc[-1] == "created"
    assert (kinds == "decision").sum() == 40


def test_vectors_that_were_computed_elsewhere_are_learned_from(opened, tmp_path):
    frame = bottles()
    told = np.random.default_rng(0).normal(size=(120, 48)) + np.tile([-1.0, 1.0], 60)[:, None]
    frame["embedding"] = list(told.astype(np.float32))
    frame.to_parquet(tmp_path / "wines.parquet")
    shown = [Column("acidity", "shown"), Column("cask", "shown")]
    for title, source in (("Frame", frame), ("File", tmp_path / "wines.parquet")):
        project = opened.create(title, source, ["red", "white"], columns=shown, every=1_000)
        label(project, 40)
        assert project.run_session().accuracy == 1.0
        project.train()
        assert project.predict(frame[:4]).prediction.tolist() == ["red", "white"] * 2
        odd = frame[:3].assign(embedding=[told[0], told[1][:5], None])
        with pytest.warns(
            UserWarning, match="1 of 2 values in the column “embedding” are no lists"
        ):
            predicted = project.predict(odd)
        assert predicted.prediction[0] == "red" and predicted.probability[1] < 0.9


def test_decisions_are_skipped_taken_back_and_handed_back(opened):
    project = opened.create("Wine", bottles(), ["red", "white"], every=1_000)
    first, second, third = project.next(3)
    project.label(first.sample_id, "red", comment="sure")
    project.skip(second.sample_id)
    project.undo(first.sample_id)
    found = project.metadata().set_index("sample_id")
    assert found.status.to_dict() == {second.sample_id: "SKIPPED"}
    assert set(reserved(queue_of(opened, project.project_id))) >= {third.sample_id}
    project.release([first.sample_id, third.sample_id])
    assert reserved(queue_of(opened, project.project_id)) == []
    with pytest.raises(lc.Error, match="never handed to you"):
        project.label("nobody's", "red")
    with pytest.raises(lc.Error, match="“blue” is no category"):
        project.label(project.next()[0].sample_id, "blue")


def test_labels_that_are_there_are_the_start_and_more_are_brought_in(opened, tmp_path):
    frame = bottles()
    frame["colour"] = [("white" if at % 2 else "red") if at < 40 else None for at in range(120)]
    project = opened.create("Wine", frame, labels="colour", every=1_000)
    assert project.settings.names == ("red", "white")
    assert len(project.labels()) == 40 and set(project.metadata().origin) == {"import"}
    file = tmp_path / "more.csv"
    file.write_text("sample_id,label\n50,white\n51,red\n52,rosé\n", encoding="utf-8")
    told = "\n".join(project.import_labels(file, dry_run=True).told)
    assert "rosé" in told and len(project.labels()) == 40
    done = project.import_labels(file)
    assert (done.number, done.read, done.stored, done.unknown) == (
        2,
        3,
        2,
        {"rosé": 1},
    )  # 1: at creation
    assert [(each["number"], each["then"]) for each in done.table] == [
        (2, "brought in"),
        (1, "left out"),
    ]
    assert len(project.labels()) == 42
    with pytest.raises(lc.Error, match="There is no file"):
        project.import_labels(tmp_path / "none.csv")


def test_a_simulation_of_the_labels_says_what_a_strategy_saves(opened):
    project = opened.create("Wine", bottles(), ["red", "white"], every=1_000)
    with pytest.raises(lc.Error, match="label"):
        project.simulate(budget=20, seeds=2)
    label(project, 60)
    found = project.simulate(("margin", "random"), batch=5, budget=20, seeds=2)
    assert found.strategy.tolist() == ["margin", "random"]


def test_a_project_is_made_of_a_file_a_table_and_a_folder(opened):
    path = DATA / "wine_colour" / "pool.csv"
    wines = opened.create("Wine file", path, ["red", "white"])
    again = opened.create("Wine table", "wine_file", ["red", "white"])
    assert len(wines.queries()) == len(again.queries()) == len(pd.read_csv(path))
    digits = opened.create("Digits", "digits", list("0123456789"), modality="images")
    assert digits.next()[0].sample_id.endswith(".png")
    assert digits.settings.modality == "images"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"source": "nowhere.csv"}, "There is no file nowhere.csv"),
        ({"source": "nowhere"}, "There is no table “nowhere”"),
        ({"categories": ["red"]}, "two categories"),
        ({"colour": "red"}, "no setting “colour”"),
        ({"strategy": "best"}, "“best” is no query strategy"),
        ({"modality": "smells"}, "“smells” is no modality"),
        ({"source": pd.DataFrame({"a": [1, "x"]})}, "cannot be stored as a table"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_made(opened, arguments, words):
    usual = {"title": "Wine", "source": bottles(), "categories": ["red", "white"]}
    with pytest.raises(lc.Error, match=words):
        opened.create(**usual | arguments)
    assert opened.projects == {}
    assert opened.create(**usual).project_id == "wine"


def test_what_is_not_there_yet_is_said(opened, tmp_path):
    project = opened.create("Wine", bottles(), ["red", "white"], queries_table="")
    for ask, words in [
        (project.model, "no final model yet"),
        (project.train, "at least two categories"),
        (project.queries, "Active learning is off"),
        (project.run_session, "Active learning is off"),
        (lambda: project.export("pool", tmp_path / "a.csv"), "labels, metadata"),
        (lambda: project.export("labels", tmp_path / "a.txt"), "should end in .csv"),
        (lambda: opened.project("beer"), "no project “beer”"),
    ]:
        with pytest.raises(lc.Error, match=words):
            ask()


def test_the_door_is_found_without_loading_the_house(tmp_path):
    code = (
        "import sys, labeling_core as lc; before = set(sys.modules);"
        "assert 'open' in dir(lc) and not any('duckdb' in each for each in before);"
        f"found = lc.open({str(tmp_path / 'a.duckdb')!r}); print(found.projects); found.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.stdout.strip() == "{}"
    with pytest.raises(AttributeError, match="no attribute 'shut'"):
        lc.shut  # noqa: B018


def test_a_session_that_the_last_labels_set_off_is_done_before_the_file_is_closed(tmp_path):
    path = tmp_path / "labeling.duckdb"
    with lc.open(path) as found:
        project = found.create("Bottles", bottles(), ["red", "white"], every=10)
        for sample in project.next(10):
            project.label(sample.sample_id, truth(sample))
    with lc.open(path) as found:
        assert found.project("bottles").progress().state.tolist() == ["DONE"]


def test_many_are_decided_in_one_transaction_and_what_is_wrong_is_told_by_its_place(opened):
    project = opened.create("Bottles", bottles(), ["red", "white"], queries_table="")
    ids = [each.sample_id for each in project.next(20)]
    rows = [(each, "red", "") for each in ids[:10]] + [(each, "", "unsure") for each in ids[10:]]
    rows[3], rows[5] = (ids[3], "blue", ""), ("", "red", "")
    refused = project.label_many([*rows, ("nobody's", "red", "")])
    assert [place for place, _ in refused] == [3, 5, 20]
    assert "“blue” is no category" in refused[0][1] and "never handed to you" in refused[2][1]
    assert len(project.metadata()) == 18
    project.label(ids[3], "white")  # the numbering goes on without a gap
    history = project.history()
    stored = history[(history.kind == "decision") & (history.sample_id != ids[3])]
    assert len(stored) == 18 and stored.happened.nunique() == 1  # one transaction, one moment
    assert stored.sample_id.tolist()[::-1] == [e for e in ids if e not in (ids[3], ids[5])]


def test_a_decision_after_one_that_could_not_be_stored_is_stored(opened, monkeypatch):
    project = opened.create("Bottles", bottles(), ["red", "white"], queries_table="")
    first, second = project.next(2)
    exchange = deciding.label_exchange.answer

    def fail(*_):
        raise lc.Error("the disk is full")

    monkeypatch.setattr(deciding.label_exchange, "answer", fail)
    with pytest.raises(lc.Error, match="the disk is full"):
        project.label(first.sample_id, "red")
    monkeypatch.setattr(deciding.label_exchange, "answer", exchange)
    project.label(second.sample_id, "red")
    assert project.metadata().sample_id.tolist() == [second.sample_id]
