"""An import of labels in the tables of a project: metadata and labels, by sets and not one by one.

Works on the temporary table ``import_taken`` (see label_plan.taken_rows).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from labeling_core.projects import final_labels, queries, samples
from labeling_core.projects.labels import standing
from labeling_core.projects.overlap import ADJUDICATION, Overlap
from labeling_core.settings import Project
from labeling_core.store.imports import Import, touched_since

_COLUMNS = ("label_id", "sample_id", "status", "label", "comment", "session_id", "annotator",
            "labeled_at", "origin", "seconds")  # fmt: skip


class Taken(NamedTuple):
    """One annotation as it is stored."""

    label_id: int
    place: int
    sample_id: str
    status: str
    category: str | None
    annotator: str
    comment: str | None


def highest_label_id(cursor: duckdb.DuckDBPyConnection, project: Project) -> int:
    """The highest label id of the metadata table; 0 without one."""
    tables = project.tables
    row = cursor.execute(f"SELECT max({tables.label_id}) FROM {tables.metadata}").fetchone()
    return int(row[0] or 0) if row else 0


def labeled(cursor: duckdb.DuckDBPyConnection, project: Project) -> int:
    """How many samples have a label that counts."""
    row = cursor.execute(f"SELECT count(*) FROM ({standing(project.settings)})").fetchone()
    return int(row[0]) if row else 0


def _rows(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return [dict(zip(_COLUMNS, row, strict=True)) for row in found.fetchall()]


def _selected(project: Project) -> str:
    """The columns of the metadata table ``m``; the moment in microseconds since the epoch."""
    tables = project.tables
    return (
        f"m.{tables.label_id}, m.sample_id, m.status, m.{tables.label}, m.comment, m.session_id, "
        "m.annotator, epoch_us(m.labeled_at), m.origin, m.seconds"
    )


def replaced_rows(cursor: duckdb.DuckDBPyConnection, project: Project) -> list[dict[str, Any]]:
    """The decisions that give way to what is taken: where one person decides all of a sample,
    where several do those of the same person."""
    found = cursor.execute(
        f"SELECT {_selected(project)} FROM {project.tables.metadata} AS m WHERE EXISTS ("
        "SELECT 1 FROM import_taken AS t WHERE t.sample_id = m.sample_id "
        "AND t.fate IN ('conflict', 'same') AND (t.annotator = m.annotator "
        "OR t.place NOT IN (SELECT place FROM import_shared)) AND (m.origin <> ? "
        "OR t.place NOT IN (SELECT place FROM import_shared))) "
        f"ORDER BY m.{project.tables.label_id}",
        [ADJUDICATION],
    )
    return _rows(found)


def write(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    first: int,
    nobody: str,
    moment: datetime,
    replaced: Sequence[Mapping[str, Any]],
) -> list[Taken]:
    """Store what is taken, with label ids from ``first`` on; who is not named is ``nobody``, and
    what has no time is of this ``moment``."""
    _affect(cursor, "SELECT sample_id FROM import_taken")
    _clear(cursor, project)
    _delete(cursor, project, [row["label_id"] for row in replaced])
    session = cursor.execute(
        "SELECT max(session_id) FROM labeling.sessions WHERE project_id = ? AND state = 'DONE'",
        [project.project_id],
    ).fetchone()
    cursor.execute(
        f"INSERT INTO {project.tables.metadata} SELECT ? - 1 + nth, sample_id, status, category, "
        "comment, ?, coalesce(nullif(annotator, ''), ?), coalesce(labeled_at, ?), 'import', 0 "
        "FROM import_taken ORDER BY nth",
        [first, int(session[0] or 0) if session else 0, nobody, moment],
    )
    finish(cursor, project)
    rows = cursor.execute(
        "SELECT ? - 1 + nth, place, sample_id, status, category, "
        "coalesce(nullif(annotator, ''), ?), comment FROM import_taken ORDER BY nth",
        [first, nobody],
    ).fetchall()
    return [Taken(*row) for row in rows]


def _affect(cursor: duckdb.DuckDBPyConnection, query: str, *values: Any) -> None:
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE import_affected AS SELECT DISTINCT sample_id FROM ({query})",
        list(values),
    )


def _clear(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Take the final labels of what is affected out of the labels table."""
    tables = project.tables
    cursor.execute(
        f"DELETE FROM {tables.labels} WHERE {tables.label_id} IN (SELECT {tables.label_id} "
        f"FROM {tables.metadata} WHERE sample_id IN (SELECT sample_id FROM import_affected))"
    )


def _delete(cursor: duckdb.DuckDBPyConnection, project: Project, label_ids: Sequence[int]) -> None:
    if label_ids:
        cursor.execute(
            f"DELETE FROM {project.tables.metadata} WHERE {project.tables.label_id} IN "
            "(SELECT unnest(?::BIGINT[]))",
            [list(label_ids)],
        )


