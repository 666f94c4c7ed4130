"""Tables that people upload: CSV, TSV, Parquet and JSON lines, read by DuckDB."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import quote
from labeling_core.sources import containers
from labeling_core.sources.choices import Choices, ColumnFound, Preview
from labeling_core.sources.dialects import DELIMITERS, find_reading
from labeling_core.sources.import_sql import Plan, planned
from labeling_core.sources.parquet_copy import OFFLINE

__all__ = ["DELIMITERS", "Choices", "ColumnFound", "Preview", "inspect", "load"]

PREVIEW_ROWS = 20


def inspect(path: Path, name: str, choices: Choices | None = None, **given: Any) -> Preview:
    """Find out what is in the uploaded file ``path``, called ``name`` by the user.

    What is chosen is taken, the rest found out; ``given`` are fields of :class:`Choices` too.
    Reads the whole file, so that the types hold for every row.
    Raises LabelingError with one sentence if the file cannot be read as a table; its ``field``
    names the choice that would mend it.
    """
    choices = replace(choices or Choices(), **given)
    with containers.opened(path, name, choices.part) as plain:
        reading = find_reading(plain.path, plain.name, choices)
        with duckdb.connect(config=OFFLINE) as con, planned(con, plain.path, reading) as plan:
            rows = _first_rows(con, plan)
    columns = tuple((each.name, each.type) for each in plan.found)
    return Preview(
        name=name,
        format=reading.format,
        columns=columns,
        rows=tuple(rows),
        row_count=plan.row_count,
        notes=plain.notes + reading.notes + plan.notes,
        found=plan.found,
        **reading.by_name
        | {"missing": choices.missing, "types": choices.types, "part": choices.part},
    )


def load(con: duckdb.DuckDBPyConnection, path: Path, preview: Preview, table: str) -> int:
    """Create ``main.table`` from the file, rows in the file's order; return their number.

    Honours the choices that are kept in ``preview``. The caller owns the
    transaction. Raises LabelingError (``field="source"``) if the table exists already.
    """
    taken = con.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = 'main' "
        "AND table_catalog = current_database() AND lower(table_name) = lower(?)",
        [table],
    ).fetchone()
    if taken:
        raise LabelingError(
            f"The database already has a table “{table}”: choose another name, or pick that "
            "table as the source.",
            field="source",
        )
    with containers.opened(path, preview.name, preview.part) as plain:
        reading = find_reading(plain.path, plain.name, preview.choices)
        with planned(con, plain.path, reading) as plan:
            con.execute(f"CREATE TABLE main.{quote(table)} AS {plan.sql}")
    return plan.row_count


def _first_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> list[tuple[Any, ...]]:
    # Without a time zone package DuckDB cannot hand moments with a zone to Python.
    zoned = [each.name for each in plan.found if each.type == "TIMESTAMP WITH TIME ZONE"]
    texts = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in zoned)
    shown = f"* REPLACE ({texts})" if zoned else "*"
    return con.execute(f"SELECT {shown} FROM ({plan.sql} LIMIT {PREVIEW_ROWS})").fetchall()
