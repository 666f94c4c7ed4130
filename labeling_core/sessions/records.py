"""The rows of labeling.sessions: which session began, failed, and was triggered when."""

from __future__ import annotations

import duckdb

from labeling_core.settings import Project
from labeling_core.store import imports
from labeling_core.store.database import Database, now


def begin(database: Database, project: Project, started_by: str, number: int, trigger: int) -> int:
    """Write the row of a session that starts with ``number`` labels; returns its session_id."""
    settings = project.settings
    with database.transaction() as cursor:
        row = cursor.execute(
            "SELECT coalesce(max(session_id), 0) + 1 FROM labeling.sessions WHERE project_id = ?",
            [project.project_id],
        ).fetchone()
        session_id = int(row[0]) if row else 1
        cursor.execute(
            "INSERT INTO labeling.sessions (project_id, session_id, state, started_by, started, "
            "classifier, strategy, labels, trigger_labels) "
            "VALUES (?, ?, 'RUNNING', ?, ?, ?, ?, ?, ?)",
            [project.project_id, session_id, started_by, now(), settings.classifier,
             settings.strategy, number, trigger],
        )  # fmt: skip
    return session_id


def fail(database: Database, project_id: str, session_id: int, reason: str) -> None:
    """Note why a session failed; the last good model and queue stay as they are."""
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET state = 'FAILED', finished = ?, reason = ? "
            "WHERE project_id = ? AND session_id = ?",
            [now(), reason, project_id, session_id],
        )


def fail_interrupted(database: Database) -> None:
    """After a start: sessions that ran when the program ended did not finish."""
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET state = 'FAILED', finished = ?, reason = ? "
            "WHERE state = 'RUNNING'",
            [now(), "The program ended while this session ran."],
        )


def last_failure(cursor: duckdb.DuckDBPyConnection, project_id: str) -> str:
    """Why the last session failed; empty if it did not, or there was none."""
    row = cursor.execute(
        "SELECT reason FROM labeling.sessions WHERE project_id = ? AND session_id = "
        "(SELECT max(session_id) FROM labeling.sessions WHERE project_id = ?) AND state = 'FAILED'",
        [project_id, project_id],
    ).fetchone()
    return str(row[0]) if row else ""


def trigger_point(cursor: duckdb.DuckDBPyConnection, project: Project) -> int:
    """How many labels there were at the last trigger point; 0 before the first session.

    Labels that an import has brought in (or taken away) since are due to be learned from, by one
    session: the curve has no points between them that could be made up for.
    """
    row = cursor.execute(
        "SELECT trigger_labels, started FROM labeling.sessions WHERE project_id = ? "
        "ORDER BY session_id DESC LIMIT 1",
        [project.project_id],
    ).fetchone()
    last = imports.last_labels(cursor, project.project_id)
    if last is not None and (row is None or row[1] < last[0]):
        return last[1] - project.settings.every
    return int(row[0]) if row else 0
