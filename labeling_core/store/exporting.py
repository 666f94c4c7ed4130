"""Rows of the database as files, written by DuckDB itself."""

from __future__ import annotations

import codecs
import io
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import quote
from labeling_core.store.database import literal

EXCEL, JSON_LINES = "CSV for Excel", "JSON lines"
_CSV = ("csv", "FORMAT csv, HEADER true")
# A missing value is nothing in a CSV, an empty text is "".
FORMATS = {
    "CSV": _CSV,
    EXCEL: _CSV,
    "Parquet": ("parquet", "FORMAT parquet, ROW_GROUP_SIZE 50000"),  # a group is held in memory
    JSON_LINES: ("jsonl", "FORMAT json"),
}


_ROWS = 2000  # rows of JSON that are fetched at a time

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
    """The rows of a query as a file in one of FORMATS; that for Excel begins with the byte order
    mark by which Excel knows UTF-8.

    A ``safe`` CSV has an apostrophe in front of each text that a spreadsheet would take for a
    formula (OWASP, “CSV Injection”); numbers, and texts that are numbers, are left alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "export"
        write(cursor, query, form, path, safe, values)
        return head(form) + path.read_bytes()


def write(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    form: str,
    path: Path,
    safe: bool = False,
    values: Sequence[Any] = (),
    ordered: bool = True,
) -> None:
    """The rows of a query as the file ``path``, which grows at its end only; it lacks what
    :func:`head` says. See :func:`to_file`. Unless they are to be ``ordered`` as the query has them,
    DuckDB holds hundreds of MB less of a million rows."""
    if safe and is_csv(form):
        query = _without_formulas(cursor, query, values)
    options = f"{FORMATS[form][1]}, USE_TMP_FILE false, PRESERVE_ORDER {ordered}"
    cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})", list(values))


def json_lines(
    cursor: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any] = ()
) -> Iterator[bytes]:
    """The rows of a query as JSON lines, in pieces: COPY holds several 100 MB of a million rows."""
    rows = cursor.execute(f"SELECT to_json(__row)::VARCHAR FROM ({query}) AS __row", list(values))
    while some := rows.fetchmany(_ROWS):
        yield "".join(f"{line}\n" for (line,) in some).encode()


def is_csv(form: str) -> bool:
    """Whether spreadsheets open a file of this form."""
    return FORMATS[form][0] == "csv"


def form_of(path: Path) -> str:
    """The one of FORMATS that the suffix of ``path`` says; LabelingError for another suffix."""
    forms = {f".{FORMATS[each][0]}": each for each in ("CSV", "Parquet", JSON_LINES)}
    if path.suffix.lower() not in forms:
        raise LabelingError(f"{path.name} should end in {' or '.join(forms)}.")
    return forms[path.suffix.lower()]


def head(form: str) -> bytes:
    """What a file of this form begins with, before what DuckDB writes."""
    return codecs.BOM_UTF8 if form == EXCEL else b""


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


def beside(names: Sequence[str], ours: Sequence[str]) -> dict[str, str]:
    """What columns ``names`` are called beside columns ``ours``: name → name.

    One that is among ours, or differs from one in case only, gets ``_source`` behind it, as often
    as it takes to be the only one of its name.
    """
    taken = {each.lower() for each in (*names, *ours)}
    made: dict[str, str] = {}
    for name in names:
        new = name
        if name.lower() in {each.lower() for each in ours}:
            while new.lower() in taken:
                new += "_source"
            taken.add(new.lower())
        made[name] = new
    return made


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of files, name → content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()
