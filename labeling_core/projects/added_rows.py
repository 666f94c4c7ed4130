"""Rows of another file of the same shape, added to the table that a project labels."""

from __future__ import annotations

from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.projects.lifecycle import list_projects
from labeling_core.settings import Project, quote
from labeling_core.sources import importing
from labeling_core.sources.parquet_folders import is_pattern
from labeling_core.sources.uploads import Upload
from labeling_core.store.database import columns

_SCRATCH = "__rows to add"


class Added(NamedTuple):
    """How many rows were added, and how many of the file were in the table already."""

    rows: int
    known: int


def also_used_by(cursor: duckdb.DuckDBPyConnection, project: Project) -> list[Project]:
    """The other projects that label, or measure on, the table of this one."""
    table = project.settings.source.lower()
    return [
        each
        for each in list_projects(cursor)
        if each.project_id != project.project_id
        and table in (each.settings.source.lower(), each.settings.test_table.lower())
    ]


def append(
    cursor: duckdb.DuckDBPyConnection, project: Project, upload: Upload, again: bool = False
) -> Added:
    """Append the rows of an upload to the source of ``project``, within the caller's transaction.

    Columns are compared by name; their order does not matter. Rows that are in the table already
    are left out unless ``again``. Raises LabelingError (``field="rows"``) with the column or the
    cell that does not fit.
    """
    table, name = project.settings.source, upload.preview.name
    if is_pattern(table):
        raise _mistake(f"The rows come from the files “{table}”: add a file beside them")
    ours = columns(cursor, table)
    _require_table(cursor, table)
    pairs = _pairs(ours, upload.preview.columns, table, name)
    importing.load(cursor, upload.path, upload.preview, _SCRATCH)
    _require_values(cursor, ours, dict(columns(cursor, _SCRATCH)), pairs, name)
    cast = ", ".join(f"{quote(pairs[own])}::{kind} AS {quote(own)}" for own, kind in ours)
    named = ", ".join(quote(own) for own, _ in ours)
    content = f"hash(row({named}))"
    nth = "row_number() OVER (PARTITION BY h ORDER BY __at)"
    new = "true" if again else "(h, nth) NOT IN (SELECT (h, nth) FROM old)"
    before = _count(cursor, table)
    cursor.execute(
        f"""
        INSERT INTO main.{quote(table)} ({named})
        WITH old AS (
            SELECT h, {nth} AS nth
            FROM (SELECT {content} AS h, rowid AS __at FROM main.{quote(table)})
        ), given AS (
            SELECT *, {content} AS h, __number AS __at
            FROM (SELECT rowid AS __number, {cast} FROM main.{quote(_SCRATCH)})
        )
        SELECT {named} FROM (SELECT *, {nth} AS nth FROM given) WHERE {new} ORDER BY __at
        """
    )
    cursor.execute(f"DROP TABLE main.{quote(_SCRATCH)}")
    added = _count(cursor, table) - before
    return Added(added, upload.preview.row_count - added)


def _count(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    row = cursor.execute(f"SELECT count(*) FROM main.{quote(table)}").fetchone()
    return int(row[0]) if row else 0


def _require_table(cursor: duckdb.DuckDBPyConnection, table: str) -> None:
    row = cursor.execute(
        "SELECT table_type FROM information_schema.tables WHERE table_schema = 'main' "
        "AND table_catalog = current_database() AND lower(table_name) = lower(?)",
        [table],
    ).fetchone()
    if row is None:
        raise _mistake(f"There is no table “{table}” any more: rows cannot be added to it")
    if row[0] != "BASE TABLE":
        raise _mistake(f"“{table}” is a view: add the rows to the tables that it reads")


def _pairs(
    ours: list[tuple[str, str]], given: tuple[tuple[str, str], ...], table: str, name: str
) -> dict[str, str]:
    """Our column → the file's, by name without case."""
    theirs = {each.lower(): each for each, _ in given}
    lacks = [each for each, _ in ours if each.lower() not in theirs]
    known = {each.lower() for each, _ in ours}
    more = [each for each, _ in given if each.lower() not in known]
    if lacks:
        raise _mistake(f"“{name}” lacks the column “{lacks[0]}” of the table “{table}”")
    if more:
        raise _mistake(f"“{name}” has a column “{more[0]}” that the table “{table}” lacks")
    return {each: theirs[each.lower()] for each, _ in ours}


def _require_values(
    cursor: duckdb.DuckDBPyConnection,
    ours: list[tuple[str, str]],
    given: dict[str, str],
    pairs: dict[str, str],
    name: str,
) -> None:
    """Each value must come back the same from a column of our type."""
    for own, kind in ours:
        theirs = pairs[own]
        if given[theirs] == kind:
            continue
        cell = quote(theirs)
        back = f"TRY_CAST(TRY_CAST({cell} AS {kind}) AS {given[theirs]})"
        row = cursor.execute(
            f"SELECT __number, {cell}::VARCHAR "
            f"FROM (SELECT row_number() OVER () AS __number, {cell} FROM main.{quote(_SCRATCH)}) "
            f"WHERE {back} IS DISTINCT FROM {cell} ORDER BY 1 LIMIT 1"
        ).fetchone()
        if row is not None:
            raise _mistake(
                f"The column “{own}” holds {kind}, and “{name}” has “{str(row[1])[:60]}” there in "
                f"its row {row[0]:,}: correct it"
            )


def _mistake(sentence: str) -> LabelingError:
    return LabelingError(f"{sentence}.", "rows")
