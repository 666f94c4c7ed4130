"""The table of events: the one way to append to it, and what each kind of event tells.

What the log page shows of it is read by eventlog.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

COLUMNS = "event_id, happened, project_id, annotator, kind, sample_id, label_id, detail"


class NewEvent(NamedTuple):
    """What is to be appended; ``client`` and ``seq`` number the decisions of one browser."""

    kind: str
    annotator: str
    detail: dict[str, Any]
    sample_id: str | None = None
    label_id: int | None = None
    client: str | None = None
    seq: int | None = None


class Entry(NamedTuple):
    """One event; ``happened`` is in UTC, ``detail`` says what, by kind."""

    event_id: int
    happened: datetime
    project_id: str
    annotator: str
    kind: str
    sample_id: str | None
    label_id: int | None
    detail: dict[str, Any]

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Entry:
        """An event from a row of COLUMNS."""
        *known, detail = row
        return cls._make([*known, json.loads(detail or "{}")])


class CategoryChange(NamedTuple):
    """A change of one category; ``new`` is its name after a rename, or what it was merged into."""

    event_id: int
    happened: datetime
    change: str
    old: str
    new: str | None

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> CategoryChange:
        """A change from event_id, happened and detail."""
        event_id, happened, detail = row
        known = json.loads(detail)
        return cls(event_id, happened, known["change"], known.get("old", ""), known.get("new"))


class Review(NamedTuple):
    """The newest review of a sample: ``review`` (kept) or ``correction``, and the label that was
    judged; "" once the review was taken back."""

    sample_id: str
    kind: str
    reviewed: str


class Sender(NamedTuple):
    """How far the decisions of one person's browser are stored."""

    annotator: str
    client: str
    last_seq: int
    last_event: int


def append(
    cursor: duckdb.DuckDBPyConnection,
    project_id: str,
    events: Sequence[NewEvent],
    moment: datetime,
) -> None:
    """Append to the event log, from which every decision and its changes can be told."""
    cursor.execute(
        "INSERT INTO labeling.events (happened, project_id, kind, annotator, detail, sample_id, "
        "label_id, client, seq) SELECT ?, ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::BIGINT[]), "
        "unnest(?::VARCHAR[]), unnest(?::BIGINT[])",
        [
            moment,
            project_id,
            [each.kind for each in events],
            [each.annotator for each in events],
            [json.dumps(each.detail, ensure_ascii=False) for each in events],
            [each.sample_id for each in events],
            [each.label_id for each in events],
            [each.client for each in events],
            [each.seq for each in events],
        ],
    )


def find(cursor: duckdb.DuckDBPyConnection, project_id: str, event_id: int) -> Entry | None:
    """One event of a project; None if there is none of that number."""
    row = cursor.execute(
        f"SELECT {COLUMNS} FROM labeling.events WHERE project_id = ? AND event_id = ?",
        [project_id, event_id],
    ).fetchone()
    return None if row is None else Entry.from_row(row)


