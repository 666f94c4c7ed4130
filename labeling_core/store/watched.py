"""A long statement that tells how far it is, and can be ended."""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb

_TURN = 0.2  # seconds between two looks


def execute(cursor: duckdb.DuckDBPyConnection, sql: str, told: Callable[[float], None]) -> None:
    """Execute ``sql``, and tell ``told`` meanwhile the share (0..1) that is done, as far as DuckDB
    knows; what it raises ends the statement, and is raised."""
    cursor.execute("SET enable_progress_bar = true")  # DuckDB counts only where a bar is asked for
    cursor.execute("SET enable_progress_bar_print = false")
    failed: list[duckdb.Error] = []

    def work() -> None:
        try:
            cursor.execute(sql)
        except duckdb.Error as error:
            failed.append(error)

    thread = threading.Thread(target=work, name="watched", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            told(min(max(cursor.query_progress(), 0.0), 100.0) / 100)
            thread.join(_TURN)
    except BaseException:
        while thread.is_alive():
            cursor.interrupt()  # again and again: it may not have begun
            thread.join(_TURN)
        raise
    if failed:
        raise failed[0]
    told(1.0)
