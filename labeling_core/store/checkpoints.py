"""Moves what lies in DuckDB's log into the file itself when nobody decides anything, and lets go of
what DuckDB holds of the file in memory."""

from __future__ import annotations

import logging
import shutil
import threading
import time

import duckdb

from labeling_core.store.database import Database

log = logging.getLogger(__name__)
IDLE = 5.0  # seconds without a transaction
_PAUSE = 60.0  # seconds until the next attempt after one that failed
_ROOM = 64 << 20  # bytes that have to be free, besides twice the log
_CACHED, _KEPT = 400, 200  # megabytes of the file in memory: more than the one is cut to the other
_STEP, _STEPS = 250, 100  # megabytes at a time: some 20 ms in which nothing is stored; how often


class Checkpoints:
    """One thread that looks now and then whether the file may be brought up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, idle: float = IDLE) -> None:
        """Look every ``idle`` seconds, for as long without a transaction."""

        def serve() -> None:
            wait = idle
            while not self._closing.wait(wait):
                wait = idle if self.if_idle(idle) else _PAUSE

        self._thread = threading.Thread(target=serve, name="checkpoints", daemon=True)
        self._thread.start()

    def if_idle(self, idle: float) -> bool:
        """Bring the file up to date unless something was stored just now; False if that failed."""
        if time.monotonic() - self._database.used < idle:
            return True
        return self.now()

    def now(self) -> bool:
        """Bring the file up to date; False, with a warning in the log, if that failed.

        It is not tried where the disk is almost full: DuckDB serves nothing more from a file
        after a checkpoint that found no room, until it is opened again.
        """
        database = self._database
        try:
            free = shutil.disk_usage(database.path.parent).free
            if free > 2 * database.state.logged() + _ROOM:
                database.checkpoint()
            let_go(database)
        except (duckdb.Error, OSError) as error:
            log.warning("The database file could not be brought up to date: %s", error)
            return False
        return True

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(10)


def let_go(database: Database, most: int = _CACHED, kept: int = _KEPT) -> None:
    """Have DuckDB give memory back where it holds more than ``most`` MB of the file: all but
    ``kept``.

    It keeps what it has read once for as long as its limit allows, most of the machine's memory;
    after a project was made, two whole copies of its table. Nothing is cut while a statement works
    in memory, on sorting say: it would find no room.
    """
    for _ in range(_STEPS):
        if not _cut(database, most, kept):
            return
        most = kept + 1  # what is left of a megabyte is no reason to go on


def _cut(database: Database, most: float, kept: float) -> bool:
    """Cut a step of what is above ``most``; whether there was one, and it could be."""
    with database.lock, database.read() as cursor:
        (cached, worked), *_ = cursor.execute(
            "SELECT coalesce(sum(memory_usage_bytes) FILTER (tag = 'BASE_TABLE'), 0) / 1e6, "
            "coalesce(sum(memory_usage_bytes) FILTER (tag <> 'BASE_TABLE'), 0) / 1e6 "
            "FROM duckdb_memory()"
        ).fetchall()
        if cached <= most or worked > kept / 4:
            return False
        try:
            cursor.execute(f"SET GLOBAL memory_limit = '{max(kept, cached - _STEP):.0f}MB'")
        except duckdb.OutOfMemoryException:
            return False  # it is in use
        finally:
            cursor.execute("RESET GLOBAL memory_limit")
        return True
