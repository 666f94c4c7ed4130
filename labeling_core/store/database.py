"""The one DuckDB file: opening it, its schema, and the one way to write to it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.store.file_errors import sentence
from labeling_core.store.file_names import files_of, folder_name
from labeling_core.store.file_state import FileState, log_of
from labeling_core.store.migrations import BeforeUpgrade, migrate
from labeling_core.store.removal import remove
from labeling_core.store.writing import Writing

log = logging.getLogger(__name__)
CATALOG = "labeling_file"
# The folders below ``<database>.files/`` that belong to no project: none must get such a name, as
# each keeps what it computes there in a folder called like its id, which goes with it.
BACKUPS = "backups"
SIMULATIONS = "simulations"
OWN_FOLDERS = frozenset({BACKUPS, SIMULATIONS})


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def now() -> datetime:
    """The current time, in UTC and aware of it."""
    return datetime.now(UTC)


class UnavailableError(OSError):
    """Nothing can be stored for now; the message is one sentence for people."""


class Database:
    """One open DuckDB file.

    Reads go through :meth:`read`, from any thread. Every write goes through
    :meth:`transaction`, one at a time: two DuckDB transactions that touch the same row
    make the later one fail at commit, so they must not overlap.
    """

    def __init__(self, path: Path, before_upgrade: BeforeUpgrade = lambda *_: None) -> None:
        """Open or create the file at ``path`` and bring its schema up to date.

        ``before_upgrade`` as migrations.migrate has it.

        Raises LabelingError with one sentence when the file is in use by another process,
        is no DuckDB file, is damaged, was copied without its log, cannot be written, or was
        written by a newer version.
        """
        self.path = path
        self.lock, self.writing = threading.RLock(), Writing()
        self._open: duckdb.DuckDBPyConnection | None = None
        self._connection = _connect(path)
        self.state = FileState(path)
        self.used = time.monotonic()  # when the last transaction ended
        self._invalid = False
        # Called when a commit failed: what is held in memory is to be read anew from the tables.
        self.on_failed_commit: Callable[[], None] = lambda: None
        try:
            self.state.require_log()
            self.created = migrate(self._connection, path, before_upgrade)
        except (duckdb.Error, LabelingError) as error:
            self._connection.close()
            self.state.close()
            if isinstance(error, LabelingError):
                raise
            raise LabelingError(sentence(path, error)) from error
        # One cursor for all writing: to open one costs as much as a short transaction.
        self._writer = self._cursor()
        self.state.remember()

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of its own, to be used by the calling thread only."""
        cursor = self._cursor()
        try:
            yield cursor
        except duckdb.Error as error:
            self._note(error)
            raise
        finally:
            cursor.close()

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        self._recover()
        cursor = self._connection.cursor()
        cursor.execute(f"USE {CATALOG}")
        return cursor

    def _commit(self, cursor: duckdb.DuckDBPyConnection) -> None:
        try:
            cursor.execute("COMMIT")
        except duckdb.Error as error:
            if "succeeded and is durable" not in str(error):
                self.on_failed_commit()
                raise
            # Stored, but for the checkpoint after it: taken for a failure it would be stored twice.
            self._note(error)
        if self.state.log_lost_meanwhile():
            self._write_anew()
        self.state.remember()

    def _note(self, error: BaseException) -> None:
        signs = ("autocheckpoint failed", "been invalidated")
        self._invalid = self._invalid or any(sign in str(error) for sign in signs)

    def _recover(self) -> None:
        """Open the file again where DuckDB serves nothing more from it.

        A checkpoint could not be written, on a full disk say; all that was committed is in it.
        """
        if not self._invalid:
            return
        with self.lock:
            self.require_file()
            self._writer.close()
            self._connection.close()
            try:
                self._connection = _connect(self.path)
            except LabelingError as error:
                raise UnavailableError(str(error)) from error
            self._invalid = False
            self._writer = self._cursor()
            self.state.remember()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield the cursor of the one write transaction; commit at the end.

        Rolls back on any exception (an interrupt included). Nested use joins the outer
        transaction. Raises UnavailableError while the file is not in its place.
        """
        with self.lock:
            if self._open is not None:
                yield self._open
                return
            self.require_file()
            self._recover()
            if self.state.log_lost():
                self._write_anew()
                self.state.remember()
            cursor = self._writer
            try:
                cursor.execute("BEGIN TRANSACTION")
                self._open = cursor
                with self.writing.by_this_thread(cursor):
                    yield cursor
                self._commit(cursor)
            except BaseException as error:
                self._note(error)
                _roll_back(cursor)
                raise
            finally:
                self._open = None
                self.used = time.monotonic()

    def require_file(self) -> None:
        """Raise UnavailableError when the file is not whole, or is not where it was opened.

        What is written to the open file would then be in no file that anybody finds. Costs
        microseconds, from any thread: where another one stores, it has asked. A log that is gone is
        no reason to raise: what it held is in memory, and goes into the file at the next writing.
        """
        if not self.lock.acquire(blocking=False):
            return
        try:
            trouble = "" if self._open is not None else self.state.trouble()
        finally:
            self.lock.release()
        if trouble:
            raise UnavailableError(
                f"The database {self.path.name} {trouble} while the program runs: put it back, or "
                "restart the program to use the one that is there now; nothing is stored until "
                "then."
            )

    def _write_anew(self) -> None:
        """Write all into the file itself, since the log is not there to tell it."""
        name = log_of(self.path).name
        if not self.state.log_ended():
            log.warning("%s was removed or cut short; what it held is written into the file", name)
        try:
            self._writer.execute("CHECKPOINT")
        except duckdb.Error as error:
            self.on_failed_commit()
            raise UnavailableError(
                f"{name} was removed or cut short while the program runs, and what it held could "
                f"not be written into the database yet ({str(error).splitlines()[0][:160]})."
            ) from error

    def checkpoint(self) -> None:
        """Move what lies in the log into the file itself; a copy of that has everything then.

        Nothing is stored meanwhile. Does nothing while there is no log, or DuckDB is not
        ready for it. Raises UnavailableError, or duckdb.Error where there is no room.
        """
        with self.lock:
            if self._open is not None or not (self.state.logged() or self.state.log_lost()):
                return
            self.require_file()
            self._recover()
            try:
                self._writer.execute("CHECKPOINT")
                self.state.remember()
            except duckdb.TransactionException:
                return
            except duckdb.Error as error:
                self._note(error)
                raise

    def files(self, *parts: str) -> Path:
        """Return a folder beside the database file for caches; it is created if missing."""
        folder = files_of(self.path).joinpath(*(folder_name(each) for each in parts))
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Close the file; another process may open it then. DuckDB writes it a last time and
        removes its log, by name: not where another lies."""
        with self.lock:
            if self.state.trouble():
                with suppress(duckdb.ConnectionException):  # it was closed before
                    self._connection.execute("PRAGMA disable_checkpoint_on_shutdown")
            self._writer.close()
            self._connection.close()
            self.state.close()


