"""What the one write transaction is at: for other threads to look at, and to end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb


class Writing:
    """Whose transaction is open, and on which cursor.

    Committing and rolling back are no part of it, so that neither is ever interrupted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread = 0  # nobody's
        self._cursor: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def by_this_thread(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let others see the transaction that this thread has begun on ``cursor``."""
        if cursor is not self._cursor:  # DuckDB counts only where a bar is asked for
            cursor.execute("SET enable_progress_bar = true")
            cursor.execute("SET enable_progress_bar_print = false")
        with self._lock:
            self._thread, self._cursor = threading.get_ident(), cursor
        try:
            yield
        finally:
            with self._lock:
                self._thread = 0

    def share(self, thread: int) -> float:
        """How much, 0..1, of its statement the transaction of ``thread`` (an ident) has behind it;
        0 where it has none, or DuckDB cannot tell."""
        with self._lock:
            if self._cursor is None or self._thread != thread:
                return 0.0
            return min(max(self._cursor.query_progress(), 0.0), 100.0) / 100

    def interrupt(self, thread: int) -> None:
        """Have the statement fail that the transaction of ``thread`` is at: with it all is rolled
        back. Nothing happens where it has none, or is between two statements."""
        with self._lock:
            if self._cursor is not None and self._thread == thread:
                self._cursor.interrupt()
