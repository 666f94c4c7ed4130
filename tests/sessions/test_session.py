"""The loop end to end: labels come in, sessions run in the worker, queries are published."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import duckdb
import numpy as np
import pytest
from annotating import LOCAL, SETTINGS, make_source, rows
from running import kill, run_session, wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.progress import learning_curve, stopping_evidence
from labeling_core.projects.labels import Labels, split
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import features, loop, records
from labeling_core.settings import Column
from labeling_core.workspace import Workspace


@pytest.fixture
def labeled(make_project, annotator, workspace):
    """A project with 40 labels and no session yet."""

    def make(**changes):
        project = make_project(**({"every": 1000} | changes))
        ana = annotator(project)
        ana.label_truly(40)
        return project, ana

    return make


def test_columns_called_like_ours_mislead_no_query(workspace, annotator):
    make_source(workspace.database)
    own = ("code", "place", "number", "gone", "several", "rank", "name", "said", "s", "m", "h")
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE wine_own AS SELECT *, bottle % 5 = 0 AS decided, "
            + ", ".join(f"'x' || bottle % 3 AS {name}" for name in own)
            + " FROM wine"
        )
    changes = {"source": "wine_own", "every": 1000, "overlap_share": 0.3, "overlap_people": 2}
    project = create_project(workspace.database, replace(SETTINGS, **changes))
    ana, bob = annotator(project), annotator(project, "bob")
    done = ana.label_truly(60)
    bob.label_truly(20)
    assert run_session(workspace, project).state == "idle"
    queue = workspace.queue(project)
    assert queue.counts.labeled >= 60
    workspace.open_projects.forget(project.project_id)
    again = workspace.queue(project)
    assert (again.counts.labeled, again.pool.free()) == (queue.counts.labeled, queue.pool.free())
    assert (again.pool.closed == queue.pool.closed).all()
    assert not set(done) & set(ana.take(200))
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO wine_own SELECT * FROM wine_own LIMIT 5")
        cursor.execute("UPDATE wine_own SET acidity = 0 WHERE bottle = 7")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (6, 1)
    assert run_session(workspace, project).state == "idle"


def test_queries_hold_the_whole_pool_once_and_nothing_decided(workspace, labeled):
    project, ana = labeled()
    ana.send([ana.decision(ana.take(1)[0], "skip")])
    assert run_session(workspace, project).state == "idle"
    ana.label_truly(7)
    pool = rows(
        workspace.database,
        "SELECT count(*), count(DISTINCT sample_id), min(session_id), max(session_id), "
        "bool_and(uncertainty BETWEEN 0 AND 1), bool_and(prediction IN ('red', 'white')) "
        "FROM wine_queries",
    )
    assert pool == [(200 - 48, 200 - 48, 1, 1, True, True)]
    decided = rows(
        workspace.database, "SELECT 1 FROM wine_queries JOIN wine_metadata USING (sample_id)"
    )
    assert decided == []
    joined = rows(workspace.database, "SELECT count(*) FROM wine_queries JOIN wine "
                  "ON sample_id = (wine.bottle + 1)::VARCHAR AND wine.acidity = wine_queries.acidity")  # fmt: skip  # noqa: E501
    assert joined == [(152,)]


def test_queries_stand_best_first_and_are_served_in_that_order(workspace, labeled):
    project, ana = labeled(probe_share=0.0)
    run_session(workspace, project, strategy="margin")
    order = rows(workspace.database, "SELECT sample_id, uncertainty FROM wine_queries")
    uncertainty = [each[1] for each in order]
    assert uncertainty == sorted(uncertainty, reverse=True)
    assert ana.take(10) == [each[0] for each in order[:10]]
    workspace.open_projects.forget(project.project_id)
    assert ana.take(3) == [each[0] for each in order[10:13]]


def test_each_run_increments_session_id_and_metadata_tells_from_which_one_a_sample_came(
    workspace, labeled
):
    project, ana = labeled()
    for expected in (1, 2, 3):
        run_session(workspace, project)
        ana.send([ana.decision(ana.take(1)[0], "skip")])
        last = rows(
            workspace.database, "SELECT session_id, origin FROM wine_metadata ORDER BY label_id"
        )[-1]
        assert last[0] == expected
        assert workspace.queue(project).session_id == expected


def test_sessions_start_by_themselves_after_every_n_labels(workspace, make_project, annotator):
    project = make_project(every=20)
    ana = annotator(project)
    for _ in range(5):
        ana.label_truly(20)
        ana.send()
        wait(workspace, project)
    with workspace.database.read() as cursor:
        found = learning_curve.sessions(cursor, project, workspace.queue(project))
    assert [each.session_id for each in found] == [1, 2, 3, 4, 5]
    assert [each.labels for each in found] == [20, 40, 60, 80, 100]
    assert {each.started_by for each in found} == {"trigger"}
    assert found[-1].accuracy == 1.0
    assert found[-1].kind == "probes"


def test_sessions_that_fell_behind_are_made_up_for_one_by_one(workspace, make_project, annotator):
    project = make_project(every=10)
    ana = annotator(project)
    free = threading.Event()
    workspace.loop.trainer.submit("another project", lambda *_: str(free.wait(60)))
    for _ in range(5):  # while the worker is busy
        ana.label_truly(10)
    free.set()
    wait(workspace, project)
    found = rows(
        workspace.database, "SELECT session_id, labels FROM labeling.sessions ORDER BY ALL"
    )
    assert found == [(1, 10), (2, 20), (3, 30), (4, 40), (5, 50)]


def test_a_session_with_a_single_category_is_refused_with_a_sentence(
    workspace, make_project, annotator
):
    project = make_project(every=5)
    ana = annotator(project)
    ana.send([ana.decision(each, "label", category="red") for each in ana.take(10)])
    with pytest.raises(LabelingError, match="two categories"):
        workspace.loop.start_session(project, "hand")
    assert workspace.loop.status(project).state == "waiting"
    ana.send([ana.decision(ana.take(1)[0], "label", category="white")])
    wait(workspace, project)
    assert workspace.queue(project).session_id == 1


def test_a_failed_session_is_a_row_with_its_reason_and_the_old_queue_stays(workspace, labeled):
    project, _ = labeled()
    run_session(workspace, project)
    before = rows(workspace.database, "SELECT * FROM wine_queries ORDER BY sample_id")
    workspace.loop.start_session(project, "hand")
    while workspace.loop.trainer.running(project.project_id):
        kill(workspace.loop.trainer.worker.start())  # one that has not got the job yet, too
    failed = rows(workspace.database, "SELECT reason FROM labeling.sessions WHERE state = 'FAILED'")
    assert "ended from outside" in failed[0][0]
    assert len(rows(workspace.database, "SELECT 1 FROM wine_queries")) == len(before)
    assert run_session(workspace, project).state == "idle"


def test_a_running_session_that_a_restart_interrupted_is_told_as_failed(workspace, labeled):

    project, _ = labeled()
    records.begin(workspace.database, project, "hand", 40, 40)
    records.fail_interrupted(workspace.database)
    assert rows(workspace.database, "SELECT state, reason FROM labeling.sessions") == [
        ("FAILED", "The program ended while this session ran.")
    ]


def test_probes_are_never_trained_on(workspace, labeled):
    project, _ = labeled(probe_share=0.25)
    run_session(workspace, project)
    import json

    card = json.loads(rows(workspace.database, "SELECT card FROM labeling.models")[0][0])
    origins = rows(
        workspace.database,
        "SELECT DISTINCT origin FROM wine_metadata WHERE label_id IN (SELECT unnest(?))",
        card["label_ids"],
    )
    assert origins == [("random",)]
    assert card["labels"] == len(card["label_ids"]) == 30
    assert card["evaluation"]["evaluated"] == 10


def test_probes_are_kept_from_training_and_measure_as_far_as_they_are_a_draw():
    places = np.array([0, 1, 3, 7, 12, 15])
    found, apart = Labels(places, places, places, places < 0), np.zeros(20, bool)
    train, probes = split(found, probe_limit=10, end=7, apart=apart)
    assert train.positions.tolist() == [12, 15]
    assert probes.positions.tolist() == [0, 1, 3]
    apart[[1, 15]] = True
    train, probes = split(found, probe_limit=10, end=7, apart=apart)
    assert (train.positions.tolist(), probes.positions.tolist()) == ([12], [0, 3])


def measuring(workspace, project):
    queue = workspace.queue(project)
    with workspace.database.read() as cursor:
        found = learning_curve.probes(cursor, project, queue)
    return found.positions.tolist(), np.flatnonzero(
        queue.pool.closed[: queue.pool.probe_limit]
    ).tolist()


def test_a_probe_that_was_left_in_a_browser_holds_up_none_of_the_others(
    workspace, make_project, annotator
):
    project = make_project(every=1000, probe_share=0.5)
    annotator(project).take(12)  # and is not seen again
    ben = annotator(project, "ben")
    ben.label_truly(30)
    measured, decided = measuring(workspace, project)
    assert measured == decided and len(measured) >= 10
    assert measured[0] > 0  # the first ones are with ana


def test_of_places_that_the_strategy_had_chosen_only_the_unbroken_run_measures(
    workspace, make_project, annotator
):
    project = make_project(every=1000, probe_share=0.0)
    ana = annotator(project)
    ana.label_truly(40)
    run_session(workspace, project)
    ana.label_truly(60)
    settings = replace(project.settings, probe_share=0.5)
    project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
    ana.label_truly(10)
    measured, decided = measuring(workspace, project)
    assert len(decided) > len(measured) > 0
    assert measured == list(range(len(measured)))  # the rest are what the strategy passed over
    ana.label_truly(200)
    measured, decided = measuring(workspace, project)
    assert measured == decided == list(range(100))


def test_a_test_table_measures_instead_of_probes(workspace, make_project, annotator):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE held_out AS SELECT i AS bottle, (i % 2) * 8 + 1 AS acidity, "
            "'cask 1' AS cask, CASE i % 2 WHEN 1 THEN 'white' ELSE 'red' END AS label "
            "FROM range(50) t(i)"
        )
    project = make_project(test_table="held_out", every=1000)
    annotator(project).label_truly(40)
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        found = learning_curve.sessions(cursor, project, workspace.queue(project))[0]
    assert (found.kind, found.evaluated, found.accuracy) == ("test table", 50, 1.0)
    assert rows(workspace.database, "SELECT DISTINCT origin FROM wine_metadata") == [("random",)]


def test_a_raised_share_of_probes_measures_no_model_on_what_it_learned_from(
    workspace, make_project, annotator
):
    chance = np.random.default_rng(0)  # labels that nobody can predict, a forest learns by heart
    project = make_project(
        rows=600, every=1000, probe_share=0.0, strategy="random", classifier="random_forest"
    )
    ana = annotator(project)

    def label(count):
        for sample_id in ana.take(count):
            category = str(chance.choice(["red", "white"]))
            ana.send([ana.decision(sample_id, "label", category=category)])

    label(100)
    run_session(workspace, project)
    settings = replace(project.settings, probe_share=0.1)
    project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
    label(60)
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        found = learning_curve.sessions(cursor, project, workspace.queue(project))
        known = stopping_evidence.read(cursor, project, workspace.queue(project), found)
    assert [each.kind for each in found] == ["cross-validation", "probes"]
    assert found[1].evaluated >= 50 and found[1].low < 0.5 < found[1].high
    assert known.curve.hits.shape == (1, found[1].evaluated)


def test_sessions_of_an_older_database_are_measured_on_the_probes_it_had(workspace, labeled):
    project, _ = labeled()
    run_session(workspace, project)
    path = workspace.database.path
    with workspace.database.read() as cursor:
        before = learning_curve.sessions(cursor, project, workspace.queue(project))
    workspace.close()
    with duckdb.connect(str(path)) as older:
        for column in ("probe_limit", "taken"):
            older.execute(f"ALTER TABLE labeling.sessions DROP COLUMN {column}")
        older.execute("ALTER TABLE labeling.projects DROP COLUMN probe_block")
        older.execute(
            "DELETE FROM labeling.migrations WHERE version >= (SELECT version FROM "
            "labeling.migrations WHERE name LIKE 'which places%')"
        )
    again = Workspace(path)
    with again.database.read() as cursor:
        assert learning_curve.sessions(cursor, project, again.queue(project)) == before
    assert before[0].kind == "probes"
    again.close()


def test_no_place_becomes_a_probe_unless_the_share_of_probes_is_changed(workspace, make_project):
    project = make_project()
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO wine SELECT bottle + 1000, acidity, cask FROM wine")
    project, _ = use_cases.refresh_source(workspace, project, LOCAL)
    for changes, limit in (({"title": "Other"}, 20), ({"probe_share": 0.2}, 80)):
        settings = replace(project.settings, **changes)
        project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
        assert project.probe_limit == limit


def test_rows_added_to_the_source_join_the_pool_and_the_features(workspace, labeled):
    project, _ = labeled()
    run_session(workspace, project)
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO wine VALUES (500, 1.5, 'cask 9'), (500, 1.5, 'cask 9')")
        cursor.execute("DELETE FROM wine WHERE bottle = 150")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (2, 1)
    run_session(workspace, project)
    new = rows(workspace.database, "SELECT sample_id FROM wine_queries WHERE bottle = 500")
    assert sorted(new) == [("201",), ("202",)]
    assert rows(workspace.database, "SELECT 1 FROM wine_queries WHERE bottle = 150") == []


def test_contradictions_compare_two_consecutive_models(workspace, labeled):
    project, ana = labeled()
    run_session(workspace, project)
    ana.label_truly(20)
    run_session(workspace, project)
    with workspace.database.read() as cursor:
        first, second = learning_curve.sessions(cursor, project, workspace.queue(project))
    assert first.contradictions is None
    assert second.contradictions == 0.0
    assert second.compared == 200 - 60


def test_every_strategy_says_why_a_sample_stands_where_it_stands(workspace, labeled):
    from labeling_core.learning.strategies import STRATEGIES
    from labeling_core.projects import queries

    project, _ = labeled()
    for strategy in STRATEGIES:
        run_session(workspace, project, strategy=strategy)
        with workspace.database.read() as cursor:
            head = queries.head(cursor, project, strategy, count=5)
            spread = queries.histogram(cursor, project)
        assert [each["place in the queue"] for each in head] == [1, 2, 3, 4, 5]
        assert all(each["prediction"] in each["why"] for each in head)
        assert sum(spread.counts) == 160


def test_a_session_with_nothing_left_to_ask_still_trains_and_measures(
    workspace, make_project, annotator
):
    project = make_project(rows=40, every=1000)
    annotator(project).label_truly(1000)
    for strategy in ("auto", "margin", "random"):
        assert run_session(workspace, project, strategy=strategy).state == "idle"
    assert rows(workspace.database, "SELECT * FROM wine_queries") == []
    assert annotator(project).send(want=5)["finished"] is True


def test_a_table_of_which_nothing_can_be_learned_fails_with_a_sentence_and_labels_on(
    workspace, annotator
):
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE wine AS SELECT NULL::DOUBLE AS gap, 'same' AS b FROM range(60)"
        )
    project = create_project(workspace.database, replace(SETTINGS, every=10))
    ana = annotator(project)
    taken = ana.take(12)
    ana.send(
        [ana.decision(e, "label", category=("red", "white")[i % 2]) for i, e in enumerate(taken)]
    )
    wait(workspace, project)
    reason = rows(workspace.database, "SELECT state, reason FROM labeling.sessions")
    assert reason[0][0] == "FAILED"
    assert "gap" in reason[0][1]
    assert workspace.loop.status(project).state == "failed"
    assert len(ana.take(5)) == 5


def test_the_failure_of_a_session_is_told_until_the_next_one_whatever_is_done_meanwhile(
    workspace, labeled
):
    project, ana = labeled()
    trainer = workspace.loop.trainer

    def end(kind: str, error: str = "") -> None:
        def job(worker, progress):
            if error:
                raise LabelingError(error)
            return "something else was done"

        trainer.submit(project.project_id, job, kind)
        wait(workspace, project)

    end("session", "There was no memory left.")
    assert workspace.loop.status(project).state == "failed"
    for kind, error in (("review", ""), ("features", ""), ("final model", "It is too large.")):
        end(kind, error)
        told = workspace.loop.status(project)
        assert told.state == "failed"
        assert told.text.startswith("The last session failed: There was no memory left. The next")
    ana.label_truly(2)
    assert workspace.loop.status(project).state == "failed"
    assert run_session(workspace, project).state == "idle"
    assert workspace.loop.status(project).text.startswith(
        "accuracy 51% – 100% (4 of 4 probes right)"
    )


def test_how_a_session_ended_and_when_the_next_one_comes_are_sentences(workspace, labeled):
    project, _ = labeled()
    for text, ending in (
        ("Columns do not differ.", ". The next session comes "),
        ("done", "; next "),
    ):
        workspace.loop.trainer.submit(project.project_id, lambda *_, text=text: text, "session")
        wait(workspace, project)
        told = workspace.loop.status(project).text
        assert told.startswith(text.removesuffix(".") + ending)
        assert ".;" not in told


def test_the_failure_of_the_last_session_is_told_after_a_restart(workspace, labeled):

    project, _ = labeled()
    assert workspace.loop.status(project).state == "idle"
    records.begin(workspace.database, project, "hand", 40, 40)
    path = workspace.database.path
    workspace.close()
    again = Workspace(path)
    told = again.loop.status(again.project(project.project_id))
    again.close()
    assert (told.state, "The program ended while" in told.text) == ("failed", True)


def test_n_may_be_one(workspace, make_project, annotator):
    project = make_project(every=1)
    ana = annotator(project)
    for _ in range(6):
        ana.label_truly(1)
        wait(workspace, project)
    found = rows(workspace.database, "SELECT labels FROM labeling.sessions WHERE state = 'DONE'")
    assert len(found) >= 4
    assert workspace.queue(project).session_id == len(found)


def test_the_nth_label_from_many_sides_at_once_starts_one_session(workspace, labeled, monkeypatch):
    project, _ = labeled(every=30)
    wait(workspace, project)
    before = workspace.queue(project).session_id
    failures = []
    real = loop.due

    def slowly(*facts):
        decided = real(*facts)
        time.sleep(0.005)  # others get their turn between the rule and the start
        return decided

    monkeypatch.setattr(loop, "due", slowly)

    def arrive():
        try:
            together.wait()
            workspace.loop.after_decisions(project)
        except LabelingError as error:
            failures.append(error)

    for _ in range(20):
        workspace.loop._triggers[project.project_id] = 10
        together = threading.Barrier(8)
        threads = [threading.Thread(target=arrive) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        wait(workspace, project)
    assert failures == []
    assert workspace.queue(project).session_id == before + 20


def test_what_is_learned_from_can_be_changed_and_the_next_session_computes_it_anew(
    workspace, labeled
):
    project, _ = labeled()
    run_session(workspace, project)
    database = workspace.database
    before = features.features_folder(database, project)
    assert set(features.learned(database, project).columns) == {"acidity", "cask"}
    columns = (Column("cask", "shown"),)
    changed = replace(project.settings, columns=columns)
    project = use_cases.update_project(workspace, project.project_id, changed, LOCAL)
    assert workspace.queue(project).session_id == 1  # the model of before and its order stay
    assert features.learned(database, project) is None
    run_session(workspace, project)
    found = features.learned(database, project)
    assert set(found.columns) == {"acidity"} and "cask" in found.left_out
    assert {
        "column": "cask", "use": "shown only", "learned as": "",
        "why not": "is shown only, by choice",
    } in features.learned_rows(project.settings, found)  # fmt: skip
    assert not before.exists() and workspace.queue(project).session_id == 2
    described = rows(database, f"DESCRIBE {project.tables.labels}")
    assert "cask" in [
        row[0] for row in described
    ]  # the labels still have all of the source's columns
