"""What the tables tell about when to stop, from sessions that really ran."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from running import wait

from labeling_core.learning import stopping
from labeling_core.progress import learning_curve, stopping_evidence


@pytest.fixture
def measured(workspace, make_project, annotator):
    """A project after so many sessions of 20 labels."""

    def make(sessions, **changes):
        project = make_project(**({"rows": 800, "every": 20} | changes))
        ana = annotator(project)
        for _ in range(sessions):
            ana.label_truly(20)
            wait(workspace, project)
        return project

    return make


def read(workspace, project):
    with workspace.database.read() as cursor:
        queue = workspace.queue(project)
        found = learning_curve.sessions(cursor, project, queue)
        return found, stopping_evidence.read(cursor, project, queue, found)


def test_a_project_that_is_learned_may_stop_after_some_sessions(workspace, measured):
    project = measured(5)
    sessions, found = read(workspace, project)
    assert found.labels.tolist() == [20, 40, 60, 80, 100]
    assert found.kind == "probes"
    assert found.curve.hits.shape == (5, found.curve.evaluated)
    assert found.curve.hits.sum(axis=1).tolist() == found.curve.correct.tolist()
    assert [each.evaluated for each in sessions] == [found.curve.evaluated] * 5
    assert found.changed[-1] == 0
    assert found.compared == 800 - 90  # all places are kept; 90 of 100 labels were trained on
    assert stopping.advise(found).verdict == "stop"


def test_before_any_session_and_after_one_it_cannot_be_told(workspace, measured):
    project = measured(0)
    assert stopping.advise(read(workspace, project)[1]).verdict == "unknown"


def test_without_probes_the_way_to_an_honest_measure_is_named(workspace, measured):
    project = measured(4, probe_share=0.0)
    advice = stopping.advise(read(workspace, project)[1])
    assert advice.verdict == "unknown"
    assert "Set a share of probes" in advice.reasons[0]


def test_only_sessions_that_form_one_curve_are_compared(workspace, measured):
    project = measured(3)
    sessions, _ = read(workspace, project)
    other = sessions[0]._replace(classifier="random_forest")
    failed = sessions[1]._replace(state="FAILED")
    again = sessions[2]._replace(session_id=4)
    assert stopping_evidence.comparable([*sessions, again]) == [*sessions[:2], again]
    assert stopping_evidence.comparable([other, failed, sessions[2]]) == [sessions[2]]
    assert stopping_evidence.comparable([]) == []


def test_renamed_categories_and_a_pool_without_a_place_left_are_no_fault(workspace, measured):
    project = measured(2)
    renamed = tuple(replace(each, name=each.name.upper()) for each in project.settings.categories)
    changed = project._replace(settings=replace(project.settings, categories=renamed))
    assert stopping.advise(read(workspace, changed)[1]).verdict == "unknown"
    none = np.zeros(3, bool)
    assert stopping_evidence.changes([np.zeros(3), np.ones(3)], none).tolist() == [1, 1]


def test_changes_count_categories_as_the_measure_does():
    last = np.array(["a"] * 8 + ["b"] * 2)
    before = np.array(["a"] * 9 + ["b"])  # one of two b
    every = np.ones(10, bool)
    assert stopping_evidence.changes([before, last], every).tolist() == [0.1, 0]
    found = stopping_evidence.changes([before, last], every, "balanced_accuracy")
    assert found == pytest.approx([0.25, 0])
    found = stopping_evidence.changes([before, last], every, "macro_f1")
    assert found == pytest.approx([1 - (16 / 17 + 2 / 3) / 2, 0])


@pytest.mark.parametrize("measure", ["balanced_accuracy", "macro_f1"])
def test_a_project_with_a_measure_of_its_own_is_judged_by_it(workspace, measured, measure):
    project = measured(5, measure=measure, probe_share=0.3)
    sessions, found = read(workspace, project)
    assert {each.measure for each in sessions} == {measure} and found.missing == ""
    assert found.curve.errors == pytest.approx([1 - each.score for each in sessions])
    assert found.curve.other.pairs.shape == (5, found.curve.evaluated)
    assert stopping.advise(found).verdict == "stop"
    older = [*(each._replace(measure="accuracy") for each in sessions[:-1]), sessions[-1]]
    assert stopping_evidence.comparable(older) == older[-1:]


def test_a_test_table_is_judged_by_what_was_counted_on_it(workspace, measured):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE known AS SELECT i AS bottle, (i % 2) * 8 + 1 AS acidity, 'cask' AS cask, "
            "CASE i % 2 WHEN 1 THEN 'white' ELSE 'red' END AS label FROM range(50) t(i)"
        )
    project = measured(4, measure="balanced_accuracy", test_table="known")
    found = read(workspace, project)[1]
    assert found.kind == "test table" and found.curve.other.pairs is None
    assert found.curve.errors[-1] == 0 and found.curve.worth == 50
    assert stopping.advise(found).verdict in ("stop", "go on")


def test_too_few_probes_of_a_category_are_the_reason_that_it_cannot_be_told(workspace, measured):
    project = measured(4, measure="macro_f1", probe_share=0.12)
    sessions, found = read(workspace, project)
    advice = stopping.advise(found)
    assert sessions[-1].lacking and advice.verdict == "unknown"
    assert advice.reasons[0] == sessions[-1].lacking
