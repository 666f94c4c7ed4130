"""By the numbers of a browser each decision counts once, also after a backup was put back."""

from __future__ import annotations

from annotating import SETTINGS, Annotator, make_source

from labeling_core.labeling.bookkeeping import Decision
from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.sequences import Sequences
from labeling_core.projects.lifecycle import create_project

C, NEW = Browser("ana", "c"), Browser("ana", "new")


def fresh(known, *numbers, browser=C):
    last = {}
    decisions = [Decision(browser.client, each, "1", "skip") for each in numbers]
    found = known.fresh(browser.annotator, decisions, last)
    return [each.seq for each in found], last


def test_only_what_follows_without_a_gap_is_fresh():
    known = Sequences({C: 2})
    assert fresh(known, 5, 3, 2, 1, 4, 7) == ([3, 4, 5], {C: 5})
    assert fresh(known, 4) == ([], {})
    assert fresh(known, 1, browser=NEW) == ([1], {NEW: 1})
    assert known.stored("ana", ["c", "new"]) == {"c": 2, "new": 0}


def test_after_a_backup_was_put_back_a_browser_goes_on_behind_the_gap_once():
    known = Sequences({C: 2}, heard=set())
    assert fresh(known, 2, 6, 7, 9) == ([6, 7], {C: 7})
    known.take_over({C: 7})
    assert fresh(known, 9) == ([], {})
    assert fresh(known, 8) == ([8], {C: 8})


def test_whoever_knows_the_name_of_anothers_browser_takes_nothing_from_it(workspace):
    make_source(workspace.database)
    project = create_project(workspace.database, SETTINGS)
    ana, eve = Annotator(workspace, project, "ana"), Annotator(workspace, project, "eve")
    first, second = ana.take(2)
    eve.client = ana.client
    eve.send(release=True, holding=[first, second])  # what ana holds is not eve's to give back
    mine = eve.take(1)
    assert not {first, second} & set(mine)
    reply = eve.send([eve.decision(mine[0], "label", category="red")])
    assert reply["stored"] == {ana.client: 1}
    for number, sample_id in enumerate((first, second), start=1):
        reply = ana.send([ana.decision(sample_id, "label", category="white")], holding=[second])
        assert (reply["stored"], reply["refused"], reply["drop"]) == ({ana.client: number}, [], [])
    with workspace.database.read() as cursor:
        rows = cursor.execute(
            "SELECT sample_id, annotator, label FROM main.wine_metadata ORDER BY label_id"
        ).fetchall()
    assert rows == [(mine[0], "eve", "red"), (first, "ana", "white"), (second, "ana", "white")]
    workspace.open_projects.forget(project.project_id)  # and the tables say the same
    sequences = workspace.queue(workspace.project(project.project_id)).sequences
    assert sequences.stored("ana", [ana.client]) == {ana.client: 2}
    assert sequences.stored("eve", [ana.client]) == {ana.client: 1}
