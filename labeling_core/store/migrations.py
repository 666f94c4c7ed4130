"""The internal tables, as the steps that make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import quote


def _move_pools(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring what version 0.1 kept of each pool beside the program's own tables to its place.

    The queries are a view on it, which names its tables.
    """
    views = connection.execute(
        "SELECT view_name, sql FROM duckdb_views() "
        "WHERE database_name = current_database() AND schema_name = 'main' AND NOT internal"
    ).fetchall()
    moved = connection.execute(
        "SELECT table_name FROM duckdb_tables(), labeling.projects "
        "WHERE database_name = current_database() AND schema_name = 'labeling' "
        "AND table_name IN ('samples_' || project_id, 'scores_' || project_id)"
    ).fetchall()
    for (name,) in moved:
        connection.execute(
            f"CREATE TABLE labeling_pool.{quote(name)} AS FROM labeling.{quote(name)}"
        )
        connection.execute(f"DROP TABLE labeling.{quote(name)}")
    for view, sql in views:
        there = sql
        for written in (each for (name,) in moved for each in (name, quote(name))):
            there = there.replace(f"labeling.{written} ", f"labeling_pool.{written} ")
        if there != sql:
            connection.execute(f"DROP VIEW main.{quote(view)}")
            connection.execute(there)


Step = str | Callable[[duckdb.DuckDBPyConnection], None]
# Each entry, SQL or a function, runs once, in order, and is recorded in labeling.migrations. Never
# edit one that has been released: append another.
MIGRATIONS: tuple[tuple[str, Step], ...] = (
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
        "people",
        "CREATE TABLE labeling.people (who VARCHAR, project_id VARCHAR, role VARCHAR, "
        "added_by VARCHAR, added TIMESTAMPTZ)",
    ),
    (
        "label errors",
        """
        CREATE TABLE labeling.label_checks (
            project_id VARCHAR, checked TIMESTAMPTZ, classifier VARCHAR, labels INTEGER,
            last_event BIGINT
        );
        CREATE TABLE labeling.label_findings (
            project_id VARCHAR, rank INTEGER, sample_id VARCHAR, label_id BIGINT, label VARCHAR,
            given_probability DOUBLE, likely BOOLEAN, suggested VARCHAR,
            suggested_probability DOUBLE, prediction VARCHAR, prediction_probability DOUBLE
        );
        """,
    ),
    (
        "final models",
        """
        CREATE TABLE labeling.final_models (
            project_id VARCHAR, trained TIMESTAMPTZ, labels INTEGER, last_event BIGINT,
            card VARCHAR, model BLOB
        );
        """,
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
    (
        "names of browsers",
        "CREATE TABLE labeling.names (browser VARCHAR, name VARCHAR)",
    ),
    (
        "which places a session's model was kept from",
        """
        ALTER TABLE labeling.sessions ADD COLUMN probe_limit INTEGER;
        UPDATE labeling.sessions SET probe_limit = (
            SELECT p.probe_limit FROM labeling.projects AS p
            WHERE p.project_id = sessions.project_id
        );
        """,
    ),
    (
        "by which blocks of time probes of windows were drawn",
        "ALTER TABLE labeling.projects ADD COLUMN probe_block DOUBLE DEFAULT 0",
    ),
    ("pools in a schema of their own", _move_pools),
    (
        "which categories a session's model took for which",
        "ALTER TABLE labeling.sessions ADD COLUMN taken VARCHAR",
    ),
)


BeforeUpgrade = Callable[[duckdb.DuckDBPyConnection, Path, int], None]


def migrate(connection: duckdb.DuckDBPyConnection, path: Path, before: BeforeUpgrade) -> bool:
    """Apply what is missing of MIGRATIONS, all or nothing; whether the schema was made anew.

    ``before`` is called with the connection, the path and the version that there is, before
    anything is changed in a file that has a schema already.

    Raises LabelingError when the file was written by a newer version of the program, or by one
    whose steps were others, and where a step cannot be taken.
    """
    done = _done(connection)
    _require_known(done, path)
    if 0 < len(done) < len(MIGRATIONS):
        before(connection, path, len(done))
    connection.execute("BEGIN TRANSACTION")
    try:
        for number, (name, step) in enumerate(MIGRATIONS[len(done) :], start=len(done) + 1):
            _take(connection, path, f"{number} (“{name}”)", step)
            connection.execute(
                "INSERT INTO labeling.migrations VALUES (?, ?, ?)",
                [number, name, datetime.now(UTC)],
            )
    except BaseException:
        with suppress(duckdb.Error):  # it may have ended the transaction itself
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    return not done


def _take(connection: duckdb.DuckDBPyConnection, path: Path, name: str, step: Step) -> None:
    try:
        if callable(step):
            step(connection)
        else:
            connection.execute(step)
    except duckdb.Error as error:
        raise LabelingError(
            f"The database {path} could not be upgraded: step {name} failed "
            f"({str(error).splitlines()[0][:160]}). It is as it was: use the version of the "
            "program that wrote it, or put back a backup with `python -m labeling_core restore`."
        ) from error


def _done(connection: duckdb.DuckDBPyConnection) -> list[tuple[int, str]]:
    """``(version, name)`` of the steps that a file has behind it, in their order."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS labeling")
    connection.execute("CREATE SCHEMA IF NOT EXISTS labeling_pool")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS labeling.migrations "
        "(version INTEGER, name VARCHAR, applied TIMESTAMPTZ)"
    )
    return connection.execute(
        "SELECT version, name FROM labeling.migrations ORDER BY version"
    ).fetchall()


def _require_known(done: Sequence[tuple[int, str]], path: Path) -> None:
    version = max((number for number, _ in done), default=0)
    if version > len(MIGRATIONS):
        raise LabelingError(
            f"The database {path} has schema version {version}, this program knows up to "
            f"{len(MIGRATIONS)}: update the program, or set LABELING_DATABASE to another file."
        )
    known = [(number, name) for number, (name, _) in enumerate(MIGRATIONS, start=1)]
    for (number, name), step in zip(done, known, strict=False):
        if (number, name) != step:
            raise LabelingError(
                f"Step {number} of the database {path} is “{name}”, where this program has "
                f"“{step[1]}”: it was written by another program. Use that one, or set "
                "LABELING_DATABASE to another file."
            )
