"""The SELECT by which DuckDB reads a file of each format, checked on every row of it.

A column of text becomes numbers or dates only if every value of it does without loss: ``007``
stays text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from labeling_core.settings import quote
from labeling_core.sources.dialects import BLOCK, DELIMITERS, Reading, sample_rows
from labeling_core.sources.import_errors import csv_error, file_error, json_error
from labeling_core.store.database import literal

Columns = tuple[tuple[str, str], ...]  # (name, DuckDB type)
JSON_OBJECT_BYTES = 1 << 26


@dataclass(frozen=True)
class Plan:
    """One SELECT that yields the file as a table, and what is known of its result."""

    sql: str
    columns: Columns
    row_count: int
    notes: tuple[str, ...]


def make_plan(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    """Plan how to read ``file``, which is UTF-8 with one kind of line end unless it is Parquet.

    Raises LabelingError if DuckDB cannot read all of it, or if it has no rows.
    """
    planners: dict[str, Callable[[duckdb.DuckDBPyConnection, Path, Reading], Plan]] = {
        "csv": _plan_csv,
        "json": _plan_json,
        "parquet": _plan_parquet,
    }
    plan = planners[reading.format](con, file, reading)
    if not plan.row_count:
        problem = "has column names but no rows; there is nothing to label in it"
        raise file_error(reading.name, problem)
    return plan


def _plan_csv(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    assert reading.delimiter and reading.decimal
    skipped, header = _find_header(file, reading.delimiter)
    names, notes = _distinct_names(header)
    if all(re.fullmatch(r"[-+]?\d+([.,]\d+)?", cell.strip()) for cell in header):
        notes.append("The first line was taken as column names, though it holds only numbers.")
    # Only ISO dates become dates: whether 01/02 is in January or February cannot be known.
    dialect = (
        f"{literal(str(file))}, header = true, skip = {skipped}, quote = '\"', escape = '\"', "
        f"delim = {literal(reading.delimiter)}, decimal_separator = {literal(reading.decimal)}, "
        "dateformat = '%Y-%m-%d'"
    )

    def source(types: Sequence[str]) -> str:
        pairs = (f"{literal(n)}: {literal(t)}" for n, t in zip(names, types, strict=True))
        return f"read_csv({dialect}, auto_detect = false, columns = {{{', '.join(pairs)}}})"

    try:
        # First as text, which tells the line of a mistake; DuckDB's own guessing does not.
        texts = source(["VARCHAR"] * len(names))
        count = _count(con, texts)
        listed = ", ".join(map(literal, names))
        guessed = f"read_csv({dialect}, names = [{listed}], sample_size = -1)"
        columns = _without_loss(con, texts, _columns(con, guessed), reading.decimal)
    except duckdb.Error as error:
        mark = DELIMITERS.get(reading.delimiter, f"“{reading.delimiter}”")
        raise csv_error(reading.name, str(error), mark) from error
    return Plan(f"SELECT * FROM {source([t for _, t in columns])}", columns, count, tuple(notes))


def _find_header(file: Path, delimiter: str) -> tuple[int, list[str]]:
    """The number of empty lines before the header, and its cells."""
    with file.open(encoding="utf-8", newline=None) as opened:
        text = opened.read(BLOCK)
    rows = sample_rows(text, delimiter, file.stat().st_size <= BLOCK)
    return next(((at, row) for at, row in enumerate(rows) if row), (0, []))


def _distinct_names(header: Sequence[str]) -> tuple[list[str], list[str]]:
    """Column names that DuckDB keeps apart (it ignores case), and a note per change."""
    names: list[str] = []
    notes: list[str] = []
    taken = {name.strip().casefold() for name in header}
    seen: set[str] = set()
    for at, given in enumerate(header, start=1):
        name = given.strip() or f"column {at}"
        if name.casefold() in seen or not given.strip():
            base, number = name, 2
            while name.casefold() in taken | seen:
                name, number = f"{base}_{number}", number + 1
            was = f"a second “{given.strip()}”" if given.strip() else "without a name"
            notes.append(f"Column {at}, {was}, is called “{name}”.")
        seen.add(name.casefold())
        names.append(name)
    return names, notes


def _without_loss(
    con: duckdb.DuckDBPyConnection, texts: str, columns: Columns, decimal: str
) -> Columns:
    """The columns with DOUBLE made text where a number would not be what was written.

    That is where a whole number has more digits than a DOUBLE can hold, and where all values are
    codes such as 12E5, which only look like numbers.
    """
    doubles = [name for name, kind in columns if kind == "DOUBLE"]
    if not doubles:
        return columns
    tests = ", ".join(
        f"bool_or(length({cell}) > 15 AND NOT contains({cell}, {literal(decimal)}) "
        f"AND NOT contains(lower({cell}), 'e')) "
        f"OR bool_and(regexp_full_match(trim({cell}), '[0-9]+[eE][0-9]+'))"
        for cell in map(quote, doubles)
    )
    found = con.execute(f"SELECT {tests} FROM {texts}").fetchone() or ()
    lossy = {name for name, loses in zip(doubles, found, strict=True) if loses}
    return tuple((name, "VARCHAR" if name in lossy else kind) for name, kind in columns)


def _plan_json(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    with file.open(encoding="utf-8") as opened:
        array = opened.read(BLOCK).lstrip().startswith("[")
    # The thresholds keep each key a column, however many there are and however rare.
    source = (
        f"read_json({literal(str(file))}, format = '{'array' if array else 'newline_delimited'}', "
        "records = 'true', sample_size = -1, map_inference_threshold = -1, "
        f"field_appearance_threshold = 0, maximum_object_size = {JSON_OBJECT_BYTES})"
    )
    try:
        columns, count = _columns(con, source), _count(con, source)
    except duckdb.Error as error:
        raise json_error(file, reading.name, array) from error
    chosen, typed = [], []
    for name, kind in columns:
        # A key with values of several types: the text of each, without JSON's quotes.
        text = f"{quote(name)} ->> '$'" if kind == "JSON" else f"CAST({quote(name)} AS VARCHAR)"
        mixed = kind in ("JSON", '"NULL"')
        chosen.append(f"{text} AS {quote(name)}" if mixed else quote(name))
        typed.append((name, "VARCHAR" if mixed else kind))
    notes: tuple[str, ...] = ()
    if any(re.search(r"_\d+$", name) for name, _ in columns) and not array:
        notes = _rename_notes(columns, _json_keys(con, file))
    return Plan(f"SELECT {', '.join(chosen)} FROM {source}", tuple(typed), count, notes)


def _json_keys(con: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    found = con.execute(
        "SELECT DISTINCT unnest(json_keys(json)) FROM "
        f"read_ndjson_objects({literal(str(file))}, maximum_object_size = {JSON_OBJECT_BYTES})"
    ).fetchall()
    return [key for (key,) in found]


def _plan_parquet(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    source = f"read_parquet({literal(str(file))})"
    try:
        columns, count = _columns(con, source), _count(con, source)
        parts = con.execute(
            f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(str(file))})"
        ).fetchall()
    except duckdb.Error as error:
        problem = "is cut off or damaged; copy or export it again"
        raise file_error(reading.name, problem) from error
    notes = _rename_notes(columns, _top_level(parts))
    return Plan(f"SELECT * FROM {source}", columns, count, notes)


def _top_level(parts: Sequence[tuple[str, int]]) -> list[str]:
    """The names of the columns in a Parquet schema, which lists nested parts depth first."""
    names, inside = [], 0
    for name, children in parts[1:]:
        if not inside:
            names.append(name)
        inside += children - (1 if inside else 0)
    return names


def _rename_notes(columns: Columns, given: Sequence[str]) -> tuple[str, ...]:
    """A note for each column that DuckDB had to rename, as its name is not among ``given``."""
    return tuple(
        f"Column {at} is called “{name}”: its own name is empty or taken (case does not count)."
        for at, (name, _) in enumerate(columns, start=1)
        if name not in given
    )


def _columns(con: duckdb.DuckDBPyConnection, source: str) -> Columns:
    found = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return tuple((name, kind) for name, kind, *_ in found)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    """The number of rows; every cell is read, so that damage shows now and not later."""
    found = con.execute(f"SELECT count(*), max(hash(COLUMNS(*))) FROM {source}").fetchone()
    return found[0] if found else 0
