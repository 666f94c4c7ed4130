"""The append-only log of who did what, as people read it: page by page, filtered, as a file."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from labeling_core.people import EVERYWHERE, Person
from labeling_core.settings import Settings
from labeling_core.store.database import Database, literal, now
from labeling_core.store.events import COLUMNS, Entry, NewEvent, append
from labeling_core.store.exporting import to_file

# What happened to a decision, and what happened to a project: a word for each kind.
DECISIONS = {
    "decision": "decided",
    "correction": "changed a decision",
    "undo": "took a decision back",
    "review": "reviewed a label",
    "restore": "restored a decision",
    "adjudication": "settled a disagreement",
    "adjudication undone": "took a settlement back",
    "refused": "not stored",
}
KINDS = DECISIONS | {
    "created": "made a project",
    "settings": "changed settings",
    "category": "changed categories",
    "refreshed": "looked for new samples",
    "added rows": "added rows",
    "session": "started a session",
    "import": "brought in labels",
    "import undone": "took an import back",
    "deleted": "deleted a project",
    "dropped": "dropped tables",
    "backup": "made a backup",
    "put back": "restored a backup",
    "mended": "mended the database",
    "cleared": "made room",
    "role": "changed a role",
}


class Filter(NamedTuple):
    """Which events are wanted; what is empty does not narrow.

    ``project_id`` EVERYWHERE means all projects, ``since`` ≤ happened < ``until``, ``text``
    is looked for in comments, in any case.
    """

    project_id: str = EVERYWHERE
    annotator: str = ""
    kinds: tuple[str, ...] = ()
    sample_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


def note(
    database: Database,
    project_id: str,
    who: Person,
    kind: str,
    detail: dict[str, Any],
    sample_id: str | None = None,
    label_id: int | None = None,
) -> None:
    """Append an event; within a transaction it is stored or not stored together with it."""
    with database.transaction() as cursor:
        event = NewEvent(kind, who.name, detail, sample_id, label_id)
        append(cursor, project_id, [event], now())


def changes(old: Settings, new: Settings) -> dict[str, list[Any]]:
    """Field → [old, new] of what differs between two settings."""
    before, after = json.loads(old.to_json()), json.loads(new.to_json())
    return {
        name: [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }


def read(
    cursor: duckdb.DuckDBPyConnection, wanted: Filter, by: Person, offset: int, count: int
) -> list[Entry]:
    """``count`` events from number ``offset`` on, newest first.

    An admin sees all, an annotator only what they did or what was done to their decisions.
    Raises ForbiddenError for anyone else.
    """
    where, values = _where(wanted, by)
    rows = cursor.execute(
        f"SELECT {COLUMNS} FROM labeling.events WHERE event_id IN (SELECT event_id "
        f"FROM labeling.events WHERE {where} ORDER BY event_id DESC LIMIT ? OFFSET ?) "
        "ORDER BY event_id DESC",  # the numbers first: sorting whole rows took seconds
        [*values, count, offset],
    ).fetchall()
    return [Entry.from_row(row) for row in rows]


def count(cursor: duckdb.DuckDBPyConnection, wanted: Filter, by: Person) -> int:
    """How many events there are of those that :func:`read` pages through."""
    where, values = _where(wanted, by)
    row = cursor.execute(f"SELECT count(*) FROM labeling.events WHERE {where}", values).fetchone()
    return int(row[0]) if row else 0


def annotators(cursor: duckdb.DuckDBPyConnection, project_id: str, by: Person) -> list[str]:
    """Whose events ``by`` may see, sorted."""
    where, values = _where(Filter(project_id), by)
    rows = cursor.execute(
        f"SELECT DISTINCT annotator FROM labeling.events WHERE {where} ORDER BY 1", values
    ).fetchall()
    return [name for (name,) in rows if name]


def export(cursor: duckdb.DuckDBPyConnection, wanted: Filter, by: Person) -> bytes:
    """A CSV of the events wanted: oldest first, times in UTC, safe to open in a spreadsheet.

    Only an admin gets ``detail`` as stored: it tells what the model thought of a sample.
    """
    where, values = _where(wanted, by)
    detail = ", detail" if by.may("manage", wanted.project_id) else ""
    paths = ["$.status", "$.label", "$.comment", "$.was[1]", "$.was[0]"]
    query = (
        "SELECT event_id, strftime(happened AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ') "
        "AS happened, project_id, annotator, kind, sample_id, label_id, told[1] AS status, "
        f"told[2] AS label, told[3] AS comment, coalesce(told[4], told[5]) AS before{detail} "
        f"FROM (SELECT *, json_extract_string(detail, {paths}) AS told "
        f"FROM labeling.events WHERE {where}) ORDER BY event_id"
    )
    return to_file(cursor, query, "CSV", safe=True, values=values)


def history(project_id: str) -> str:
    """A query for all events of a project as stored, oldest first; what only admins may see."""
    return (
        "SELECT event_id, happened, annotator, kind, sample_id, label_id, detail "
        f"FROM labeling.events WHERE project_id = {literal(project_id)}"
    )


def _where(wanted: Filter, by: Person) -> tuple[str, list[Any]]:
    by.require("manage" if wanted.project_id == EVERYWHERE else "label", wanted.project_id)
    parts: list[tuple[str, list[Any]]] = []
    if wanted.project_id != EVERYWHERE:
        parts.append(("project_id = ?", [wanted.project_id]))
    if not by.may("manage", wanted.project_id):
        own = "(annotator = ? OR (detail->>'of') = ?)"
        parts.append((own, [by.name, by.name]))
    if wanted.annotator:
        parts.append(("annotator = ?", [wanted.annotator]))
    if wanted.kinds:
        parts.append(("kind IN (SELECT unnest(?::VARCHAR[]))", [list(wanted.kinds)]))
    if wanted.sample_id:
        parts.append(("sample_id = ?", [wanted.sample_id]))
    if wanted.since:
        parts.append(("happened >= ?", [wanted.since]))
    if wanted.until:
        parts.append(("happened < ?", [wanted.until]))
    if wanted.text:
        # Words that are nowhere in the JSON need not be looked for in its comment.
        written = json.dumps(wanted.text, ensure_ascii=False)[1:-1]
        parts.append(("contains(lower(detail), lower(?))", [written]))
        parts.append(("contains(lower(detail->>'comment'), lower(?))", [wanted.text]))
    where = " AND ".join(sql for sql, _ in parts) or "true"
    return where, [value for _, values in parts for value in values]
