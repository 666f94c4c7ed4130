"""Who waits while another stores is served with all who wait, and answers for nobody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from annotating import rows

from labeling_core.store.group_commit import Line
from labeling_core.web.label_exchange import Asked, serve
from labeling_core.web.messages import parse


def at_once(workspace: Any, calls: list[Callable[[], Any]]) -> list[Any]:
    """Have all calls wait for the database at the same time; their results or errors."""
    results: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            results[number] = calls[number]()
        except (duckdb.Error, RuntimeError) as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    with workspace.database.lock:
        for thread in threads:
            thread.start()
        while sum(len(line._waiting) for line in workspace.open_projects._lines.values()) < len(
            threads
        ):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    return results


def test_many_callers_share_few_rounds_and_each_gets_its_own_result():
    line: Line[int, int] = Line()
    rounds: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def double(items):
        begun.set()
        go_on.wait(10)
        rounds.append(len(items))
        return [item * 2 for item in items]

    results: dict[int, int] = {}
    threads = [
        threading.Thread(target=lambda n=n: results.__setitem__(n, line.join(n, double)))
        for n in range(1, 21)
    ]
    threads[0].start()
    begun.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(line._waiting) < 20:
        time.sleep(0.01)
    go_on.set()
    for thread in threads:
        thread.join()
    assert results == {n: 2 * n for n in range(1, 21)}
    assert rounds == [1, 19]


def test_what_is_not_served_in_one_round_is_first_in_the_next():
    line: Line[int, int] = Line()
    rounds: list[list[int]] = []

    def two_at_most(items):
        rounds.append(list(items[:2]))
        return items[:2]

    threads = [threading.Thread(target=line.join, args=(n, two_at_most)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each for served in rounds for each in served) == list(range(30))


def test_an_error_reaches_all_of_its_round_and_the_line_goes_on():
    line: Line[int, int] = Line()

    def fail(items):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        line.join(1, fail)
    assert line.join(2, lambda items: items) == 2


def test_messages_of_several_annotators_are_stored_in_one_transaction(
    workspace, make_project, annotator, monkeypatch
):
    project = make_project(rows=400)
    people = [annotator(project, name) for name in ("ana", "ben", "cleo", "dan")]
    queue = [person.take(3) for person in people]
    transactions = []
    begin = type(workspace.database).transaction
    monkeypatch.setattr(
        type(workspace.database), "transaction",
        lambda self: transactions.append(self._open is None) or begin(self),
    )  # fmt: skip
    asked = [
        Asked(
            person.name,
            parse(
                person.raw([person.decision(each, "label", category="red") for each in mine])
                | {"want": 2}
            ),
        )
        for person, mine in zip(people, queue, strict=True)
    ]
    served = serve(workspace, project.project_id, asked)
    assert transactions.count(True) == 1
    for person, each in zip(people, served, strict=True):
        assert each.news["stored"] == {person.client: 3}
        assert each.news["counts"]["mine"] == 3
    taken = [one.reservation for each in served for one in each.taken]
    assert len(taken) == len({each.sample_id for each in taken}) == 8
    stored = rows(workspace.database, "SELECT annotator, sample_id FROM wine_metadata")
    assert sorted(stored) == sorted(
        (person.name, each) for person, mine in zip(people, queue, strict=True) for each in mine
    )
    kept = rows(workspace.database, "SELECT annotator, sample_id FROM labeling.reservations")
    assert {(each.annotator, each.sample_id) for each in taken} <= set(kept)


def test_a_refused_decision_of_one_harms_nobody_elses(workspace, make_project, annotator):
    project = make_project()
    ana, ben = annotator(project), annotator(project, "ben")
    mine, his = ana.take(1)[0], ben.take(1)[0]
    good = Asked("ana", parse(ana.raw([ana.decision(mine, "label", category="red")])))
    bad = Asked("ben", parse(ben.raw([ben.decision(his, "label", category="green")])))
    first, second = serve(workspace, project.project_id, [good, bad])
    assert first.news["refused"] == []
    assert [each["sample_id"] for each in second.news["refused"]] == [his]
    assert rows(workspace.database, "SELECT sample_id FROM wine_metadata") == [(mine,)]


def test_two_decisions_on_one_sample_are_stored_one_after_the_other(
    workspace, make_project, annotator
):
    project = make_project(rows=20)
    ana, ben = annotator(project), annotator(project, "ben")
    mine = ana.take(1)[0]
    ana.send(release=True, holding=[mine])
    queue = workspace.queue(project)
    while mine not in ben.take(4):
        assert queue.pool.free()
    asked = [
        Asked(each.name, parse(each.raw([each.decision(mine, "label", category="red")])))
        for each in (ana, ben)
    ]
    first = serve(workspace, project.project_id, asked)
    assert len(first) == 1
    (second,) = serve(workspace, project.project_id, asked[1:])
    assert first[0].news["refused"] == []
    assert "another annotator" in second.news["refused"][0]["reason"]
    assert rows(workspace.database, "SELECT annotator FROM wine_metadata") == [("ana",)]


def test_when_all_together_fail_each_is_tried_alone(workspace, make_project, annotator):
    project = make_project()
    ana, ben = annotator(project), annotator(project, "ben")
    mine, his = ana.take(1)[0], ben.take(1)[0]
    with workspace.database.transaction() as cursor:  # the file refuses whatever ben decides
        cursor.execute("CREATE TABLE copy AS FROM wine_metadata")
        cursor.execute("DROP TABLE wine_metadata")
        cursor.execute(
            "CREATE TABLE wine_metadata (label_id BIGINT, sample_id VARCHAR, status VARCHAR, "
            "label VARCHAR, comment VARCHAR, session_id INTEGER, annotator VARCHAR "
            "CHECK (annotator <> 'ben'), labeled_at TIMESTAMPTZ, origin VARCHAR, seconds DOUBLE)"
        )
    asked = [
        Asked(who.name, parse(who.raw([who.decision(each, "label", category="red")])))
        for who, each in ((ana, mine), (ben, his))
    ]
    first, second = serve(workspace, project.project_id, asked)
    assert first.news["stored"] == {ana.client: 1}
    assert isinstance(second, duckdb.ConstraintException)
    assert rows(workspace.database, "SELECT sample_id FROM wine_metadata") == [(mine,)]
    assert workspace.queue(project).counts.labeled == 1
    assert workspace.queue(project).reservations.get(his)
    ben.seq = 0
    reply = ben.send([ben.decision("never handed out", "skip")])
    assert reply["stored"] == {ben.client: 1}


def test_the_same_message_twice_at_once_is_stored_once(workspace, make_project, annotator):
    project = make_project()
    ana = annotator(project)
    decisions = [ana.decision(each, "label", category="red") for each in ana.take(3)]
    replies = at_once(workspace, [lambda: ana.send(decisions)] * 4)
    assert [each["stored"] for each in replies] == [{ana.client: 3}] * 4
    assert rows(workspace.database, "SELECT count(*) FROM wine_metadata") == [(3,)]


def test_twenty_annotators_at_once_store_each_decision_exactly_once(
    workspace, make_project, annotator
):
    project = make_project(rows=600)
    people = [annotator(project, f"annotator {number}") for number in range(20)]
    workspace.project(project.project_id)  # so that nobody waits for it to be read
    done = at_once(workspace, [lambda person=person: person.label_truly(15) for person in people])
    assert sorted(len(each) for each in done) == [15] * 20
    stored = rows(workspace.database, "SELECT annotator, sample_id FROM wine_metadata")
    assert len(stored) == len({sample_id for _, sample_id in stored}) == 300
    assert sorted(stored) == sorted(
        (person.name, each) for person, mine in zip(people, done, strict=True) for each in mine
    )
    sql = "SELECT client, list(seq ORDER BY event_id) FROM labeling.events GROUP BY client"
    events = rows(workspace.database, sql)
    assert [seqs for _, seqs in events] == [list(range(1, 16))] * 20
