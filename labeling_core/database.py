"""The one DuckDB file: opening it, its schema, and the one way to write to it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from labeling_core.errors import LabelingError

# Each entry runs once, in order, and is recorded in labeling.migrations. Never edit one that
# has been released: append another.
MIGRATIONS: tuple[tuple[str, str], ...] = (
    (
        "first tables",
        """
        CREATE TABLE labeling.projects (
            project_id VARCHAR, settings VARCHAR, samples INTEGER, probe_limit INTEGER,
            source_fingerprint VARCHAR, source_version INTEGER, created TIMESTAMPTZ
        );
        CREATE TABLE labeling.sessions (
            project_id VARCHAR, session_id INTEGER, state VARCHAR, started_by VARCHAR,
            started TIMESTAMPTZ, finished TIMESTAMPTZ, reason VARCHAR,
            classifier VARCHAR, strategy VARCHAR, labels INTEGER, trigger_labels INTEGER,
            evaluation VARCHAR, evaluated INTEGER, correct INTEGER, auc DOUBLE,
            changed INTEGER, compared INTEGER, classes VARCHAR, checks BLOB
        );
        CREATE TABLE labeling.models (
            project_id VARCHAR, session_id INTEGER, card VARCHAR, model BLOB
        );
        CREATE TABLE labeling.reservations (
            project_id VARCHAR, place INTEGER, sample_id VARCHAR, annotator VARCHAR,
            client VARCHAR, origin VARCHAR, session_id INTEGER, until TIMESTAMPTZ
        );
        CREATE SEQUENCE labeling.event_ids;
        CREATE TABLE labeling.events (
            event_id BIGINT DEFAULT nextval('labeling.event_ids'), happened TIMESTAMPTZ,
            project_id VARCHAR, annotator VARCHAR, kind VARCHAR, sample_id VARCHAR,
            label_id BIGINT, detail VARCHAR, client VARCHAR, seq BIGINT
        );
        """,
    ),
    (
        "files set aside",
        "CREATE TABLE labeling.broken (project_id VARCHAR, sample_id VARCHAR, reason VARCHAR)",
    ),
    (
        "how uncertain the next batch is, beside its pool",
        """
        ALTER TABLE labeling.sessions ADD COLUMN asked INTEGER;
        ALTER TABLE labeling.sessions ADD COLUMN asked_uncertainty DOUBLE;
        ALTER TABLE labeling.sessions ADD COLUMN pool INTEGER;
        ALTER TABLE labeling.sessions ADD COLUMN pool_uncertainty DOUBLE;
        ALTER TABLE labeling.sessions ADD COLUMN pool_spread DOUBLE;
        """,
    ),
)


CATALOG = "labeling_file"


def quote(identifier: str) -> str:
    """Return ``identifier`` as a quoted SQL identifier, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal, for the few places that take no parameter."""
    return "'" + text.replace("'", "''") + "'"


def now() -> datetime:
    """The current time, in UTC and aware of it."""
    return datetime.now(UTC)


class Database:
    """One open DuckDB file.

    Reads go through :meth:`read`, from any thread. Every write goes through
    :meth:`transaction`, one at a time: two DuckDB transactions that touch the same row
    make the later one fail at commit, so they must not overlap.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file at ``path`` and bring its schema up to date.

        Raises LabelingError with one sentence when the file is in use by another process,
        is no DuckDB file, cannot be written, or was written by a newer version.
        """
        self.path = path
        self.lock = threading.RLock()
        self._open: duckdb.DuckDBPyConnection | None = None
        self._connection = _connect(path)
        self.created = _migrate(self._connection, path)

    @contextmanager
    def read(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield a cursor of its own, to be used by the calling thread only."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(f"USE {CATALOG}")
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Yield the cursor of the one write transaction; commit at the end.

        Rolls back on any exception (an interrupt included). Nested use joins the outer
        transaction.
        """
        with self.lock:
            if self._open is not None:
                yield self._open
                return
            with self.read() as cursor:
                cursor.execute("BEGIN TRANSACTION")
                self._open = cursor
                try:
                    yield cursor
                    cursor.execute("COMMIT")
                except BaseException:
                    _roll_back(cursor)
                    raise
                finally:
                    self._open = None

    def files(self, *parts: str) -> Path:
        """Return a folder beside the database file for caches; it is created if missing."""
        folder = self.path.with_name(self.path.name + ".files").joinpath(*parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        """Close the file; another process may open it then."""
        with self.lock:
            self._connection.close()


def _roll_back(cursor: duckdb.DuckDBPyConnection) -> None:
    with suppress(duckdb.TransactionException):  # a failed COMMIT has ended it already
        cursor.execute("ROLLBACK")


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    # Attached under a name of ours: opened directly, a file called labeling.duckdb would be a
    # catalog of the same name as the schema, and DuckDB refuses to guess which is meant.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
        connection.execute("SET GLOBAL TimeZone = 'UTC'")  # 1.5 does not take it at connecting
        connection.execute(f"ATTACH {literal(str(path))} AS {CATALOG}")
        connection.execute(f"USE {CATALOG}")
    except (duckdb.Error, OSError) as error:
        raise LabelingError(_sentence(path, error)) from error
    return connection


def _sentence(path: Path, error: Exception) -> str:
    text = str(error)
    if "lock is held" in text or "already open" in text or "being used by another" in text:
        holder = re.search(r"\(PID (\d+)\)", text)
        who = f" (process {holder[1]})" if holder else ""
        return (
            f"The database {path} is open in another process{who}: close that one first, or "
            "set LABELING_DATABASE to another file."
        )
    if "newer version" in text or "read a database file with version number" in text:
        return (
            f"The database {path} was written by a newer DuckDB: update with "
            "`python -m pip install --upgrade duckdb`, or set LABELING_DATABASE to another file."
        )
    if "not a valid DuckDB" in text or isinstance(error, duckdb.SerializationException):
        return (
            f"The file {path} is not a DuckDB database: move it away, or set LABELING_DATABASE "
            "to another file."
        )
    return (
        f"The database {path} cannot be opened for writing ({text.splitlines()[0][:160]}): "
        "check the folder's permissions, or set LABELING_DATABASE to a file you may write."
    )


def _migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Apply what is missing of MIGRATIONS; return whether the schema was made anew."""
    try:
        connection.execute("CREATE SCHEMA IF NOT EXISTS labeling")
        connection.execute("CREATE SCHEMA IF NOT EXISTS labeling_pool")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS labeling.migrations "
            "(version INTEGER, name VARCHAR, applied TIMESTAMPTZ)"
        )
    except duckdb.Error as error:
        connection.close()
        raise LabelingError(_sentence(path, error)) from error
    row = connection.execute("SELECT coalesce(max(version), 0) FROM labeling.migrations").fetchone()
    version = row[0] if row else 0
    if version > len(MIGRATIONS):
        connection.close()
        raise LabelingError(
            f"The database {path} has schema version {version}, this program knows up to "
            f"{len(MIGRATIONS)}: update the program, or set LABELING_DATABASE to another file."
        )
    for number, (name, sql) in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN TRANSACTION")
        connection.execute(sql)
        connection.execute(
            "INSERT INTO labeling.migrations VALUES (?, ?, ?)", [number, name, now()]
        )
        connection.execute("COMMIT")
    return version == 0


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
