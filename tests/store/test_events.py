"""The table of events: what is appended is read back as its kind says."""

from __future__ import annotations

from pathlib import Path

import pytest

from labeling_core.store import events
from labeling_core.store.database import Database, now
from labeling_core.store.events import NewEvent, Review, Sender

ROOT = Path(__file__).parents[2]


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "labels.duckdb")
    yield opened
    opened.close()


def append(database, *new, project_id="wine"):
    with database.transaction() as cursor:
        events.append(cursor, project_id, list(new), now())


def asked(database, function, *values):
    with database.read() as cursor:
        return function(cursor, *values)


def test_only_the_store_writes_sql_for_events():
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("labeling_core", "pages")
        for path in (ROOT / room).rglob("*.py")
        if "labeling.events" in path.read_text("utf-8")
    }
    # Whether the tables are sound is asked of the events as they lie there, whatever reads them.
    assert found == {"labeling_core/integrity/decisions.py"} | {
        f"labeling_core/store/{name}.py" for name in ("eventlog", "events", "imports", "migrations")
    }


def test_without_events_nothing_is_known(database):
    assert asked(database, events.find, "wine", 1) is None
    assert asked(database, events.last_put_back) is None
    assert asked(database, events.last_asked, "wine", "s1") is None
    for count in (events.newest, events.highest_label_id):
        assert asked(database, count, "wine") == 0
    for listed in (events.senders, events.category_changes, events.reviews):
        assert asked(database, listed, "wine") == []
    assert asked(database, events.project_ids) == set()
    assert asked(database, events.last_used) == asked(database, events.rename_counts) == {}


def test_an_event_is_found_as_it_was_appended(database):
    append(database, NewEvent("decision", "ann", {"label": "größe"}, "s1", 7, "tab", 1))
    append(database, NewEvent("created", "ann", {}), project_id="other")
    found = asked(database, events.find, "wine", 1)
    assert (found.kind, found.annotator, found.detail) == ("decision", "ann", {"label": "größe"})
    assert (found.sample_id, found.label_id) == ("s1", 7)
    assert asked(database, events.find, "other", 1) is None
    assert asked(database, events.find, "other", 2).sample_id is None
    assert asked(database, events.project_ids) == set(asked(database, events.last_used))
    assert asked(database, events.project_ids) == {"wine", "other"}
    assert asked(database, events.newest, "wine") == 1
    assert asked(database, events.highest_label_id, "wine") == 7


def test_how_far_each_browser_is_stored(database):
    append(database, *(NewEvent("decision", "ann", {}, "s", n, "a", n) for n in (1, 2)))
    append(database, NewEvent("undo", "bob", {}, "s", 1, "b", 9), NewEvent("session", "bob", {}))
    assert sorted(asked(database, events.senders, "wine")) == [
        Sender("ann", "a", 2, 2),
        Sender("bob", "b", 9, 3),
    ]
    assert asked(database, events.decided_since, "wine", 1) == 2


def test_changes_of_categories_and_the_renames_among_them(database):
    append(database, NewEvent("category", "ann", {"change": "rename", "old": "a", "new": "b"}))
    append(database, NewEvent("category", "ann", {"change": "retire", "old": "b"}))
    append(database, NewEvent("category", "ann", {"change": "merge", "old": "b", "new": "c"}))
    found = [each[2:] for each in asked(database, events.category_changes, "wine")]
    assert found == [("rename", "a", "b"), ("retire", "b", None), ("merge", "b", "c")]
    assert asked(database, events.rename_counts) == {"wine": 2}


def test_the_newest_review_of_a_sample_counts(database):
    append(database, NewEvent("correction", "ann", {"reviewed": "b"}, "s1"))
    append(database, NewEvent("review", "bob", {"reviewed": "b"}, "s1"))
    append(database, NewEvent("correction", "ann", {}, "s2"))  # on the deck: no review
    assert asked(database, events.reviews, "wine") == [Review("s1", "review", "b")]
    assert asked(database, events.last_reviewers, "wine", ["s1"]) == {"s1": "bob"}
    assert asked(database, events.last_reviewers, "wine", ["s1", "s2", "s3"]) == {
        "s1": "bob",
        "s2": "ann",
    }


def test_what_stood_in_the_queries_when_a_sample_was_last_decided_on(database):
    append(database, NewEvent("decision", "ann", {"asked": {"rank": 3, "session_id": 1}}, "s1"))
    append(database, NewEvent("decision", "ann", {}, "s1"))
    append(database, NewEvent("restore", "ann", {"was": ["LABELED"], "asked": {"rank": 9}}, "s1"))
    assert asked(database, events.last_asked, "wine", "s1") == {"rank": 3, "session_id": 1}
    append(database, NewEvent("restore", "ann", {"was": None, "asked": {"rank": 5}}, "s1"))
    assert asked(database, events.last_asked, "wine", "s1") == {"rank": 5}


def test_the_last_time_that_a_backup_was_restored(database):
    append(database, NewEvent("put back", "ann", {"file": "x"}), project_id="")
    append(database, NewEvent("backup", "ann", {"file": "y"}), project_id="")
    assert asked(database, events.last_put_back) == 1
