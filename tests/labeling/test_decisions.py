"""Decisions are stored exactly once and in order; samples go to one browser at a time."""

from __future__ import annotations

import duckdb
import pytest
from annotating import reserved, rows

METADATA = "SELECT * EXCLUDE (labeled_at, seconds) FROM wine_metadata ORDER BY label_id"


def test_a_label_is_in_metadata_and_labels_and_joins_back_to_its_row(
    workspace, make_project, annotator
):
    project = make_project()
    ana = annotator(project)
    sample_id, other = ana.take(2)
    ana.send([ana.decision(sample_id, "label", category="red", comment="clear", seconds=2.5)])
    ana.send([ana.decision(other, "skip")])
    found = rows(workspace.database, METADATA)
    assert found == [
        (1, sample_id, "LABELED", "red", "clear", 0, "ana", found[0][7]),
        (2, other, "SKIPPED", None, None, 0, "ana", found[1][7]),
    ]
    joined = rows(
        workspace.database,
        "SELECT w.bottle + 1, l.label, l.label_id FROM wine_labels l "
        "JOIN wine w USING (bottle, acidity, cask)",
    )
    assert joined == [(int(sample_id), "red", 1)]


def test_a_message_sent_twice_is_stored_once(workspace, make_project, annotator):
    project = make_project()
    ana = annotator(project)
    decisions = [ana.decision(each, "label", category="red") for each in ana.take(5)]
    first, second = ana.send(decisions), ana.send(decisions)
    assert first["stored"] == second["stored"] == {ana.client: 5}
    assert second["counts"]["labeled"] == 5
    assert len(rows(workspace.database, METADATA)) == 5


def test_a_gap_in_the_numbers_waits_for_the_resend(workspace, make_project, annotator):
    project = make_project()
    ana = annotator(project)
    one, two, three = [ana.decision(each, "label", category="red") for each in ana.take(3)]
    assert ana.send([one, three])["stored"] == {ana.client: 1}
    assert ana.send([two, three])["stored"] == {ana.client: 3}
    stored = [row[1] for row in rows(workspace.database, METADATA)]
    assert stored == [one.sample_id, two.sample_id, three.sample_id]


def test_a_change_keeps_the_label_id_and_follows_into_labels(workspace, make_project, annotator):
    project = make_project()
    ana = annotator(project)
    sample_id = ana.take(1)[0]
    for action, category, labels in (
        ("label", "red", [("red", 1)]),
        ("label", "white", [("white", 1)]),
        ("skip", None, []),
        ("label", "red", [("red", 1)]),
    ):
        ana.send([ana.decision(sample_id, action, category=category)])
        assert rows(workspace.database, "SELECT label, label_id FROM wine_labels") == labels
        status = "LABELED" if action == "label" else "SKIPPED"
        stored = rows(workspace.database, "SELECT label_id, status, label FROM wine_metadata")
        assert stored == [(1, status, category)]
    kinds = rows(workspace.database, "SELECT kind FROM labeling.events ORDER BY event_id")
    assert [kind for (kind,) in kinds] == ["decision"] + ["correction"] * 3


def test_several_decisions_on_one_sample_in_one_message_end_as_the_last(
    workspace, make_project, annotator
):
    project = make_project()
    ana = annotator(project)
    sample_id = ana.take(1)[0]
    reply = ana.send(
        [
            ana.decision(sample_id, "label", category="red"),
            ana.decision(sample_id, "undo"),
            ana.decision(sample_id, "label", category="white"),
        ]
    )
    assert reply["counts"]["categories"] == {"white": 1}
    assert rows(workspace.database, "SELECT label_id, label FROM wine_metadata") == [(2, "white")]


def test_undo_brings_the_sample_back_and_its_label_id_is_never_used_again(
    workspace, make_project, annotator
):
    project = make_project()
    ana = annotator(project)
    sample_id, other = ana.take(2)
    ana.send([ana.decision(sample_id, "label", category="red")])
    reply = ana.send([ana.decision(sample_id, "undo")])
    assert reply["counts"]["labeled"] == 0
    assert rows(workspace.database, "SELECT * FROM wine_labels") == []
    workspace.open_projects.forget(project.project_id)  # as after a restart
    ana.send([ana.decision(sample_id, "label", category="white")])
    assert rows(workspace.database, "SELECT label_id, label FROM wine_metadata") == [(2, "white")]
    assert workspace.queue(project).reservations.get(other)


