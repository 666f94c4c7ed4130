"""Earlier decisions put back: tables, counts and queue follow, the log only grows."""

from __future__ import annotations

import pytest
from annotating import LOCAL, rows
from running import check_memory, run_session

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.labeling import restoring
from labeling_core.people import ForbiddenError, Person

BOB = Person("bob", (("wine", "annotator"),))


def events(workspace):
    return rows(
        workspace.database,
        "SELECT event_id, kind, sample_id, detail FROM labeling.events ORDER BY event_id",
    )


def decision(workspace, sample_id):
    found = rows(
        workspace.database,
        "SELECT m.status, m.label, m.comment, m.annotator, l.label FROM wine_metadata AS m "
        "LEFT JOIN wine_labels AS l USING (label_id) WHERE sample_id = ?",
        sample_id,
    )
    return found[0] if found else None


def test_each_earlier_state_of_a_sample_can_be_had_again(workspace, make_project, annotator):
    project = make_project(every=1000)
    ana = annotator(project)
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red", comment="dark")])
    ana.send([ana.decision(sample, "skip")])
    ana.send([ana.decision(sample, "undo")])
    ana.send([ana.decision(sample, "label", category="white")])
    before = events(workspace)
    expected = {
        before[0][0]: ("LABELED", "red", "dark", "ana", "red"),
        before[1][0]: ("SKIPPED", None, None, "ana", None),
        before[2][0]: None,
        before[3][0]: ("LABELED", "white", None, "ana", "white"),
    }
    for event_id, state in [*expected.items(), *reversed(expected.items())][:7]:
        if decision(workspace, sample) != state:
            restoring.restore(workspace.open_projects, project, event_id, LOCAL)
        assert decision(workspace, sample) == state
        check_memory(workspace, project)
    after = events(workspace)
    assert after[: len(before)] == before
    assert {kind for _, kind, *_ in after[len(before) :]} == {"restore"}
    ids = rows(workspace.database, "SELECT label_id FROM labeling.events WHERE kind = 'restore'")
    assert len(ids) == len(after) - len(before)


def test_an_admin_restores_the_decision_of_another_and_it_stays_theirs(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red")])
    ana.send([ana.decision(sample, "label", category="white")])
    first = events(workspace)[0][0]
    with pytest.raises(ForbiddenError):
        restoring.restore(workspace.open_projects, project, first, BOB)
    with pytest.raises(ForbiddenError):
        restoring.restore(
            workspace.open_projects, project, first, Person("ana", (("wine", "viewer"),))
        )
    restoring.restore(workspace.open_projects, project, first, Person("root", (("", "admin"),)))
    assert decision(workspace, sample) == ("LABELED", "red", None, "ana", "red")
    who = rows(workspace.database, "SELECT annotator FROM labeling.events WHERE kind = 'restore'")
    assert who == [("root",)]
    with pytest.raises(LabelingError, match="is like that now"):
        restoring.restore(workspace.open_projects, project, first, LOCAL)


def test_what_another_annotator_has_or_holds_is_left_to_them(workspace, make_project, annotator):
    project = make_project(rows=1, every=1000, probe_share=0.0)
    ana, bob = annotator(project), annotator(project, "bob")
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red")])
    ana.send([ana.decision(sample, "undo")])
    ana.send(holding=[sample], release=True)
    assert bob.take(1) == [sample]
    first = events(workspace)[0][0]
    with pytest.raises(LabelingError, match="is with bob now"):
        restoring.restore(workspace.open_projects, project, first, LOCAL)
    bob.send([bob.decision(sample, "label", category="white")])
    with pytest.raises(LabelingError, match="was decided by bob since"):
        restoring.restore(workspace.open_projects, project, first, LOCAL)
    assert decision(workspace, sample)[:4] == ("LABELED", "white", None, "bob")


def test_the_queries_follow_and_come_back_after_a_restored_decision(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(40)
    run_session(workspace, project)
    sample = ana.take(1)[0]
    (stood,) = rows(workspace.database, "SELECT * FROM wine_queries WHERE sample_id = ?", sample)
    ana.send([ana.decision(sample, "label", category="red")])
    ana.send([ana.decision(sample, "undo")])
    labeled = next(each[0] for each in reversed(events(workspace)) if each[1] == "decision")
    restoring.restore(workspace.open_projects, project, labeled, LOCAL)
    gone = rows(workspace.database, "SELECT * FROM wine_queries WHERE sample_id = ?", sample)
    assert not gone
    restored = events(workspace)[-1]
    undone = next(each[0] for each in reversed(events(workspace)) if each[1] == "undo")
    restoring.restore(workspace.open_projects, project, undone, LOCAL)
    assert rows(workspace.database, "SELECT * FROM wine_queries WHERE sample_id = ?", sample) == [
        stood
    ]
    assert '"asked"' in restored[3]


def test_a_category_of_before_is_restored_under_its_name_of_today(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana = annotator(project)
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red")])
    ana.send([ana.decision(sample, "skip")])
    project = use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    restoring.restore(workspace.open_projects, project, events(workspace)[0][0], LOCAL)
    assert decision(workspace, sample)[:2] == ("LABELED", "rouge")
    with pytest.raises(LabelingError, match="no decision that could be restored"):
        restoring.restore(workspace.open_projects, project, events(workspace)[2][0], LOCAL)


def test_a_deck_is_told_that_decisions_were_changed_on_another_page(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    ana, bob = annotator(project), annotator(project, "bob")
    (sample,) = ana.take(1)
    ana.send([ana.decision(sample, "label", category="red")])
    before = ana.send([ana.decision(sample, "label", category="white")])["counts"]
    others = bob.send()["counts"]["revised"]
    restoring.restore(workspace.open_projects, project, events(workspace)[0][0], LOCAL)
    after = ana.send(history={"index": -1, "count": 5})
    assert after["counts"]["mine"] == before["mine"] == 1
    assert after["counts"]["revised"] != before["revised"]
    assert after["history"]["decisions"][0]["category"] == "red"
    assert bob.send()["counts"]["revised"] == others
