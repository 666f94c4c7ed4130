"""Disagreements: who may settle them, what is stored, and how it is taken back."""

from __future__ import annotations

import json

import duckdb
import pytest
from annotating import LOCAL, Adjudicator, rows

from labeling_core.labeling import adjudicating
from labeling_core.people import ForbiddenError, Person
from labeling_core.projects.labels import read_labels
from labeling_core.web import adjudication_exchange

LABELS = "SELECT label, label_id FROM wine_labels ORDER BY label_id"


@pytest.fixture
def disagreed(workspace, make_project, annotator):
    """A project in which ana and ben have labeled sample after sample differently."""
    project = make_project(rows=4, overlap_share=1.0, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    for person, category in ((ana, "red"), (ben, "white")):
        for _ in range(4):
            for sample_id in person.take(4):
                person.send([person.decision(sample_id, "label", category=category,
                                             comment=f"{person.name} thinks so")])  # fmt: skip
    return project


@pytest.fixture
def eva(workspace, disagreed):
    """Somebody who settles."""
    return Adjudicator(workspace, disagreed, "eva")


def waiting(workspace, project):
    return [
        each.sample_id
        for each in adjudicating.disputes(workspace.open_projects, project, LOCAL).waiting
    ]


def test_what_people_disagree_on_waits_with_who_said_what(workspace, disagreed, eva):
    reply = eva.send(want=3, history={"index": -1, "count": 200})
    assert (len(reply["samples"]), reply["more"], reply["finished"]) == (3, 1, False)
    assert reply["samples"][0]["opinions"] == [
        {"annotator": "ana", "category": "red", "comment": "ana thinks so"},
        {"annotator": "ben", "category": "white", "comment": "ben thinks so"},
    ]
    assert [name for name, *_ in reply["samples"][0]["view"]["fields"]][:2] == ["bottle", "acidity"]
    assert (reply["counts"]["total"], reply["history"]) == (4, None)
    assert rows(workspace.database, LABELS) == []


def test_a_ruling_is_the_final_label_and_can_be_changed_and_taken_back(workspace, disagreed, eva):
    sample_id, *others = waiting(workspace, disagreed)
    queue = workspace.queue(disagreed)
    for category, stored in (("white", [("white", 9)]), ("red", [("red", 10)]), (None, [])):
        assert eva.rule(sample_id, category, "looked twice")["refused"] == []
        assert rows(workspace.database, LABELS) == stored
        assert waiting(workspace, disagreed) == others
        (settled,) = eva.send(history={"index": -1, "count": 200})["history"]["decisions"]
        assert (settled["category"], settled["comment"]) == (category, "looked twice")
        assert queue.counts.labeled + queue.counts.skipped == 1
    with workspace.database.read() as cursor:
        assert len(read_labels(cursor, disagreed).positions) == 0
    eva.send([eva.decision(sample_id, "undo")])
    assert rows(workspace.database, LABELS) == []
    assert len(waiting(workspace, disagreed)) == 4
    assert (queue.counts.labeled, queue.counts.skipped, queue.counts.disputed) == (0, 0, 4)
    decisions = rows(workspace.database, "SELECT DISTINCT origin FROM wine_metadata")
    assert decisions == [("random",)]
    log = rows(workspace.database, "SELECT kind, annotator, detail FROM labeling.events "
               "WHERE kind LIKE 'adj%' ORDER BY event_id")  # fmt: skip
    assert [kind for kind, _, _ in log] == ["adjudication"] * 3 + ["adjudication undone"]
    assert {who for _, who, _ in log} == {"eva"}
    assert json.loads(log[1][2]) == {
        "opinions": [["ana", "red"], ["ben", "white"]], "status": "LABELED", "label": "red",
        "comment": "looked twice", "was": ["LABELED", "white"],
    }  # fmt: skip


def test_rulings_sent_twice_are_stored_once_also_after_a_restart(workspace, disagreed, eva):
    one, other = waiting(workspace, disagreed)[:2]
    sent = [eva.decision(one, "label", category="red"), eva.decision(other, "skip"),
            eva.decision(one, "undo"), eva.decision(one, "label", category="white")]  # fmt: skip
    for _ in range(2):
        reply = eva.send(sent)
        assert (reply["stored"], reply["refused"]) == ({eva.client: 4}, [])
        assert reply["counts"] == {
            "labeled": 1, "skipped": 1, "total": 4, "categories": {}, "mine": 2,
        }  # fmt: skip
        workspace.open_projects.forget(disagreed.project_id)
    assert rows(workspace.database, LABELS) == [("white", 11)]
    settled = adjudicating.disputes(workspace.open_projects, disagreed, LOCAL).settled
    assert [each.sample_id for each in settled] == [other, one]  # the latest ruling last


def test_what_was_settled_elsewhere_is_dropped_from_a_deck(workspace, disagreed, eva):
    one, other = waiting(workspace, disagreed)[:2]
    Adjudicator(workspace, disagreed, "otto").rule(one, "red")
    assert eva.send(holding=[one, other], want=10)["drop"] == [one]


def test_a_ruling_outlives_a_restart_and_corrections_and_is_no_vote(
    workspace, disagreed, annotator, eva
):
    sample_id = waiting(workspace, disagreed)[0]
    eva.rule(sample_id, "white")
    workspace.open_projects.forget(disagreed.project_id)
    ben = annotator(disagreed, "ben")
    ben.send([ben.decision(sample_id, "label", category="red")])
    assert rows(workspace.database, LABELS) == [("white", 9)]
    ana = annotator(disagreed)
    assert ana.send(history={"index": -1, "count": 50})["history"]["total"] == 4
    ana.send([ana.decision(sample_id, "undo")])
    assert rows(workspace.database, LABELS) == [("white", 9)]
    with workspace.database.read() as cursor:
        assert read_labels(cursor, disagreed).codes.tolist() == [1]
    assert annotator(disagreed, "cem").take(10) == []  # it needs nobody any more


def test_a_label_id_is_never_used_again_after_a_ruling_was_taken_back(workspace, disagreed, eva):
    one, other = waiting(workspace, disagreed)[:2]
    eva.rule(one, "red")
    eva.send([eva.decision(one, "undo")])
    workspace.open_projects.forget(disagreed.project_id)
    eva.rule(other, "red")
    assert rows(workspace.database, LABELS) == [("red", 10)]


def test_only_whoever_manages_the_project_sees_and_settles(workspace, disagreed, eva):
    ben = Person("ben", ((disagreed.project_id, "annotator"),))
    ruling = eva.decision(waiting(workspace, disagreed)[0], "label", category="red")
    for act in (
        lambda: adjudicating.disputes(workspace.open_projects, disagreed, ben),
        lambda: adjudicating.submit(workspace.open_projects, disagreed.project_id, ben, [ruling]),
        lambda: adjudication_exchange.answer(workspace, disagreed.project_id, ben, None),
    ):
        with pytest.raises(ForbiddenError):
            act()
    assert rows(workspace.database, LABELS) == []


def test_what_does_not_wait_and_what_is_no_category_is_refused(
    workspace, disagreed, annotator, eva
):
    sample_id = waiting(workspace, disagreed)[0]

    def refused(decision):
        (told,) = eva.send([decision])["refused"]
        return told["reason"]

    assert "no category" in refused(eva.decision(sample_id, "label", category="green"))
    assert "not been settled" in refused(eva.decision(sample_id, "undo"))
    assert "no decision" in refused(eva.decision(sample_id, "keep", category="red"))
    ben = annotator(disagreed, "ben")
    ben.send([ben.decision(sample_id, "label", category="red")])
    assert "does not wait" in refused(eva.decision(sample_id, "label", category="red"))
    assert rows(workspace.database, LABELS) == [("red", 1)]


def test_a_failed_commit_leaves_tables_and_memory_as_they_were(workspace, disagreed, eva):
    sample_id = waiting(workspace, disagreed)[0]
    ruling = eva.decision(sample_id, "label", category="red")
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine_labels RENAME TO away")
    with pytest.raises(duckdb.Error):
        eva.send([ruling])
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO wine_labels")
    assert len(waiting(workspace, disagreed)) == 4
    assert eva.send([ruling])["stored"] == {eva.client: 1}
    assert rows(workspace.database, LABELS) == [("red", 9)]


def page():
    """What the Review page does with this module."""
    import streamlit as st

    from labeling_core.workspace import open_workspace
    from pages.blocks import adjudication as page_of_adjudication

    st.session_state.setdefault("annotator", "eva")
    page_of_adjudication.show(open_workspace().project("wine"))


def test_the_page_answers_a_message_that_comes_as_state(workspace, disagreed, eva, monkeypatch):
    from streamlit.testing.v1 import AppTest

    from labeling_core import workspace as workspaces
    from labeling_core.access import tokens

    monkeypatch.setenv("LABELING_DATABASE", str(workspace.database.path))
    monkeypatch.setitem(workspaces._open, workspace.database.path, workspace)
    at = AppTest.from_function(page, default_timeout=60).run()
    assert not at.exception
    ruling = eva.decision(waiting(workspace, disagreed)[0], "label", category="white")
    token = tokens.issue(workspace.key, "wine", "eva")
    at.session_state["adjudication-wine-eva"] = {"message": eva.raw([ruling], token=token)}
    at.run()
    assert not at.exception
    assert rows(workspace.database, LABELS) == [("white", 9)]
