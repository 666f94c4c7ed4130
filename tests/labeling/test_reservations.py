"""A sample is with one person at a time, and comes back when they leave or do not go on."""

from __future__ import annotations

import time

from annotating import rows


def later(workspace, project, seconds):
    """From now on the queue's clock is ahead."""
    workspace.queue(project).clock = lambda: time.time() + seconds


def test_several_people_never_hold_the_same_sample_whatever_they_do(
    workspace, make_project, annotator
):
    project = make_project(rows=120)
    team = [annotator(project, name) for name in ("ana", "ben", "cem", "dia")]
    queue: dict[str, set[str]] = {each.name: set() for each in team}
    for turn in range(40):
        person = team[turn % 4]
        mine = queue[person.name]
        reply = person.send(want=3, holding=list(mine))
        mine.difference_update(reply["drop"])
        mine.update(each["sample_id"] for each in reply["samples"])
        if turn % 7 == 6:
            person.send(release=True, holding=list(mine))
            mine.clear()
        elif mine:
            sample_id = mine.pop()
            person.send([person.decision(sample_id, "label", category="red")])
        if turn == 20:
            workspace.open_projects.forget(project.project_id)  # as after a restart
        everything = [each for one in queue.values() for each in one]
        assert len(everything) == len(set(everything))
    doubled = rows(
        workspace.database, "SELECT sample_id FROM wine_metadata GROUP BY 1 HAVING count(*) > 1"
    )
    assert doubled == []


def test_a_reservation_lasts_for_a_batch_at_30_seconds_each(workspace, make_project, annotator):
    project = make_project(rows=10, every=40, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = set(ana.take(4))
    later(workspace, project, 30 * 40 - 5)
    theirs = set()
    while found := ben.take(10):
        theirs |= set(found)
    assert not mine & theirs
    later(workspace, project, 30 * 40 + 5)
    assert set(ben.take(10)) == mine


def test_whoever_is_active_keeps_what_they_hold(workspace, make_project, annotator):
    project = make_project(rows=10, every=20, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(4)
    for seconds in (500, 1_000, 1_500):
        later(workspace, project, seconds)
        assert ana.send(holding=mine)["drop"] == []
    theirs = set()
    while found := ben.take(10):
        theirs |= set(found)
    assert not set(mine) & theirs


def test_whoever_comes_back_late_gets_a_sample_again_that_nobody_took(
    workspace, make_project, annotator
):
    project = make_project(rows=10, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(2)
    later(workspace, project, 3_600)  # the lid was closed for an hour
    taken = ben.take(1)[0]
    reply = ana.send(holding=mine)
    assert reply["drop"] == [each for each in mine if each == taken]
    ana.send([ana.decision(mine[1], "label", category="red")])
    assert rows(workspace.database, "SELECT sample_id FROM wine_metadata") == [(mine[1],)]


def test_the_last_samples_are_told_with_their_hour_and_come_when_it_is_over(
    workspace, make_project, annotator
):
    project = make_project(rows=6, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    before = time.time()
    mine = ana.take(3)
    ben.label_truly(100)
    reply = ben.send(want=5)
    assert (reply["finished"], reply["waiting"]["samples"]) == (True, 3)
    assert 600 <= reply["waiting"]["until"] - before < 660
    workspace.open_projects.forget(project.project_id)  # a restart gives everybody their time again
    assert ben.send(want=5)["waiting"]["samples"] == 3
    later(workspace, project, 700)
    assert {each["sample_id"] for each in ben.send(want=5)["samples"]} == set(mine)


def test_when_nothing_is_free_half_of_what_another_has_ahead_is_handed_over(
    workspace, make_project, annotator
):
    project = make_project(rows=60, probe_share=0.0)
    ana, ben, cem = (annotator(project, name) for name in ("ana", "ben", "cem"))
    mine = []
    while found := ana.take(60):
        mine += found
    assert len(mine) == 60
    ana.send(holding=mine, screen=mine[-1])  # taken back, say: she looks at the last one
    theirs = []
    while found := ben.take(60):
        theirs += found
    assert len(theirs) == 30 and not {*mine[:4], mine[-1]} & set(theirs)
    late = ana.decision(theirs[0], "label", category="red")  # before she hears of it
    reply = ana.send([late], holding=[each for each in mine if each != theirs[0]])
    assert (reply["refused"], sorted(reply["drop"])) == ([], sorted(theirs[1:]))
    ben.send([ben.decision(each, "label", category="white") for each in theirs])
    assert cem.take(60)  # of ana's
    decided = rows(workspace.database, "SELECT annotator, count(*) FROM wine_metadata GROUP BY 1")
    assert sorted(decided) == [("ana", 1), ("ben", 29)]


def test_the_own_other_tab_is_called_so(workspace, make_project, annotator):
    project = make_project(rows=6, probe_share=0.0)
    one, other = annotator(project), annotator(project)
    one.take(2)
    other.label_truly(100)
    assert other.send(want=5)["waiting"]["own"] is True


def test_leaving_frees_what_was_held_at_once(workspace, make_project, annotator):
    project = make_project(rows=6, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(4)
    ana.send(release=True, holding=mine)
    assert len(ben.label_truly(100)) == 6
    assert ben.send(want=5)["waiting"] is None


def test_a_sample_for_several_people_is_waited_for_only_by_who_may_still_decide_it(
    workspace, make_project, annotator
):
    project = make_project(rows=4, overlap_share=1.0, probe_share=0.0)
    ana, ben, cem = (annotator(project, name) for name in ("ana", "ben", "cem"))
    ana.label_truly(100)
    ben.take(2)
    assert ana.send(want=5)["waiting"] is None  # ana has decided them all
    cem.label_truly(100)
    waiting = cem.send(want=5)["waiting"]
    assert (waiting["samples"], waiting["own"]) == (2, False)
    later(workspace, project, 700)
    assert len(cem.take(5)) == 2


def test_handing_out_again_and_again_keeps_one_row_a_sample_and_person(
    workspace, make_project, annotator
):
    project = make_project(rows=10, probe_share=0.0)
    for _ in range(5):
        for name in ("ana", "ben"):
            person = annotator(project, name)
            person.send(release=True, holding=person.take(10))
    kept = "SELECT count(*), count(DISTINCT (sample_id, annotator)) FROM labeling.reservations"
    ((number, pairs),) = rows(workspace.database, kept)
    assert number == pairs <= 20
