"""The samples of a project: its source, shuffled once, each with a position and an id.

The source is a table, or a folder: then its files are the rows, with their ``path`` as the only
column and as the sample_id.

The table ``labeling_pool.samples_<project>`` is a snapshot of the source. Its ``position`` 0..N-1
is a seeded random order: a prefix of it is a uniform random draw, which is what probes and
the order before the first session need, and looking up a few positions in a table sorted by
them is quick at any size. The schema is not ``labeling`` because the queries view names it:
in a file called labeling.duckdb, opened by an analyst, that word would be ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import source_of
from labeling_core.settings import Settings, quote
from labeling_core.sources.sample_sources import Listed
from labeling_core.store.exporting import beside

PLACE, SAMPLE_ID, PRESENT = "__place", "__sample_id", "__present"
RESERVED = (PLACE, SAMPLE_ID, PRESENT, "__number")  # no column of a source may be called so
SOURCE_COLUMNS = f"* EXCLUDE ({PLACE}, {SAMPLE_ID}, {PRESENT})"


class Change(NamedTuple):
    """What a refresh found: rows that are new, and rows that are gone from the source."""

    added: int
    vanished: int

    def told(self) -> str:
        """In words: a row has no name of its own, so that a changed one is another row."""
        both = self.added and self.vanished
        more = " A row of which a value has changed counts as one new and one gone." if both else ""
        return f"{self.added:,} new samples, {self.vanished:,} gone.{more}"


def table(project_id: str) -> str:
    """The quoted, qualified name of the project's sample table."""
    return f"labeling_pool.{quote('samples_' + project_id)}"


def keys(project_id: str) -> str:
    """Place, id and presence of the samples, to be joined by queries with columns of their own.

    A column of the source could bear the name of one of those, which SQL would then take instead.
    """
    return f"(SELECT {PLACE}, {SAMPLE_ID}, {PRESENT} FROM {table(project_id)})"


