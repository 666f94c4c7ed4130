"""Simulations as people start them: in a process of their own, kept beside the database."""

from __future__ import annotations

import time

import numpy as np
import pytest
from annotating import LOCAL

from labeling_core.config import DATA
from labeling_core.errors import LabelingError
from labeling_core.people import ForbiddenError, Person, local_person
from labeling_core.simulation import data_sources
from labeling_core.simulation.labeled_data import read_table
from labeling_core.simulation.replay import Plan, simulate
from labeling_core.simulation.simulations import Simulation
from labeling_core.workspace import Workspace

WINES = DATA / "wine_colour" / "answers.csv"
SMALL = Plan(["margin", "random"], 10, 20, 2, "logistic_regression")
ENDLESS = Plan(["margin", "random"], 1, 500, 100, "logistic_regression")


def only(workspace):
    (found,) = workspace.simulations.listed(LOCAL)
    return found


def wait(workspace, seconds=1200.0):
    """Until the only simulation runs no longer; its status then."""
    end = time.monotonic() + seconds
    while workspace.simulations.jobs.running(only(workspace).simulation_id):
        assert time.monotonic() < end, workspace.simulations.status(only(workspace))
        time.sleep(0.05)
    return workspace.simulations.status(only(workspace))


def upload(by=LOCAL):
    return data_sources.upload(WINES, "wines.csv", "label", {}, by)


def test_a_file_is_replayed_by_the_code_of_the_command_line(workspace):
    workspace.simulations.start(upload(), SMALL, LOCAL)
    assert wait(workspace)[:3] == ("done", "finished", None)
    runs = workspace.simulations.runs(only(workspace))
    assert runs == simulate(*read_table(WINES, "label"), SMALL)
    assert only(workspace).source.endswith("3,124 labeled rows")
    assert not (
        workspace.database.files("simulations") / only(workspace).simulation_id / "data"
    ).exists()


def test_another_person_and_another_start_of_the_program_find_it_again(workspace, tmp_path):
    workspace.simulations.start(upload(), SMALL, LOCAL)
    wait(workspace)
    before = workspace.simulations.runs(only(workspace))
    workspace.close()
    again = Workspace(tmp_path / "test.duckdb")
    viewer = Person("vic", (("", "viewer"),))
    with pytest.raises(ForbiddenError):
        again.simulations.listed(viewer)
    (found,) = again.simulations.listed(local_person("eve"))
    assert found.by == "ana" and found.words.endswith(", ana")
    assert again.simulations.runs(found) == before
    assert again.simulations.status(found).state == "done"
    with pytest.raises(ForbiddenError):
        again.simulations.delete(found, viewer)
    again.simulations.delete(found, LOCAL)
    assert again.simulations.listed(LOCAL) == []
    again.close()


def test_two_of_the_same_data_are_told_apart_in_a_list():
    first = Simulation("1", "wines", "", "ana", "2026-03-01T10:00:07+00:00", "", [], SMALL)
    second = first._replace(simulation_id="2", started="2026-03-01T10:00:08+00:00")
    assert first.words != second.words  # a list that holds one text twice gives the last of them


def test_a_stop_keeps_the_seeds_that_are_finished(workspace):
    workspace.simulations.start(upload(), ENDLESS._replace(budget=30), LOCAL)
    end = time.monotonic() + 1200
    while len(workspace.simulations.all_runs(only(workspace))) < 3 and time.monotonic() < end:
        time.sleep(0.05)
    workspace.simulations.stop(only(workspace), LOCAL)
    status = wait(workspace)
    assert (status.state, status.text) == ("stopped", "Stopped by ana.")
    runs = workspace.simulations.runs(only(workspace))
    assert len(runs) >= 2 and len(runs) % 2 == 0


def test_one_that_the_end_of_the_program_cut_off_says_so(workspace, tmp_path):
    workspace.simulations.start(upload(), ENDLESS, LOCAL)
    workspace.close()
    again = Workspace(tmp_path / "test.duckdb")
    assert again.simulations.status(only(again)).state in ("stopped", "failed")
    again.close()