def finish(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Write the final labels of what is affected, as they follow from the metadata table."""
    tables = project.tables
    overlap = Overlap(project.settings, project.samples)
    final_labels.load(cursor, project, overlap)
    rows = cursor.execute("SELECT sample_id FROM import_affected").fetchall()
    affected = {sample_id for (sample_id,) in rows}
    shared = [each for key, each in overlap.shared.items() if key in affected]
    cursor.execute(
        f"INSERT INTO {tables.labels} SELECT s.{samples.SOURCE_COLUMNS}, m.{tables.label}, "
        f"m.{tables.label_id} FROM (SELECT sample_id AS __of, {tables.label}, {tables.label_id} "
        f"FROM {tables.metadata} WHERE status = 'LABELED' "
        "AND sample_id IN (SELECT sample_id FROM import_affected) "
        "AND sample_id NOT IN (SELECT unnest(?::VARCHAR[]))) AS m "
        f"JOIN {samples.table(project.project_id)} AS s ON s.{samples.SAMPLE_ID} = m.__of "
        f"ORDER BY m.{tables.label_id}",
        [[each.sample_id for each in shared]],
    )
    final_labels.write(
        cursor,
        project,
        [final_labels.Change(each.position, None, each.final) for each in shared],
    )


def unmeasured(cursor: duckdb.DuckDBPyConnection, project: Project) -> list[str]:
    """The samples on places kept for probes that do not measure from now on, as the import names
    them: once it takes samples out of the draw that is still to come, those of the same kind that
    were drawn before would be over-represented."""
    if project.settings.test_table:
        return []
    rows = cursor.execute(
        "SELECT DISTINCT sample_id, place IN (SELECT place FROM import_taken "
        "WHERE fate IN ('new', 'further')) FROM import_fates WHERE place < ? AND fate NOT IN "
        "('unknown category', 'retired category') ORDER BY 1",
        [project.probe_limit],
    ).fetchall()
    return [sample_id for sample_id, _ in rows] if any(taken for _, taken in rows) else []


def remove(
    cursor: duckdb.DuckDBPyConnection, project: Project, which: Import
) -> tuple[list[dict[str, Any]], int]:
    """Delete the decisions of an import, but for those that somebody has touched since: the rows
    that are gone, and how many stay."""
    tables, touched = project.tables, touched_since(cursor, project.project_id, which)
    gone = _rows(
        cursor.execute(
            f"SELECT {_selected(project)} FROM {tables.metadata} AS m WHERE m.{tables.label_id} "
            f"BETWEEN ? AND ? AND m.{tables.label_id} NOT IN (SELECT unnest(?::BIGINT[])) "
            f"ORDER BY m.{tables.label_id}",
            [which.first, which.last, touched],
        )
    )
    _affect(cursor, "SELECT unnest(?::VARCHAR[]) AS sample_id", [row["sample_id"] for row in gone])
    _clear(cursor, project)
    _delete(cursor, project, [row["label_id"] for row in gone])
    row = cursor.execute(
        f"SELECT count(*) FROM {tables.metadata} WHERE {tables.label_id} BETWEEN ? AND ?",
        [which.first, which.last],
    ).fetchone()
    return gone, int(row[0]) if row else 0


def put_back(
    cursor: duckdb.DuckDBPyConnection, project: Project, rows: Sequence[Mapping[str, Any]]
) -> int:
    """Put decisions back that an import had replaced, where the sample has been freed again."""
    if not rows:
        return 0
    kinds = ("BIGINT", "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", "INTEGER", "VARCHAR", "BIGINT",
             "VARCHAR", "DOUBLE")  # fmt: skip
    listed = ", ".join(f"unnest(?::{kind}[]) AS {name}"
                       for name, kind in zip(_COLUMNS, kinds, strict=True))  # fmt: skip
    row = cursor.execute(
        f"INSERT INTO {project.tables.metadata} SELECT label_id, sample_id, status, label, "
        "comment, session_id, annotator, make_timestamptz(labeled_at), origin, seconds "
        f"FROM (SELECT {listed}) AS r "
        "WHERE sample_id IN (SELECT sample_id FROM import_affected) AND NOT EXISTS (SELECT 1 "
        f"FROM {project.tables.metadata} AS m WHERE m.sample_id = r.sample_id "
        "AND m.annotator = r.annotator AND m.origin = r.origin) ORDER BY label_id",
        [[each[name] for each in rows] for name in _COLUMNS],
    ).fetchone()
    return int(row[0]) if row else 0


def return_to_pool(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    gone: Sequence[Mapping[str, Any]],
    stored: Mapping[int, Mapping[str, Any]],
) -> None:
    """Samples that nobody has decided any more stand in the queries again as they stood."""
    rows = cursor.execute(
        f"SELECT s.{samples.SAMPLE_ID}, s.{samples.PLACE} FROM "
        f"{samples.keys(project.project_id)} AS s WHERE s.{samples.SAMPLE_ID} IN "
        f"(SELECT sample_id FROM import_affected) AND s.{samples.SAMPLE_ID} NOT IN "
        f"(SELECT sample_id FROM {project.tables.metadata})"
    ).fetchall()
    free = dict(rows)
    asked = {row["sample_id"]: stored.get(row["label_id"], {}).get("asked") for row in gone}
    wanted = [(free[key], each) for key, each in asked.items() if each and key in free]
    if wanted:
        names = ("uncertainty", "prediction", "session_id", "rank")
        cursor.execute(
            f"INSERT INTO {queries.table(project.project_id)} SELECT unnest(?::INTEGER[]), "
            "unnest(?::DOUBLE[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]), unnest(?::INTEGER[])",
            [
                [place for place, _ in wanted],
                *([each[name] for _, each in wanted] for name in names),
            ],
        )