def newest(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """The number of the project's last event; 0 without one."""
    row = cursor.execute(
        "SELECT max(event_id) FROM labeling.events WHERE project_id = ?", [project_id]
    ).fetchone()
    return _number(row)


def last_detail(
    cursor: duckdb.DuckDBPyConnection, project_id: str, kind: str
) -> dict[str, Any] | None:
    """What the newest event of a kind tells; None without one."""
    row = cursor.execute(
        "SELECT detail FROM labeling.events WHERE project_id = ? AND kind = ? "
        "ORDER BY event_id DESC LIMIT 1",
        [project_id, kind],
    ).fetchone()
    return json.loads(row[0]) if row else None


def highest_label_id(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """The highest label id that any event tells of; 0 without one."""
    row = cursor.execute(
        "SELECT max(label_id) FROM labeling.events WHERE project_id = ?", [project_id]
    ).fetchone()
    return _number(row)


def decided_since(cursor: duckdb.DuckDBPyConnection, project_id: str, event_id: int) -> int:
    """How many decisions, corrections and undos came after an event."""
    row = cursor.execute(
        "SELECT count(*) FROM labeling.events WHERE project_id = ? AND event_id > ? "
        "AND kind IN ('decision', 'correction', 'undo')",
        [project_id, event_id],
    ).fetchone()
    return _number(row)


def project_ids(cursor: duckdb.DuckDBPyConnection) -> set[str]:
    """The ids of all projects that the log knows, those that are gone as well."""
    rows = cursor.execute("SELECT DISTINCT project_id FROM labeling.events").fetchall()
    return {project_id for (project_id,) in rows}


def numbers(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many events there are of each project, those that are gone as well."""
    rows = cursor.execute(
        "SELECT project_id, count(*) FROM labeling.events GROUP BY ALL ORDER BY 1"
    ).fetchall()
    return dict(rows)


def last_used(cursor: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """When something last happened in each project."""
    rows = cursor.execute(
        "SELECT project_id, max(happened) FROM labeling.events GROUP BY project_id"
    ).fetchall()
    return dict(rows)


def rename_counts(cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How often each project's categories were renamed or merged."""
    rows = cursor.execute(
        "SELECT project_id, count(*) FROM labeling.events WHERE kind = 'category' "
        "AND (detail->>'change') IN ('rename', 'merge') GROUP BY project_id"
    ).fetchall()
    return dict(rows)


def category_changes(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[CategoryChange]:
    """What was done to a project's categories one by one, first to last."""
    rows = cursor.execute(
        "SELECT event_id, happened, detail FROM labeling.events "
        "WHERE project_id = ? AND kind = 'category' ORDER BY event_id",
        [project_id],
    ).fetchall()
    return [CategoryChange.from_row(row) for row in rows]


def senders(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[Sender]:
    """All browsers whose decisions are stored."""
    rows = cursor.execute(
        "SELECT annotator, client, max(seq), max(event_id) FROM labeling.events "
        "WHERE project_id = ? AND seq IS NOT NULL GROUP BY ALL",
        [project_id],
    ).fetchall()
    return [Sender(*row) for row in rows]


def last_put_back(cursor: duckdb.DuckDBPyConnection) -> int | None:
    """The event of the last time a backup was restored; None if none ever was."""
    row = cursor.execute(
        "SELECT max(event_id) FROM labeling.events WHERE kind = 'put back'"
    ).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def last_asked(
    cursor: duckdb.DuckDBPyConnection, project_id: str, sample_id: str
) -> dict[str, Any] | None:
    """What stood in the queries about a sample when it was last decided on; None if nothing."""
    row = cursor.execute(
        "SELECT detail->'asked' FROM labeling.events WHERE project_id = ? AND sample_id = ? "
        "AND (kind = 'decision' OR (kind = 'restore' AND (detail->>'was') IS NULL)) "
        "AND (detail->'asked') IS NOT NULL ORDER BY event_id DESC LIMIT 1",
        [project_id, sample_id],
    ).fetchone()
    return json.loads(row[0]) if row and row[0] else None


def last_reviewers(
    cursor: duckdb.DuckDBPyConnection, project_id: str, sample_ids: Sequence[str]
) -> dict[str, str]:
    """Who last reviewed or corrected each of these samples, where somebody did."""
    rows = cursor.execute(
        "SELECT sample_id, arg_max(annotator, event_id) FROM labeling.events "
        "WHERE project_id = ? AND kind IN ('review', 'correction') "
        "AND sample_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY sample_id",
        [project_id, list(sample_ids)],
    ).fetchall()
    return dict(rows)


def reviews(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[Review]:
    """The newest review of each sample that was ever reviewed."""
    rows = cursor.execute(
        "SELECT sample_id, arg_max(kind, event_id), arg_max(detail->>'$.reviewed', event_id) "
        "FROM labeling.events WHERE project_id = ? AND kind IN ('review', 'correction') "
        "AND detail->>'$.reviewed' IS NOT NULL GROUP BY sample_id",
        [project_id],
    ).fetchall()
    return [Review(*row) for row in rows]


def _number(row: tuple[Any, ...] | None) -> int:
    return int(row[0] or 0) if row else 0
