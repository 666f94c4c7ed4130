"""The samples of a project: its source, shuffled once, each with a place and an id.

The table ``labeling.samples_<project>`` is a snapshot of the source. Its ``place`` 0..N-1
is a seeded random order: a prefix of it is a uniform random draw, which is what probes and
the order before the first session need, and looking up a few places in a table sorted by
them is quick at any size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.database import columns, quote
from labeling_core.errors import LabelingError

PLACE, SAMPLE_ID, PRESENT = "__place", "__sample_id", "__present"
SOURCE_COLUMNS = f"* EXCLUDE ({PLACE}, {SAMPLE_ID}, {PRESENT})"


class Change(NamedTuple):
    """What a refresh found: rows that are new, and rows that are gone from the source."""

    added: int
    vanished: int


def table(project_id: str) -> str:
    """The quoted, qualified name of the project's sample table."""
    return f"labeling.{quote('samples_' + project_id)}"


def count(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """How many samples the project has, vanished ones included."""
    row = cursor.execute(f"SELECT count(*) FROM {table(project_id)}").fetchone()
    return int(row[0]) if row else 0


def fingerprint(cursor: duckdb.DuckDBPyConnection, source: str) -> str:
    """A hash of the columns and rows of ``main.source``, whatever the order of its rows."""
    row = cursor.execute(
        f"SELECT count(*), sum(hash(s)::HUGEINT) FROM main.{quote(source)} AS s"
    ).fetchone()
    names = ",".join(f"{name}:{kind}" for name, kind in columns(cursor, source))
    digest = cursor.execute("SELECT md5(?)", [f"{row}{names}"]).fetchone()
    return str(digest[0]) if digest else ""


def create(
    cursor: duckdb.DuckDBPyConnection, project_id: str, source: str, seed: int
) -> tuple[int, str]:
    """Make (or remake) the sample table from ``main.source``: (rows, fingerprint).

    The sample_id of a row is its number in the source, from 1; identical rows are samples
    of their own.
    """
    cursor.execute(
        f"""
        CREATE OR REPLACE TABLE {table(project_id)} AS
        WITH numbered AS (
            SELECT row_number() OVER () AS __number, * FROM main.{quote(source)}
        )
        SELECT (row_number() OVER (ORDER BY hash(__number, ?::BIGINT), __number) - 1)::INTEGER
                   AS {PLACE},
               __number::VARCHAR AS {SAMPLE_ID}, true AS {PRESENT}, * EXCLUDE (__number)
        FROM numbered ORDER BY 1
        """,
        [seed],
    )
    return count(cursor, project_id), fingerprint(cursor, source)


def refresh(cursor: duckdb.DuckDBPyConnection, project_id: str, source: str, seed: int) -> Change:
    """Take over what has changed in the source; samples keep their ids and their labels.

    Rows are told apart by content and, among identical ones, by how many there are. New
    rows are appended; rows that are gone stay in the sample table but leave the pool, and
    come back if they reappear. Raises LabelingError when the columns have changed.
    """
    known = cursor.execute(f"SELECT * FROM {table(project_id)} LIMIT 0").description or []
    names = [each[0] for each in known[3:]]
    if names != [name for name, _ in columns(cursor, source)]:
        raise LabelingError(
            f"The columns of the table “{source}” are not what they were when the project began: "
            "restore them, or make a new project for the new table.",
            "source",
        )
    listed = ", ".join(quote(name) for name in names)
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE matched AS
        WITH old AS (
            SELECT {PLACE} AS place, h, row_number() OVER (PARTITION BY h ORDER BY {PLACE}) AS nth
            FROM (SELECT {PLACE}, hash(row({listed})) AS h FROM {table(project_id)})
        ), new AS (
            SELECT number, h, row_number() OVER (PARTITION BY h ORDER BY number) AS nth
            FROM (SELECT row_number() OVER () AS number, hash(row({listed})) AS h
                  FROM main.{quote(source)})
        )
        SELECT place, number FROM old FULL JOIN new USING (h, nth)
        """
    )
    before = count(cursor, project_id)
    cursor.execute(
        f"UPDATE {table(project_id)} SET {PRESENT} = (number IS NOT NULL) FROM matched "
        f"WHERE place = {PLACE} AND {PRESENT} <> (number IS NOT NULL)"
    )
    cursor.execute(
        f"""
        INSERT INTO {table(project_id)}
        WITH numbered AS (SELECT row_number() OVER () AS __number, * FROM main.{quote(source)})
        SELECT ? + row_number() OVER (ORDER BY hash(__number, ?::BIGINT), __number) - 1,
               (? + row_number() OVER (ORDER BY __number))::VARCHAR, true, * EXCLUDE (__number)
        FROM numbered
        WHERE __number IN (SELECT number FROM matched WHERE place IS NULL)
        ORDER BY 1
        """,
        [before, seed, before],
    )
    row = cursor.execute(
        "SELECT count(*) FILTER (place IS NULL), count(*) FILTER (number IS NULL) FROM matched"
    ).fetchone()
    cursor.execute("DROP TABLE matched")
    return Change(*row) if row else Change(0, 0)


def ids(
    cursor: duckdb.DuckDBPyConnection, project_id: str, places: Sequence[int]
) -> dict[int, str]:
    """The sample_ids at ``places``, by place."""
    rows = cursor.execute(
        f"SELECT {PLACE}, {SAMPLE_ID} FROM {table(project_id)} "
        f"WHERE {PLACE} IN (SELECT unnest(?::INTEGER[]))",
        [list(places)],
    ).fetchall()
    return dict(rows)


class Sample(NamedTuple):
    """A sample as its source holds it: its id and its fields as (column, type, value)."""

    sample_id: str
    fields: list[tuple[str, str, object]]


def read(
    cursor: duckdb.DuckDBPyConnection, project_id: str, places: Sequence[int]
) -> dict[int, Sample]:
    """The samples at ``places``, by place."""
    if not places:
        return {}
    found = cursor.execute(
        f"SELECT * FROM {table(project_id)} WHERE {PLACE} IN (SELECT unnest(?::INTEGER[]))",
        [list(places)],
    )
    heads = [(each[0], str(each[1])) for each in found.description or []][3:]
    return {
        row[0]: Sample(
            row[1],
            [(name, kind, value) for (name, kind), value in zip(heads, row[3:], strict=True)],
        )
        for row in found.fetchall()
    }
