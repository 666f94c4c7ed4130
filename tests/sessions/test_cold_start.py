"""Before the first session: samples from all over the pool, not in a random order."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, Annotator, rows

from labeling_core import use_cases
from labeling_core.projects import queries
from labeling_core.projects.lifecycle import create_project
from labeling_core.workspace import Workspace

GROUPS = 8


@pytest.fixture
def project(workspace):
    """A pool of eight groups, of which the largest holds 86 % of the samples and the others 2 %."""
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE main.wine AS SELECT g AS cask, 10 * (g % 3) + hash(i) % 100 / 1e3 AS x, "
            "10 * (g // 3) + hash(i + 7) % 100 / 1e3 AS y FROM (SELECT i, "
            f"CASE WHEN i % 50 < {GROUPS - 1} THEN i % 50 + 1 ELSE 0 END AS g "
            "FROM range(1000) t(i))"
        )
        cursor.execute("ALTER TABLE main.wine ALTER cask TYPE VARCHAR")
    return create_project(workspace.database, replace(SETTINGS, every=GROUPS, probe_share=0.0))


def wait(workspace, project):
    workspace.loop.prepare(project)
    end = time.monotonic() + 1200
    while workspace.loop.trainer.running(project.project_id):
        assert time.monotonic() < end, workspace.loop.status(project)
        time.sleep(0.02)


def groups(reply):
    return Counter(dict((f[0], f[1]) for f in each["view"]["fields"])["cask"] for each in reply)


def test_the_first_batch_has_a_sample_of_each_group_however_small(workspace, project):
    wait(workspace, project)
    found = Annotator(workspace, project).send(want=GROUPS)["samples"]
    assert len(groups(found)) == GROUPS


def test_behind_the_first_batch_come_those_that_are_unlike_it(workspace, project):
    wait(workspace, project)
    ana = Annotator(workspace, project)
    found = [each for _ in range(6) for each in ana.send(want=GROUPS)["samples"]]
    large = groups(found[GROUPS:]).most_common(1)[0][1]
    assert large < 0.75 * (len(found) - GROUPS)  # of random ones it would be 86 %


def test_the_table_of_queries_holds_the_pool_in_that_order_as_session_0(workspace, project):
    wait(workspace, project)
    served = [each["sample_id"] for each in Annotator(workspace, project).send(want=5)["samples"]]
    found = rows(
        workspace.database,
        "SELECT sample_id, uncertainty, session_id, prediction FROM main.wine_queries LIMIT 5",
    )
    assert found == [(each, 1.0, 0, None) for each in served]
    assert rows(workspace.database, "SELECT count(*) FROM main.wine_queries") == [(1000,)]


def test_the_start_says_why_it_asks(workspace, project):
    wait(workspace, project)
    with workspace.database.read() as cursor:
        why = [each["why"] for each in queries.head(cursor, project, "auto")]
    assert why == [queries.TYPICAL] * 10 + [queries.UNLIKE] * 10  # ten typical ones at least
    ana = Annotator(workspace, project)
    ana.send([ana.decision(each, "label", category="red") for each in ana.take(4)])
    with workspace.database.read() as cursor:
        why = [each["why"] for each in queries.head(cursor, project, "auto")]
    assert why == [queries.TYPICAL] * 6 + [queries.UNLIKE] * 14


def test_what_nobody_has_looked_at_yet_is_replaced_when_the_order_is_there(workspace, project):
    ana = Annotator(workspace, project)
    early = ana.send(want=4)
    queue = [each["sample_id"] for each in early["samples"]]
    wait(workspace, project)
    reply = ana.send(holding=queue, screen=queue[0], version=early["learning"]["version"], want=4)
    assert set(reply["drop"]) == set(queue[1:])
    again = ana.send(holding=queue[:1], screen=queue[0], version=reply["learning"]["version"])
    assert again["drop"] == []


def test_the_order_survives_a_restart_and_a_decision_says_it_was_asked_for(workspace, project):
    wait(workspace, project)
    first = list(workspace.queue(project).pool.order)
    ana = Annotator(workspace, project)
    taken = ana.take(1)
    ana.send([ana.decision(taken[0], "label", category="red")])
    path = workspace.database.path
    workspace.close()
    again = Workspace(path)
    try:
        assert again.queue(project).version == 1
        assert list(again.queue(project).pool.order) == first[1:]
        found = rows(again.database, "SELECT origin, session_id FROM main.wine_metadata")
        assert found == [("query", 0)]
    finally:
        again.close()


def test_another_strategy_forgets_the_order_of_the_one_before(workspace, project):
    wait(workspace, project)
    changed = replace(project.settings, strategy="random")
    project = use_cases.update_project(workspace, project.project_id, changed, LOCAL)
    wait(workspace, project)
    assert workspace.queue(project).pool.order is None
    assert rows(workspace.database, "SELECT count(*) FROM main.wine_queries") == [(0,)]


def test_the_first_session_takes_over(workspace, project):
    wait(workspace, project)
    ana = Annotator(workspace, project)
    for category in ("red", "white"):
        ana.send([ana.decision(ana.take(1)[0], "label", category=category)])
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    assert workspace.queue(project).version == 3
    found = rows(workspace.database, "SELECT DISTINCT session_id FROM main.wine_queries")
    assert found == [(1,)]
