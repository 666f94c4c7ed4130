"""Tables that people upload: CSV, TSV, Parquet and JSON lines, read by DuckDB."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import quote
from labeling_core.sources.choices import Choices, ColumnFound, Preview
from labeling_core.sources.dialects import BLOCK, DELIMITERS, Reading, find_reading
from labeling_core.sources.import_errors import encoding_error
from labeling_core.sources.import_sql import Plan, make_plan

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
    reading = find_reading(path, name, choices.encoding, choices.delimiter, choices.decimal)
    offline: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=offline) as con, _readable(path, reading) as file:
        plan = make_plan(con, file, reading)
        rows = _first_rows(con, plan)
    return Preview(
        name=name,
        format=reading.format,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        decimal=reading.decimal,
        columns=plan.columns,
        rows=tuple(rows),
        row_count=plan.row_count,
        notes=reading.notes + plan.notes,
        found=tuple(
            ColumnFound(column, kind, (), 0, _examples([row[at] for row in rows]))
            for at, (column, kind) in enumerate(plan.columns)
        ),
        missing=choices.missing,
        types=choices.types,
    )


def _examples(values: list[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for value in values if value is not None))[:3]


def load(con: duckdb.DuckDBPyConnection, path: Path, preview: Preview, table: str) -> int:
    """Create ``main.table`` from the file, rows in the file's order; return their number.

    Honours the encoding, delimiter and decimal mark of ``preview``. The caller owns the
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
    reading = find_reading(path, preview.name, preview.encoding, preview.delimiter, preview.decimal)
    with _readable(path, reading) as file:
        plan = make_plan(con, file, reading)
        con.execute(f"CREATE TABLE main.{quote(table)} AS {plan.sql}")
    return plan.row_count


def _first_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> list[tuple[Any, ...]]:
    # Without a time zone package DuckDB cannot hand moments with a zone to Python.
    zoned = [name for name, kind in plan.columns if kind == "TIMESTAMP WITH TIME ZONE"]
    texts = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in zoned)
    shown = f"* REPLACE ({texts})" if zoned else "*"
    return con.execute(f"SELECT {shown} FROM ({plan.sql} LIMIT {PREVIEW_ROWS})").fetchall()


@contextmanager
def _readable(path: Path, reading: Reading) -> Iterator[Path]:
    """The file itself, or a temporary UTF-8 copy with one kind of line end where needed."""
    text = reading.format != "parquet"
    plain = not re.search(r"[*?\[\]{}]", str(path))  # DuckDB would read these as patterns
    if plain and (not text or (reading.encoding == "utf-8" and not _mixed_line_ends(path))):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="import-") as folder:
        copy = Path(folder) / "table"
        if text:
            _rewrite(path, copy, reading)
        else:
            shutil.copyfile(path, copy)
        yield copy


def _mixed_line_ends(path: Path) -> bool:
    """Whether the file has line ends of more than one kind, which DuckDB refuses."""
    feeds = returns = both = 0
    last = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            both += block.count(b"\r\n") + (last == b"\r" and block.startswith(b"\n"))
            last = block[-1:]
    return (feeds > both) + (returns > both) + (both > 0) > 1


def _rewrite(path: Path, copy: Path, reading: Reading) -> None:
    encoding = reading.encoding or "utf-8"
    try:
        with (
            path.open(encoding=encoding, newline=None) as source,
            copy.open("w", encoding="utf-8", newline="") as target,
        ):
            while text := source.read(BLOCK):
                target.write(text)
    except (LookupError, UnicodeError) as error:
        raise encoding_error(reading.name, encoding) from error
