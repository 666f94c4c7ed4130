"""The internal tables, as the steps that make them."""

from __future__ import annotations

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
)


def migrate(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    """Apply what is missing of MIGRATIONS; return whether the schema was made anew.

    Raises LabelingError when the file was written by a newer version of the program.
    """
    connection.execute("CREATE SCHEMA IF NOT EXISTS labeling")
    connection.execute("CREATE SCHEMA IF NOT EXISTS labeling_pool")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS labeling.migrations "
        "(version INTEGER, name VARCHAR, applied TIMESTAMPTZ)"
    )
    row = connection.execute("SELECT coalesce(max(version), 0) FROM labeling.migrations").fetchone()
    version = row[0] if row else 0
    if version > len(MIGRATIONS):
        raise LabelingError(
            f"The database {path} has schema version {version}, this program knows up to "
            f"{len(MIGRATIONS)}: update the program, or set LABELING_DATABASE to another file."
        )
    for number, (name, sql) in enumerate(MIGRATIONS[version:], start=version + 1):
        connection.execute("BEGIN TRANSACTION")
        connection.execute(sql)
        connection.execute(
            "INSERT INTO labeling.migrations VALUES (?, ?, ?)", [number, name, datetime.now(UTC)]
        )
        connection.execute("COMMIT")
    return version == 0