def why_not_stored(error: Exception) -> str:
    """One sentence for people on why a write failed; a browser sends it again by itself."""
    if isinstance(error, UnavailableError):
        return str(error)
    if any(sign in str(error) for sign in ("No space left", "File too large", "quota exceeded")):
        return (
            "The disk that holds the database is full: make room on it. Your decisions are kept "
            "in this browser and sent again by themselves."
        )
    return "The decisions could not be stored yet; they are kept and sent again."


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.Error):  # a failed COMMIT has ended it already
        cursor.execute("ROLLBACK")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    # Under a name of ours: labeling.duckdb would be a catalog called as the schema is, ambiguous.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        spilled = Path(f"{path}.tmp")  # what memory cannot hold, which DuckDB would put into ./.tmp
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        connection.execute(f"SET GLOBAL temp_directory = {literal(str(spilled))}")
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # 1.5 does not take it at connecting
        connection.execute(f"ATTACH {literal(str(path))} AS {CATALOG}")
        connection.execute(f"USE {CATALOG}")
        remove(spilled)  # of a program that was killed; this one has the file to itself
    except (duckdb.Error, OSError) as error:
        raise LabelingError(sentence(path, error)) from error
    return connection


def tables(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the tables and views in schema ``main``, sorted."""
    rows = cursor.execute(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_catalog = current_database() AND table_schema = 'main' ORDER BY table_name"
    ).fetchall()
    return [name for (name,) in rows]


def folder_of(cursor: duckdb.DuckDBPyConnection) -> Path:
    """The folder in which the database file of ``cursor`` lies."""
    row = cursor.execute(
        "SELECT path FROM duckdb_databases() WHERE database_name = current_database()"
    ).fetchone()
    return Path(row[0]).parent if row else Path()


def columns(cursor: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """``(name, type)`` of the columns of ``main.table``, in their order; empty if unknown."""
    rows = cursor.execute(
        "SELECT column_name, data_type FROM information_schema.columns "
        "WHERE table_catalog = current_database() AND table_schema = 'main' "
        "AND lower(table_name) = lower(?) ORDER BY ordinal_position",
        [table],
    ).fetchall()
    return [(name, kind) for name, kind in rows]