def test_a_waiting_one_can_be_stopped_and_a_running_one_not_deleted(workspace):
    first = workspace.simulations.start(upload(), ENDLESS, LOCAL)
    second = workspace.simulations.start(upload(), SMALL, LOCAL)
    listed = {each.simulation_id: each for each in workspace.simulations.listed(LOCAL)}
    with pytest.raises(LabelingError, match="stop it first"):
        workspace.simulations.delete(listed[first], LOCAL)
    workspace.simulations.stop(listed[second], LOCAL)
    workspace.simulations.stop(listed[first], LOCAL)
    end = time.monotonic() + 1200
    while (
        any(workspace.simulations.jobs.running(each) for each in listed) and time.monotonic() < end
    ):
        time.sleep(0.05)
    assert {workspace.simulations.status(each).state for each in listed.values()} == {"stopped"}


def test_what_nothing_can_be_learned_from_fails_with_a_sentence(workspace):
    source = data_sources.upload(WINES, "wines.csv", "density", {}, LOCAL)
    workspace.simulations.start(source, SMALL, LOCAL)
    status = wait(workspace)
    assert (status.state == "failed" and "one category" in status.text) or "repeat" in status.text
    assert workspace.simulations.runs(only(workspace)) == []


@pytest.mark.parametrize(
    ("change", "field"), [({"strategies": []}, "strategies"), ({"batch": 0}, "batch")]
)
def test_a_plan_that_cannot_be_carried_out_leaves_nothing_behind(workspace, change, field):
    with pytest.raises(LabelingError) as error:
        workspace.simulations.start(upload(), SMALL._replace(**change), LOCAL)
    assert error.value.field == field
    with pytest.raises(LabelingError, match="no column"):
        wrong = data_sources.upload(WINES, "wines.csv", "colour", {}, LOCAL)
        workspace.simulations.start(wrong, SMALL, LOCAL)
    assert list(workspace.database.files("simulations").iterdir()) == []


def test_a_table_of_the_database_is_cut_and_says_so(workspace, make_project, monkeypatch):
    make_project(rows=300)
    monkeypatch.setattr(data_sources, "ROWS", 100)
    workspace.simulations.start(
        data_sources.table(workspace.database, "wine", "cask", LOCAL), SMALL, LOCAL
    )
    assert only(workspace).notes == ["A random 100 of the 300 labeled rows were taken."]
    assert wait(workspace).state == "done"


def test_the_labels_of_a_project_are_replayed_with_or_without_its_features(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    annotator(project).label_truly(60)
    workspace.simulations.start(
        data_sources.project(workspace.database, project, LOCAL), SMALL, LOCAL
    )
    assert wait(workspace).state == "done"
    assert "60 labeled rows" in only(workspace).source
    workspace.simulations.delete(only(workspace), LOCAL)
    workspace.loop.start_session(project, "hand")
    while workspace.loop.trainer.running(project.project_id):
        time.sleep(0.02)
    workspace.simulations.start(
        data_sources.project(workspace.database, project, LOCAL), SMALL, LOCAL
    )
    assert wait(workspace).state == "done"
    assert "60 samples" in only(workspace).source and "no random draw" in only(workspace).notes[0]
    assert workspace.simulations.runs(only(workspace))[0].accuracy[-1] == 1.0


def test_a_folder_below_the_allowed_roots_is_replayed(workspace):
    workspace.simulations.start(
        data_sources.folder(workspace.database, "spoken_words", LOCAL), SMALL, LOCAL
    )
    assert wait(workspace).state == "done"
    assert "labeled sounds" in only(workspace).source
    assert np.mean([run.accuracy[-1] for run in workspace.simulations.runs(only(workspace))]) > 0.2
    with pytest.raises(LabelingError, match="outside of the folders that may be read"):
        data_sources.folder(workspace.database, "/etc", LOCAL)


def test_labeling_sessions_have_a_line_of_their_own(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(30)
    workspace.simulations.start(upload(), ENDLESS, LOCAL)
    workspace.loop.start_session(project, "hand")
    end = time.monotonic() + 1200
    while workspace.loop.trainer.running(project.project_id):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert workspace.simulations.status(only(workspace)).state == "running"
    workspace.simulations.stop(only(workspace), LOCAL)


def test_those_who_may_not_are_refused(workspace, make_project):
    project, viewer = make_project(), Person("vic", (("", "viewer"),))
    for refused in (
        lambda: data_sources.table(workspace.database, "wine", "cask", viewer),
        lambda: data_sources.folder(workspace.database, "digits", viewer),
        lambda: data_sources.project(workspace.database, project, viewer),
        lambda: upload(viewer),
        lambda: data_sources.wine_colour(Person("eve")),
    ):
        with pytest.raises(ForbiddenError):
            refused()
