"""Samples that several people decide: who is shown them, what is kept, what counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from annotating import LOCAL, SETTINGS, reserved, rows

from labeling_core import use_cases
from labeling_core.projects.labels import read_labels
from labeling_core.projects.overlap import Shared, Vote, chosen
from labeling_core.settings import Settings

BOTH = {"overlap_share": 1.0, "probe_share": 0.0}
BY_SAMPLE = "SELECT sample_id, count(*), count(DISTINCT annotator) FROM wine_metadata GROUP BY 1"


def decide(person, sample_id, category, action="label"):
    action = action if category or action == "undo" else "skip"
    return person.send([person.decision(sample_id, action, category=category)])


def label_all(people, most=10_000):
    """Everybody labels in turns, a few at a time, until nobody is given anything."""
    for _ in range(most):
        if not any([each.label_truly(3) for each in people]):
            return


def holders(queue):
    return {each.sample_id: each.annotator for each in queue.reservations}


def labels(workspace):
    return rows(
        workspace.database,
        "SELECT m.sample_id, l.label, l.label_id FROM wine_labels l "
        "LEFT JOIN wine_metadata m ON m.label_id = l.label_id ORDER BY m.sample_id",
    )


def shared(needed, rule, *votes):
    each = Shared(0, "1", "query", needed, rule)
    for number, category in enumerate(votes):
        status = "LABELED" if category else "SKIPPED"
        each = each.voted(f"p{number}", Vote(number, f"p{number}", status, category))
    return each


@pytest.mark.parametrize(
    ("needed", "rule", "votes", "final", "standing", "disputed"),
    [
        (2, "majority", ["red"], None, ("LABELED", "red"), False),
        (2, "majority", ["red", "red"], 0, ("LABELED", "red"), False),
        (2, "majority", ["red", "white"], None, None, True),
        (2, "majority", ["red", None], 0, ("LABELED", "red"), False),
        (2, "majority", [None, "red"], 1, ("LABELED", "red"), False),
        (2, "majority", [None, None], None, ("SKIPPED", None), False),
        (2, "majority", [None], None, ("SKIPPED", None), False),
        (3, "majority", ["white", "red", "red"], 1, ("LABELED", "red"), False),
        (3, "majority", ["white", "red"], None, None, False),
        (3, "majority", ["white", "red", None], None, None, True),
        (3, "adjudicator", ["white", "red", "red"], None, None, True),
        (3, "adjudicator", ["red", "red", None], 0, ("LABELED", "red"), False),
        (4, "majority", ["white", "white", "red", "red"], None, None, True),
    ],
)
def test_the_final_label_follows_the_rule(needed, rule, votes, final, standing, disputed):
    each = shared(needed, rule, *votes)
    assert (each.final.label_id if each.final else None) == final
    assert each.standing == standing
    assert each.is_disputed is disputed


def test_about_the_share_is_chosen_by_place_and_a_larger_share_keeps_the_smaller_ones():
    masks = [chosen(replace(SETTINGS, overlap_share=share), 100_000) for share in (0, 0.1, 0.5, 1)]
    assert [round(each.mean(), 2) for each in masks] == [0, 0.1, 0.5, 1]
    assert not (masks[1] & ~masks[2]).any()
    assert abs(masks[1][:1_000].mean() - 0.1) < 0.03  # the places kept for probes alike
    other = chosen(replace(SETTINGS, overlap_share=0.1, seed=1), 100_000)
    assert 0.05 < (masks[1] & other).mean() / 0.1 < 0.15


def test_settings_of_older_records_have_no_overlap():
    text = SETTINGS.to_json()
    for name in ("overlap_share", "overlap_people", "final_label"):
        start = text.index(f', "{name}"')
        end = text.find(", ", start + 2)
        text = text[:start] + (text[end:] if end > 0 else "}")
    assert Settings.from_json(text) == SETTINGS


@pytest.mark.parametrize("people", [2, 3])
def test_every_chosen_sample_gets_as_many_people_as_asked_and_the_others_one(
    workspace, make_project, annotator, people
):
    project = make_project(rows=60, overlap_share=0.4, overlap_people=people)
    team = [annotator(project, name) for name in ("ana", "ben", "cem", "dia")]
    label_all(team)
    found = rows(workspace.database, BY_SAMPLE)
    wanted = int(workspace.queue(project).overlap.chosen.sum())
    assert 10 < wanted < 40
    assert Counter(number for _, number, _ in found) == {1: 60 - wanted, people: wanted}
    assert all(number == different for _, number, different in found)  # nobody twice
    assert len(labels(workspace)) == 60
    counts = team[0].send(want=5)
    assert counts["finished"] is True
    decisions = 60 + wanted * (people - 1)
    assert (counts["counts"]["labeled"], counts["counts"]["total"]) == (decisions, decisions)
    assert workspace.queue(project).counts.labeled == 60


def test_no_sample_is_with_two_people_at_once_and_others_see_it_soon(
    workspace, make_project, annotator
):
    project = make_project(rows=200, **BOTH)
    ana, ben, cem = (annotator(project, name) for name in ("ana", "ben", "cem"))
    done = ana.label_truly(10)
    first, second = ben.take(10), cem.take(10)
    assert not set(first) & set(second)
    assert len(set(first) & set(done)) == 5  # every second one
    assert len(set(second) & set(done)) == 5
    assert not set(ana.take(20)) & set(done)


def test_one_person_alone_is_never_shown_a_sample_again_and_is_told_at_the_end(
    workspace, make_project, annotator
):
    project = make_project(rows=30, **BOTH)
    ana = annotator(project)
    done = ana.label_truly(1_000)
    assert len(done) == len(set(done)) == 30
    reply = ana.send(want=5)
    assert (reply["finished"], reply["waiting"], reply["samples"]) == (True, None, [])
    assert (reply["counts"]["labeled"], reply["counts"]["total"]) == (30, 60)
    assert labels(workspace) == []  # none is final yet
    assert workspace.queue(project).counts.labeled == 30  # and yet they can be learned from


def test_the_deck_cannot_tell_a_second_decision_from_a_first(workspace, make_project, annotator):
    project = make_project(rows=40, overlap_share=0.5, probe_share=0.2)
    ana, ben = annotator(project), annotator(project, "ben")
    ana.label_truly(20)
    reply = ben.send(want=10)
    assert {tuple(each) for each in reply["samples"]} == {("sample_id", "view")}
    before = reply["counts"]
    for number, each in enumerate(reply["samples"], start=1):
        now = decide(ben, each["sample_id"], "red")["counts"]
        assert now["labeled"] == before["labeled"] + number
        assert now["total"] == before["total"]
        assert now["categories"]["red"] == before["categories"].get("red", 0) + number
        assert now["mine"] == number


def first_two(workspace, make_project, annotator, **changes):
    project = make_project(rows=20, **BOTH | changes)
    ana, ben = annotator(project), annotator(project, "ben")
    sample_id = ana.take(1)[0]
    decide(ana, sample_id, "red")
    assert sample_id in ben.take(10)
    return project, ana, ben, sample_id


def test_the_label_is_final_when_the_last_has_decided_and_follows_corrections_and_undo(
    workspace, make_project, annotator
):
    project, ana, ben, sample_id = first_two(workspace, make_project, annotator)
    queue = workspace.queue(project)
    assert labels(workspace) == []
    for person, category, stored, counted in (
        (ben, "white", [], (0, 1)),
        (ben, "red", [(sample_id, "red", 1)], (1, 0)),
        (ana, "white", [], (0, 1)),
        (ben, None, [(sample_id, "white", 1)], (1, 0)),
        (ana, None, [], (0, 0)),
        (ben, "red", [(sample_id, "red", 2)], (1, 0)),
    ):
        decide(person, sample_id, category)
        assert labels(workspace) == stored
        assert (queue.counts.labeled, queue.counts.disputed) == counted
    decide(ben, sample_id, None, "undo")
    assert labels(workspace) == []
    assert (queue.counts.labeled, queue.counts.skipped, queue.counts.disputed) == (0, 1, 0)
    decide(ana, sample_id, None, "undo")
    assert rows(workspace.database, "SELECT * FROM wine_metadata") == []
    assert not queue.pool.closed.any()
    assert queue.overlap.shared == {}


def test_after_an_undo_another_person_may_take_the_place(workspace, make_project, annotator):
    project, _ana, ben, sample_id = first_two(workspace, make_project, annotator)
    decide(ben, sample_id, "white")
    decide(ben, sample_id, None, "undo")
    ben.send(release=True, holding=reserved(workspace.queue(project)))
    cem = annotator(project, "cem")
    assert sample_id in cem.take(20)
    decide(cem, sample_id, "red")
    assert labels(workspace) == [(sample_id, "red", 1)]
    reply = decide(ben, sample_id, "white")  # too late
    assert "another annotator" in reply["refused"][0]["reason"]


def test_what_is_learned_from_is_one_label_a_sample(workspace, make_project, annotator):
    project = make_project(rows=20, overlap_share=1.0, overlap_people=3, probe_share=0.0)
    team = [annotator(project, name) for name in ("ana", "ben", "cem")]
    votes = {
        "1": ("red", None, None), "2": ("red", "white", None), "3": ("red", "white", "white"),
        "4": (None, "white", None), "5": ("red", "red", "red"), "6": (None, None, None),
    }  # fmt: skip
    for person, position in zip(team, range(3), strict=True):
        loaded = []
        while sample_ids := person.take(20):
            loaded += sample_ids
        for sample_id in sorted(set(loaded) & set(votes)):
            category = votes[sample_id][position]
            if category:
                decide(person, sample_id, category)
        person.send(release=True, holding=reserved(workspace.queue(project)))
    with workspace.database.read() as cursor:
        found = read_labels(cursor, project)
    names = dict(
        rows(workspace.database, "SELECT __place, __sample_id FROM labeling_pool.samples_wine")
    )
    known = {names[place]: code for place, code in zip(found.positions, found.codes, strict=True)}
    assert known == {"1": 0, "3": 1, "4": 1, "5": 0}  # 2 is disputed, 6 undecided
    queue = workspace.queue(project)
    assert (queue.counts.labeled, queue.counts.disputed) == (4, 1)
    assert queue.counts.categories == {"red": 2, "white": 2}


def state(workspace, project):
    queue = workspace.queue(project)
    counts = queue.counts
    offered = queue.overlap.left_for("somebody else", np.zeros(queue.total, bool))
    return (
        queue.overlap.shared, counts.labeled, counts.skipped, counts.disputed, +counts.decisions,
        +counts.by_annotator, +counts.categories, counts.further, queue.size, queue.pool.free(),
        bool(offered), queue.next_label_id,
    )  # fmt: skip


def test_a_restart_reads_the_same_state_from_the_tables(workspace, make_project, annotator):
    project = make_project(rows=80, overlap_share=0.5, overlap_people=3)
    team = [annotator(project, name) for name in ("ana", "ben", "cem")]
    rng = np.random.default_rng(0)
    for turn in range(24):
        person = team[turn % 3]
        for sample_id in person.take(4):
            decide(person, sample_id, rng.choice(["red", "white", ""]) or None)
        if turn % 5 == 4:
            sql = (
                "SELECT sample_id FROM wine_metadata WHERE annotator = ? ORDER BY label_id LIMIT 1"
            )
            mine = rows(workspace.database, sql, person.name)
            decide(person, mine[0][0], None, "undo")
    before, owners = state(workspace, project), holders(workspace.queue(project))
    workspace.open_projects.forget(project.project_id)
    assert state(workspace, project) == before
    assert holders(workspace.queue(project)) == owners
    label_all(team)
    assert all(number == different for _, number, different in rows(workspace.database, BY_SAMPLE))


def test_final_labels_follow_a_change_of_the_settings(workspace, make_project, annotator):
    project = make_project(rows=12, overlap_share=0.0, probe_share=0.0)
    ana, ben = annotator(project), annotator(project, "ben")
    ana.label_truly(6)
    assert len(labels(workspace)) == 6
    for share, expected in ((1.0, 0), (0.0, 6), (1.0, 0)):
        settings = replace(project.settings, overlap_share=share)
        project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
        assert len(labels(workspace)) == expected
        assert workspace.queue(project).counts.labeled == 6
    ben.project = project
    ben.label_truly(100)
    assert len(labels(workspace)) == 6
    settings = replace(project.settings, overlap_people=3, final_label="adjudicator")
    project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
    assert labels(workspace) == []
    assert ana.send(want=20)["samples"] != []


def test_a_sample_set_aside_is_not_handed_to_further_people(workspace, make_project, annotator):
    project, _ana, ben, sample_id = first_two(workspace, make_project, annotator)
    queue = workspace.queue(project)
    total = ben.send()["counts"]["total"]
    ben.send(release=True, holding=reserved(queue))
    queue.set_aside(queue.overlap.shared[sample_id].position, sample_id)
    assert sample_id not in annotator(project, "cem").take(20)
    assert ben.send()["counts"]["total"] == total - 1


def test_a_session_is_due_after_so_many_labeled_samples_not_decisions(
    workspace, make_project, annotator
):
    project = make_project(rows=200, overlap_share=1.0, every=20)
    ana, ben = annotator(project), annotator(project, "ben")
    ana.label_truly(10)
    ben.label_truly(10)
    assert rows(workspace.database, "SELECT count(*) FROM labeling.sessions") == [(0,)]
    assert (
        workspace.queue(project).counts.labeled == 15
    )  # every second one of ben's was one of ana's
