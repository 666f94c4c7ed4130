"""Samples that cannot be used, each with its reason: files that nobody can read."""

from __future__ import annotations

import duckdb


def listed(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[tuple[str, str]]:
    """``(sample_id, reason)`` of what was set aside, in the order of their names."""
    return cursor.execute(
        "SELECT sample_id, reason FROM labeling.broken WHERE project_id = ? ORDER BY ALL",
        [project_id],
    ).fetchall()


def forget(cursor: duckdb.DuckDBPyConnection, project_id: str) -> None:
    """Give all of them another chance: what they are is found out anew by the next reading."""
    cursor.execute("DELETE FROM labeling.broken WHERE project_id = ?", [project_id])


def store(cursor: duckdb.DuckDBPyConnection, project_id: str, reasons: dict[str, str]) -> None:
    """Let ``reasons`` (sample_id → sentence) be what is set aside now."""
    forget(cursor, project_id)
    cursor.execute(
        "INSERT INTO labeling.broken SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [project_id, list(reasons), list(reasons.values())],
    )
