"""Disagreements: who may settle them, what is stored, and how it is taken back."""

from __future__ import annotations

import json

import pytest
from annotating import LOCAL, rows

from labeling_core import adjudication
from labeling_core.errors import LabelingError
from labeling_core.labels import read_labels
from labeling_core.people import ForbiddenError, Person

LABELS = "SELECT label, label_id FROM wine_labels ORDER BY label_id"


@pytest.fixture
def disagreed(space, make_project, annotator):
    """A project in which ana and ben have labeled sample after sample differently."""
    project = make_project(rows=4, overlap_share=1.0, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    for person, category in ((ana, "red"), (ben, "white")):
        for _ in range(4):
            for sample_id in person.take(4):
                person.send([person.decision(sample_id, "label", category=category,
                                             comment=f"{person.name} thinks so")])  # fmt: skip
    return project


def test_what_people_disagree_on_waits_with_who_said_what(space, disagreed):
    found = adjudication.disputes(space, disagreed, LOCAL)
    assert len(found) == 4
    assert found[0].opinions == [
        ("ana", "red", "ana thinks so"), ("ben", "white", "ben thinks so"),
    ]  # fmt: skip
    assert rows(space.database, LABELS) == []


def test_a_ruling_is_the_final_label_and_can_be_changed_and_taken_back(space, disagreed):
    sample_id = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    queue = space.queue(disagreed)
    for category, stored in (("white", [("white", 9)]), ("red", [("red", 10)]), (None, [])):
        adjudication.decide(space, disagreed, sample_id, category, LOCAL, "looked twice")
        assert rows(space.database, LABELS) == stored
        assert len(adjudication.disputes(space, disagreed, LOCAL)) == 3
        settled = adjudication.disputes(space, disagreed, LOCAL, settled=True)
        assert [each.ruling for each in settled] == [("ana", category, "looked twice")]
        assert queue.labeled + queue.skipped == 1
    with space.database.read() as cursor:
        assert len(read_labels(cursor, disagreed).places) == 0
    adjudication.take_back(space, disagreed, sample_id, LOCAL)
    assert rows(space.database, LABELS) == []
    assert len(adjudication.disputes(space, disagreed, LOCAL)) == 4
    assert (queue.labeled, queue.skipped, queue.disputed) == (0, 0, 4)
    decisions = rows(space.database, "SELECT DISTINCT origin FROM wine_metadata")
    assert decisions == [("random",)]
    log = rows(space.database, "SELECT kind, annotator, detail FROM labeling.events "
               "WHERE kind LIKE 'adj%' ORDER BY event_id")  # fmt: skip
    assert [kind for kind, _, _ in log] == ["adjudication"] * 3 + ["adjudication undone"]
    assert json.loads(log[1][2]) == {
        "opinions": [["ana", "red"], ["ben", "white"]], "status": "LABELED", "label": "red",
        "comment": "looked twice", "was": ["LABELED", "white"],
    }  # fmt: skip


def test_a_ruling_outlives_a_restart_and_corrections_and_is_no_vote(space, disagreed, annotator):
    sample_id = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    adjudication.decide(space, disagreed, sample_id, "white", LOCAL)
    space.forget(disagreed.project_id)
    ben = annotator(disagreed, "ben")
    ben.send([ben.decision(sample_id, "label", category="red")])
    assert rows(space.database, LABELS) == [("white", 9)]
    ana = annotator(disagreed)
    assert ana.send(history={"index": -1, "count": 50})["history"]["total"] == 4
    ana.send([ana.decision(sample_id, "undo")])
    assert rows(space.database, LABELS) == [("white", 9)]
    with space.database.read() as cursor:
        assert read_labels(cursor, disagreed).codes.tolist() == [1]
    assert annotator(disagreed, "cem").take(10) == []  # it needs nobody any more


def test_a_label_id_is_never_used_again_after_a_ruling_was_taken_back(space, disagreed):
    one, other = [each.sample_id for each in adjudication.disputes(space, disagreed, LOCAL)][:2]
    adjudication.decide(space, disagreed, one, "red", LOCAL)
    adjudication.take_back(space, disagreed, one, LOCAL)
    space.forget(disagreed.project_id)
    adjudication.decide(space, disagreed, other, "red", LOCAL)
    assert rows(space.database, LABELS) == [("red", 10)]


def test_only_whoever_manages_the_project_sees_and_settles(space, disagreed):
    sample_id = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    ben = Person("ben", ((disagreed.project_id, "annotator"),))
    for act in (
        lambda: adjudication.disputes(space, disagreed, ben),
        lambda: adjudication.decide(space, disagreed, sample_id, "red", ben),
        lambda: adjudication.take_back(space, disagreed, sample_id, ben),
    ):
        with pytest.raises(ForbiddenError):
            act()


def test_what_does_not_wait_and_what_is_no_category_is_refused(space, disagreed, annotator):
    sample_id = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    with pytest.raises(LabelingError, match="no category"):
        adjudication.decide(space, disagreed, sample_id, "green", LOCAL)
    with pytest.raises(LabelingError, match="not been settled"):
        adjudication.take_back(space, disagreed, sample_id, LOCAL)
    ben = annotator(disagreed, "ben")
    ben.send([ben.decision(sample_id, "label", category="red")])
    with pytest.raises(LabelingError, match="does not wait"):
        adjudication.decide(space, disagreed, sample_id, "red", LOCAL)
    assert rows(space.database, LABELS) == [("red", 1)]


def test_a_failed_commit_leaves_tables_and_memory_as_they_were(space, disagreed):
    import duckdb

    sample_id = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    with space.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine_labels RENAME TO away")
    with pytest.raises(duckdb.Error):
        adjudication.decide(space, disagreed, sample_id, "red", LOCAL)
    with space.database.transaction() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO wine_labels")
    assert len(adjudication.disputes(space, disagreed, LOCAL)) == 4
    adjudication.decide(space, disagreed, sample_id, "red", LOCAL)
    assert rows(space.database, LABELS) == [("red", 9)]


def page():
    """What the Review page does with this module."""
    import streamlit as st

    from labeling_core.workspace import workspace
    from pages import adjudication as page_of_adjudication

    st.session_state.setdefault("annotator", "ana")
    page_of_adjudication.show(workspace(), workspace().project("wine"))


def test_the_page_settles_one_after_the_other(space, disagreed, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from labeling_core import workspace as workspaces

    monkeypatch.setenv("LABELING_DATABASE", str(space.database.path))
    monkeypatch.setitem(workspaces._open, space.database.path, space)
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    first = adjudication.disputes(space, disagreed, LOCAL)[0].sample_id
    key = f"adjudication-wine-{first}"
    at.text_input(key=f"{key}-comment").input("clear").run()
    at.button(key=f"{key}-white").click().run()
    assert not at.exception
    assert rows(space.database, LABELS) == [("white", 9)]
    at.button(key="adjudication_next").click().run()
    at.segmented_control(key="adjudication_list").set_value("Settled").run()
    assert not at.exception
    at.button(key=f"{key}-back").click().run()
    assert rows(space.database, LABELS) == []
    assert [each.value for each in at.info] == ["Samples settled by an adjudicator appear here."]