def test_what_may_not_be_decided_is_refused_with_a_sentence_and_the_rest_is_stored(
    workspace, make_project, annotator
):
    project = make_project()
    ana, ben = annotator(project), annotator(project, "ben")
    mine, his = ana.take(1)[0], ben.take(1)[0]
    reply = ana.send(
        [
            ana.decision(his, "label", category="red"),
            ana.decision(mine, "label", category="green"),
            ana.decision("no such sample", "skip"),
            ana.decision(mine, "label", category="red"),
        ]
    )
    assert [each["seq"] for each in reply["refused"]] == [1, 2, 3]
    assert "green" in reply["refused"][1]["reason"]
    assert reply["stored"] == {ana.client: 4}
    assert rows(workspace.database, "SELECT sample_id FROM wine_metadata") == [(mine,)]
    refused = rows(
        workspace.database, "SELECT count(*) FROM labeling.events WHERE kind = 'refused'"
    )
    assert refused == [(3,)]


def test_two_browsers_never_hold_the_same_sample(workspace, make_project, annotator):
    project = make_project(rows=60)
    browsers = [annotator(project) for _ in range(2)] + [annotator(project, "ben")]
    queue = [sample for browser in browsers for _ in range(3) for sample in browser.take(5)]
    assert len(queue) == len(set(queue)) > 20


def test_the_last_samples_reach_whoever_asks(workspace, make_project, annotator):
    project = make_project(rows=30)
    ana, ben = annotator(project), annotator(project, "ben")
    assert len(ana.take(500)) < 15
    ben.label_truly(1000)
    ana.send(release=True, holding=reserved(workspace.queue(project)))
    ben.label_truly(1000)
    assert ben.send(want=5)["finished"] is True
    assert workspace.queue(project).counts.labeled == 30


def test_reservations_survive_a_restart_and_late_decisions_still_count(
    workspace, make_project, annotator
):
    project = make_project()
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(3)
    workspace.open_projects.forget(project.project_id)
    assert not set(ben.take(20)) & set(mine)
    ana.send(release=True, holding=mine)
    ana.send([ana.decision(mine[0], "label", category="red")])
    assert rows(workspace.database, "SELECT sample_id FROM wine_metadata") == [(mine[0],)]


def test_reservations_of_browsers_that_never_came_back_are_forgotten_in_the_end(
    workspace, make_project, annotator
):
    project = make_project()
    annotator(project, "gone").take(5)
    recent = set(annotator(project, "ben").take(5))
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.reservations SET until = until - INTERVAL 8 DAY "
            "WHERE annotator = 'gone'"
        )
    mine = set(annotator(project).take(5))
    kept = rows(workspace.database, "SELECT sample_id FROM labeling.reservations")
    assert {sample_id for (sample_id,) in kept} == recent | mine


def test_a_lapsed_sample_decided_by_another_is_refused_and_told(workspace, make_project, annotator):
    project = make_project(rows=20)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(1)[0]
    ana.send(release=True, holding=[mine])
    ben.label_truly(1000)
    reply = ana.send([ana.decision(mine, "label", category="red")])
    assert "another annotator" in reply["refused"][0]["reason"]
    assert rows(
        workspace.database, "SELECT count(*) FROM wine_metadata WHERE annotator = 'ana'"
    ) == [(0,)]


def test_a_failed_commit_stores_nothing_and_the_resend_stores_all(
    workspace, make_project, annotator, monkeypatch
):
    project = make_project()
    ana = annotator(project)
    decisions = [ana.decision(each, "label", category="red") for each in ana.take(3)]
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine_metadata RENAME TO away")
    with pytest.raises(duckdb.Error):
        ana.send(decisions)
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE away RENAME TO wine_metadata")
    assert rows(workspace.database, "SELECT count(*) FROM wine_labels") == [(0,)]
    assert ana.send(decisions)["stored"] == {ana.client: 3}
    assert len(rows(workspace.database, METADATA)) == 3


def test_history_pages_through_ones_own_decisions(workspace, make_project, annotator):
    project = make_project()
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.label_truly(30)
    ben.label_truly(5)
    history = ana.send(history={"index": 10, "count": 5})["history"]
    assert [each["sample_id"] for each in history["decisions"]] == mine[10:15]
    assert history["total"] == 30
    last = ana.send(history={"index": -1, "count": 2})["history"]
    assert [each["sample_id"] for each in last["decisions"]] == mine[-2:]
    assert last["decisions"][0]["status"] == "LABELED"


def test_probes_are_shown_at_their_share_and_come_from_the_kept_places(
    workspace, make_project, annotator
):
    project = make_project(rows=1000, probe_share=0.2)
    annotator(project).label_truly(200)
    origins = dict(
        rows(workspace.database, "SELECT origin, count(*) FROM wine_metadata GROUP BY origin")
    )
    assert origins == {"probe": 40, "random": 160}
    places = rows(
        workspace.database,
        "SELECT max(__place), count(*) FROM labeling_pool.samples_wine "
        "JOIN wine_metadata ON sample_id = __sample_id WHERE origin = 'probe'",
    )
    assert places == [(39, 40)]
