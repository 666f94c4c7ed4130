"""Rows of the database as files, written by DuckDB itself."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.settings import quote
from labeling_core.store.database import literal

FORMATS = {"CSV": ("csv", "FORMAT csv, HEADER true"), "Parquet": ("parquet", "FORMAT parquet")}


# A text that begins like this is a formula to a spreadsheet, also behind blanks.
_FORMULA = r"^\s*[=+\-@\t\r\n＝＋－＠]"


# Types whose values are written as numbers, times or truth values.
_HARMLESS = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN|DATE|TIME.*|UUID"


def to_file(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    form: str,
    safe: bool = False,
    values: Sequence[Any] = (),
) -> bytes:
    """The rows of a query as a file in one of FORMATS.

    A ``safe`` CSV has an apostrophe in front of each text that a spreadsheet would take for a
    formula (OWASP, “CSV Injection”); numbers, and texts that are numbers, are left alone.
    """
    if safe and form == "CSV":
        query = _without_formulas(cursor, query, values)
    suffix, options = FORMATS[form]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export.{suffix}"
        cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})", list(values))
        return path.read_bytes()


def _without_formulas(cursor: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any]) -> str:
    """``query`` with its texts made harmless, column names included."""
    described = cursor.execute(f"DESCRIBE {query}", list(values)).fetchall()
    columns = []
    for name, kind, *_ in described:
        column = quote(name)
        if not re.fullmatch(_HARMLESS, kind):
            text = f"{column}::VARCHAR"
            column = (
                f"CASE WHEN regexp_matches({text}, {literal(_FORMULA)}) "
                f"AND try_cast({text} AS DOUBLE) IS NULL THEN '''' || {text} ELSE {text} END"
            )
        shown = f"'{name}" if re.match(_FORMULA, name) else name
        columns.append(f"{column} AS {quote(shown)}")
    return f"SELECT {', '.join(columns)} FROM ({query})"


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of files, name → content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()
