"""Checks of what the program keeps for itself: queries, reservations, sessions, whole tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

from labeling_core.integrity.record import (
    Check,
    Cursor,
    Found,
    House,
    Tables,
    in_projects,
    keys,
    mend_projects,
    pool_tables,
    values,
)
from labeling_core.projects import lifecycle, queries, samples
from labeling_core.sessions import records
from labeling_core.settings import Project, quote
from labeling_core.store.database import CATALOG, now

_PREPARED = ("scores_", "next_", "predicted_")  # tables of a project that are computed again


def _unreadable(house: House) -> list[Found]:
    """Tables of which not every row can be read: their blocks carry checksums."""
    lost = []
    with house.database.read() as cursor:
        rows = cursor.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? "
            "ORDER BY ALL",
            [CATALOG],
        ).fetchall()
    for schema, name in rows:
        table = f"{quote(schema)}.{quote(name)}"
        try:
            with house.database.read() as cursor:
                cursor.execute(f"SELECT bit_xor(hash(t)) FROM {table} AS t").fetchall()
        except duckdb.Error:
            lost.append(f"{schema}.{name}")
    return [Found("", tuple(lost))] if lost else []


def _lost_queries(house: House) -> list[Found]:
    with house.database.read() as cursor:
        there = Tables.of(cursor)
    found = []
    for each in house.projects:
        name, scores = each.settings.queries_table, f"scores_{each.project_id}"
        lost = [] if scores in there.pool else [f"labeling_pool.{scores}"]
        lost += [] if name in there.seen or not name else [name]
        if lost and there.have_samples(each):
            found.append(Found(each.project_id, tuple(lost)))
    return found


def _make_queries(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    queries.hide(cursor, project.settings)
    if f"labeling_pool.scores_{project.project_id}" in found:
        queries.create(cursor, project)
    else:
        queries.show(cursor, project)


def _wrong_queries(cursor: Cursor, project: Project) -> Sequence[Any]:
    if f"scores_{project.project_id}" not in pool_tables(cursor):
        return ()
    return values(
        cursor,
        f"SELECT DISTINCT place FROM {queries.table(project.project_id)} WHERE place IS NULL "
        f"OR place NOT IN (SELECT {samples.PLACE} FROM {keys(project)} WHERE {samples.SAMPLE_ID} "
        f"NOT IN (SELECT sample_id FROM {project.tables.metadata} WHERE sample_id IS NOT NULL)) "
        "ORDER BY 1",
    )


def _drop_queries(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    table = queries.table(project.project_id)
    cursor.execute(
        f"DELETE FROM {table} WHERE place IS NULL OR place IN (SELECT unnest(?::INTEGER[]))",
        [[each for each in found if each is not None]],
    )


def _of_no_project(house: House) -> list[Found]:
    with house.database.read() as cursor:
        found = [
            f"{number} rows of labeling.{name}"
            for name in lifecycle.KEPT
            if (number := values(cursor, f"SELECT count(*) FROM labeling.{name} WHERE {_GONE}")[0])
        ]
    return [Found("", tuple(found))] if found else []


_GONE = "project_id <> '' AND project_id NOT IN (SELECT project_id FROM labeling.projects)"


def _drop_rows(house: House, found: list[Found]) -> None:
    with house.database.transaction() as cursor:
        for name in lifecycle.KEPT:
            cursor.execute(f"DELETE FROM labeling.{name} WHERE {_GONE}")


def _wrong_reservations(cursor: Cursor, project: Project) -> Sequence[Any]:
    return values(
        cursor,
        "SELECT r.sample_id FROM labeling.reservations AS r WHERE r.project_id = ? AND NOT EXISTS "
        f"(SELECT 1 FROM {keys(project)} AS s WHERE s.{samples.SAMPLE_ID} = r.sample_id "
        f"AND s.{samples.PLACE} = r.place) ORDER BY 1",
        project.project_id,
    )


def _drop_reservations(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    cursor.execute(
        "DELETE FROM labeling.reservations WHERE project_id = ? "
        "AND (sample_id IS NULL OR sample_id IN (SELECT unnest(?::VARCHAR[])))",
        [project.project_id, list(found)],
    )


def _unrecorded(cursor: Cursor, project: Project) -> Sequence[Any]:
    """Numbers of sessions that the tables name and that have no row."""
    named = [f"SELECT session_id FROM {project.tables.metadata}"]
    if f"scores_{project.project_id}" in pool_tables(cursor):
        named.append(f"SELECT session_id FROM {queries.table(project.project_id)}")
    return values(
        cursor,
        f"SELECT DISTINCT session_id FROM ({' UNION '.join(named)} UNION SELECT session_id FROM "
        "labeling.models WHERE project_id = $1) WHERE session_id > 0 AND session_id NOT IN "
        "(SELECT session_id FROM labeling.sessions WHERE project_id = $1) ORDER BY 1",
        project.project_id,
    )


def _record_sessions(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    """From the card of its model, if it is the one that is kept: all but what was compared."""
    row = cursor.execute(
        "SELECT session_id, card FROM labeling.models WHERE project_id = ?", [project.project_id]
    ).fetchone()
    for number in found:
        card = json.loads(row[1]) if row and row[0] == number else {}
        measured = card.get("evaluation", {})
        labels = card.get("labels", 0)  # those it was trained on; what measured it comes to them
        labels += measured["evaluated"] if measured.get("kind") == "probes" else 0
        moment = datetime.fromisoformat(card["trained"]).astimezone(UTC) if card else now()
        cursor.execute(
            "INSERT INTO labeling.sessions (project_id, session_id, state, started_by, started, "
            "finished, reason, classifier, strategy, labels, trigger_labels, evaluation, "
            "evaluated, correct, auc) VALUES (?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [project.project_id, number, "DONE" if card else "FAILED", moment, moment,
             None if card else "The record of this session was lost.",
             card.get("classifier", project.settings.classifier),
             card.get("strategy", project.settings.strategy), labels,
             labels, measured.get("kind"), measured.get("evaluated"),
             measured.get("correct"), measured.get("auc")],
        )  # fmt: skip


def _interrupted(cursor: Cursor, project: Project) -> Sequence[Any]:
    return values(
        cursor,
        "SELECT session_id FROM labeling.sessions WHERE project_id = ? AND state = 'RUNNING' "
        "ORDER BY 1",
        project.project_id,
    )


def _stray_tables(house: House) -> list[Found]:
    """What was computed for projects that are gone, or never came in the place of the queries."""
    known = {f"{kind}{each.project_id}" for each in house.projects for kind in _PREPARED[::2]}
    with house.database.read() as cursor:
        stray = sorted(
            each for each in pool_tables(cursor) if each.startswith(_PREPARED) and each not in known
        )
    return [Found("", tuple(stray))] if stray else []


def _drop_tables(house: House, found: list[Found]) -> None:
    with house.database.transaction() as cursor:
        for name in (name for each in found for name in each.items):
            cursor.execute(f"DROP TABLE IF EXISTS labeling_pool.{quote(name)}")


READABLE = Check(
    "readable", "Can every row of every table be read?",
    "{number} tables cannot be read to their end: {named}.",
    "Bring back a backup; the damaged file is kept beside it.", _unreadable,
)  # fmt: skip
CHECKS = (
    Check(
        "queries table", "Does each project have its queries?",
        "The project lacks {named}.", "It is made anew; a session puts the pool in order.",
        _lost_queries, mend_projects(_make_queries),
    ),
    Check(
        "queries of the pool", "Is each query a sample that waits for a decision?",
        "{number} queries are of samples that the project does not have, or that are decided "
        "(position {named}).",
        "They are taken out.", in_projects(_wrong_queries), mend_projects(_drop_queries),
    ),
    Check(
        "rows of no project", "Does every internal row belong to a project?",
        "There are rows of projects that are gone: {named}.", "They are deleted.",
        _of_no_project, _drop_rows,
    ),
    Check(
        "reservations", "Is each reservation of a sample that there is?",
        "{number} reservations are of samples that the project does not have "
        "(sample_id {named}).",
        "They are deleted.", in_projects(_wrong_reservations), mend_projects(_drop_reservations),
    ),
    Check(
        "sessions without record", "Does each session that is named have its row?",
        "{number} sessions are named in the tables and have no row (session_id {named}).",
        "The row is written anew from the card of the model, where that is the session's.",
        in_projects(_unrecorded), mend_projects(_record_sessions),
    ),
    Check(
        "interrupted sessions", "Is no session marked as running?",
        "{number} sessions are marked as running, and nothing runs (session_id {named}).",
        "They are marked as failed.", in_projects(_interrupted),
        lambda house, found: records.fail_interrupted(house.database),
    ),
    Check(
        "tables of no project", "Does every table of the pool belong to a project?",
        "What was computed lies in tables that nothing uses: {named}.", "They are dropped.",
        _stray_tables, _drop_tables,
    ),
)  # fmt: skip