def count(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """How many samples the project has, vanished ones included."""
    row = cursor.execute(f"SELECT count(*) FROM {table(project_id)}").fetchone()
    return int(row[0]) if row else 0


def kept_columns(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[tuple[str, str]]:
    """``(name, type)`` of the source's own columns as they were taken over, in their order."""
    found = cursor.execute(f"SELECT {SOURCE_COLUMNS} FROM {table(project_id)} LIMIT 0")
    return [(each[0], str(each[1])) for each in found.description or []]


def listed(cursor: duckdb.DuckDBPyConnection, project_id: str, ours: Sequence[str]) -> str:
    """The source's own columns of the sample table ``s``, for a SELECT, under the names that they
    have beside ``ours`` (see exporting.beside)."""
    names = beside([name for name, _ in kept_columns(cursor, project_id)], ours)
    return ", ".join(
        f"s.{quote(name)}" + (f" AS {quote(new)}" if new != name else "")
        for name, new in names.items()
    )


def source_columns(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> list[tuple[str, str]]:
    """``(name, type)`` of the columns that a sample has; empty if there is no such table."""
    return source_of(settings).columns(cursor, settings.source)


def source_exists(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> bool:
    """Whether the table or the folder is (still) there."""
    return source_of(settings).exists(cursor, settings.source)


def fingerprint(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> str:
    """A hash of the source's columns and rows, or of its files' names, sizes and dates,
    whatever their order."""
    versions = source_of(settings).versions(cursor, settings.source)
    row = cursor.execute(
        f"SELECT count(*), sum(hash(__row)::HUGEINT) FROM {versions} AS __row"
    ).fetchone()
    names = ",".join(f"{name}:{kind}" for name, kind in source_columns(cursor, settings))
    digest = cursor.execute("SELECT md5(?)", [f"{row}{names}"]).fetchone()
    return str(digest[0]) if digest else ""


def create(
    cursor: duckdb.DuckDBPyConnection, project_id: str, settings: Settings
) -> tuple[int, str]:
    """Make (or remake) the sample table from the source: (rows, fingerprint).

    The sample_id of a table's row is its number in the source, from 1; identical rows are
    samples of their own.
    """
    source = source_of(settings).listed(cursor, settings.source)
    cursor.execute(
        f"""
        CREATE OR REPLACE TABLE {table(project_id)} AS
        WITH numbered AS NOT MATERIALIZED (
            SELECT row_number() OVER () AS __number, * FROM {source.rows}
        ), keys AS (
            SELECT __number, {source.sample_id} AS {SAMPLE_ID},
                   (row_number() OVER (ORDER BY hash(__number, $seed::BIGINT), __number) - 1)
                       ::INTEGER AS {PLACE}
            FROM numbered
        )
        SELECT {PLACE}, {SAMPLE_ID}, true AS {PRESENT},
               numbered.* EXCLUDE (__number)
        FROM numbered JOIN keys USING (__number) ORDER BY 1
        """,
        _given(source.sample_id, seed=settings.seed, before=0),
    )
    return count(cursor, project_id), fingerprint(cursor, settings)


def _given(sql: str, seed: int, before: int) -> dict[str, int]:
    """The parameters; DuckDB refuses ``before`` where the id's ``sql`` does not ask for it."""
    return {"seed": seed} | ({"before": before} if "$before" in sql else {})


def refresh(cursor: duckdb.DuckDBPyConnection, project_id: str, settings: Settings) -> Change:
    """Take over what has changed in the source; samples keep their ids and their labels.

    Rows are told apart by content and, among identical ones, by how many there are. New
    rows are appended; rows that are gone stay in the sample table but leave the pool, and
    come back if they reappear. Raises LabelingError when the columns have changed.
    """
    source = source_of(settings).listed(cursor, settings.source)
    content = _content(cursor, project_id, settings)
    _match(cursor, project_id, source, content)
    before = count(cursor, project_id)
    cursor.execute(
        f"UPDATE {table(project_id)} SET {PRESENT} = (matched.number IS NOT NULL) FROM matched "
        f"WHERE matched.place = {PLACE} AND {PRESENT} <> (matched.number IS NOT NULL)"
    )
    cursor.execute(
        f"""
        INSERT INTO {table(project_id)}
        WITH numbered AS (SELECT row_number() OVER () AS __number, * FROM {source.rows})
        SELECT {before} + row_number() OVER (ORDER BY hash(__number, $seed::BIGINT), __number) - 1,
               {source.sample_id}, true, * EXCLUDE (__number)
        FROM numbered
        WHERE __number IN (SELECT number FROM matched WHERE place IS NULL)
        ORDER BY 1
        """,
        _given(source.sample_id, seed=settings.seed, before=before),
    )
    row = cursor.execute(
        "SELECT count(*) FILTER (place IS NULL), count(*) FILTER (number IS NULL) FROM matched"
    ).fetchone()
    cursor.execute("DROP TABLE matched")
    return Change(*row) if row else Change(0, 0)


def _content(cursor: duckdb.DuckDBPyConnection, project_id: str, settings: Settings) -> str:
    """SQL for what tells the source's rows apart: a hash of their values, by the types of before.

    Raises LabelingError when the columns have changed, or hold what they could not before.
    """
    kept, found = kept_columns(cursor, project_id), source_columns(cursor, settings)
    if [name for name, _ in kept] != [name for name, _ in found]:
        raise LabelingError(
            f"The columns of the table “{settings.source}” are not what they were when the project "
            "began: restore them, or make a new project for the new table.",
            "source",
        )
    source_of(settings).require_values(cursor, settings.source, kept, found)
    values = ", ".join(
        quote(name) + (f"::{before}" if before != after else "")
        for (name, before), (_, after) in zip(kept, found, strict=True)
    )
    return f"hash(row({values}))"


def _match(
    cursor: duckdb.DuckDBPyConnection, project_id: str, source: Listed, content: str
) -> None:
    """Make the table ``matched``: the position of each sample beside the number of its row in the
    source; no position for a new row, no number for one that is gone. ``content`` is SQL for what
    tells rows apart."""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE matched AS
        WITH old AS (
            SELECT {PLACE} AS place, h, row_number() OVER (PARTITION BY h ORDER BY {PLACE}) AS nth
            FROM (SELECT {PLACE}, {content} AS h FROM {table(project_id)})
        ), new AS (
            SELECT number, h, row_number() OVER (PARTITION BY h ORDER BY number) AS nth
            FROM (SELECT row_number() OVER () AS number, {content} AS h
                  FROM {source.rows})
        )
        SELECT place, number FROM old FULL JOIN new USING (h, nth)
        """
    )


class Sample(NamedTuple):
    """A sample as its source holds it: its id and its fields as (column, type, value)."""

    sample_id: str
    fields: list[tuple[str, str, object]]


def read(
    cursor: duckdb.DuckDBPyConnection, project_id: str, positions: Sequence[int]
) -> dict[int, Sample]:
    """The samples at ``positions``, by position."""
    if not positions:
        return {}
    found = cursor.execute(
        f"SELECT * FROM {table(project_id)} WHERE {PLACE} IN (SELECT unnest(?::INTEGER[]))",
        [list(positions)],
    )
    heads = [(each[0], str(each[1])) for each in found.description or []][3:]
    return {
        row[0]: Sample(
            row[1],
            [(name, kind, value) for (name, kind), value in zip(heads, row[3:], strict=True)],
        )
        for row in found.fetchall()
    }
