"""What the event log tells of imports of labels: their numbers, what they stored and replaced."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

DONE, UNDONE = KINDS = ("import", "import undone")


class Import(NamedTuple):
    """One import: its labels have the ids ``first`` to ``last``; ``unmeasured`` are samples that
    do not measure from then on. ``detail`` is all that the log says of it."""

    event_id: int
    happened: datetime
    by: str
    number: int
    first: int
    last: int
    random_draw: bool
    created: list[str]
    unmeasured: list[str]
    taken_back: bool
    detail: dict[str, Any]


def listed(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[Import]:
    """All imports of a project, first to last."""
    rows = cursor.execute(
        "SELECT event_id, happened, annotator, kind, detail FROM labeling.events "
        "WHERE project_id = ? AND kind IN ('import', 'import undone') ORDER BY event_id",
        [project_id],
    ).fetchall()
    found: dict[int, Import] = {}
    for event_id, happened, who, kind, text in rows:
        detail = json.loads(text)
        number = int(detail["number"])
        if kind == UNDONE:
            if number in found:
                found[number] = found[number]._replace(taken_back=True)
            continue
        found[number] = Import(
            event_id, happened, who, number, detail["first"], detail["last"],
            detail["random_draw"], detail["created"], detail["unmeasured"], False, detail,
        )  # fmt: skip
    return list(found.values())


def find(cursor: duckdb.DuckDBPyConnection, project_id: str, number: int) -> Import | None:
    """One import; None if there is none of that number."""
    return next((each for each in listed(cursor, project_id) if each.number == number), None)


def next_number(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """The number that the next import gets: they count 1, 2, 3 …"""
    return max((each.number for each in listed(cursor, project_id)), default=0) + 1


def last_labels(cursor: duckdb.DuckDBPyConnection, project_id: str) -> tuple[datetime, int] | None:
    """When labels last came in or were taken back by an import, and how many there were then."""
    row = cursor.execute(
        "SELECT happened, (detail->>'labels')::BIGINT FROM labeling.events WHERE project_id = ? "
        "AND kind IN ('import', 'import undone') ORDER BY event_id DESC LIMIT 1",
        [project_id],
    ).fetchone()
    return None if row is None else (row[0], int(row[1]))


def decisions(
    cursor: duckdb.DuckDBPyConnection, project_id: str, which: Import
) -> dict[int, dict[str, Any]]:
    """What each label of an import was when it came, by its label id."""
    rows = cursor.execute(
        "SELECT label_id, detail FROM labeling.events WHERE project_id = ? AND kind = 'decision' "
        "AND label_id BETWEEN ? AND ?",
        [project_id, which.first, which.last],
    ).fetchall()
    return {label_id: json.loads(text) for label_id, text in rows}


def replaced(
    cursor: duckdb.DuckDBPyConnection, project_id: str, which: Import
) -> list[dict[str, Any]]:
    """The rows of the metadata table that an import took the place of."""
    rows = cursor.execute(
        "SELECT detail->'row' FROM labeling.events WHERE project_id = ? AND kind = 'undo' "
        "AND event_id > ? AND (detail->>'import')::BIGINT = ? AND (detail->'row') IS NOT NULL "
        "ORDER BY event_id",
        [project_id, which.event_id, which.number],
    ).fetchall()
    return [json.loads(text) for (text,) in rows]


def touched_since(cursor: duckdb.DuckDBPyConnection, project_id: str, which: Import) -> list[int]:
    """The labels of an import that somebody has reviewed, changed or restored since."""
    rows = cursor.execute(
        "SELECT DISTINCT label_id FROM labeling.events WHERE project_id = ? AND event_id > ? "
        "AND label_id BETWEEN ? AND ? AND kind IN ('correction', 'review', 'restore')",
        [project_id, which.event_id, which.first, which.last],
    ).fetchall()
    return [label_id for (label_id,) in rows]
