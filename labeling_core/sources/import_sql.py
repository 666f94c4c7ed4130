"""The SELECT by which DuckDB reads a file of each format, checked on every row of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from labeling_core.settings import quote
from labeling_core.sources.choices import ColumnFound
from labeling_core.sources.column_types import Texts, find_columns
from labeling_core.sources.dialects import DELIMITERS, Reading, sample_rows
from labeling_core.sources.encodings import BLOCK
from labeling_core.sources.folders import stamp_of
from labeling_core.sources.import_errors import csv_error, file_error
from labeling_core.sources.json_rows import write_rows
from labeling_core.sources.parquet_texts import texts_of
from labeling_core.sources.plain_copies import readable
from labeling_core.store.database import literal

MAX_COLUMNS = 25_000  # the time that DuckDB takes grows faster than they do
_LINE_BYTES = 1 << 26
_MANY_COLUMNS = 1_000
_STAGED = "temp.import_texts"
_Columns = tuple[int, list[ColumnFound], list[str]]
_KEPT = 8  # files whose columns are known from when they were looked at
_known: dict[str, _Columns] = {}


@dataclass(frozen=True)
class Plan:
    """One SELECT that yields the file as a table, and what is known of its result."""

    sql: str
    found: tuple[ColumnFound, ...]
    row_count: int
    notes: tuple[str, ...]


@contextmanager
def planned(con: duckdb.DuckDBPyConnection, path: Path, reading: Reading) -> Iterator[Plan]:
    """Plan how to read the file; within the context the plan's SELECT can be run on ``con``.

    Raises LabelingError if DuckDB cannot read all of it, or if it has no rows.
    """
    planners: dict[str, Callable[..., Plan]] = {
        "csv": _plan_csv,
        "json": _plan_json,
        "parquet": _plan_parquet,
    }
    with ExitStack() as left:
        plan = planners[reading.format](con, path, reading, left)
        if not plan.row_count:
            problem = "has column names but no rows; there is nothing to label in it"
            raise file_error(reading.name, problem)
        yield replace(plan, notes=plan.notes + _missing_notes(plan.found))


def _plan_csv(
    con: duckdb.DuckDBPyConnection, path: Path, reading: Reading, left: ExitStack
) -> Plan:
    assert reading.delimiter and reading.decimal and reading.quote is not None
    plain = left.enter_context(readable(path, reading))
    skipped, first = _first_row(plain.path, reading)
    _require_few(reading.name, len(first))
    names, notes = distinct_names(first if reading.header else [""] * len(first))
    if not reading.header:
        notes = []
    if plain.comments:
        one = plain.comments == 1
        lines = "1 line that begins" if one else f"{plain.comments:,} lines that begin"
        left_out = "was left out" if one else "were left out"
        notes.append(f"{lines} with {reading.comment} {left_out}.")
    pairs = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    mark = literal(reading.quote)
    source = (
        f"read_csv({literal(str(plain.path))}, auto_detect = false, skip = {skipped}, "
        f"header = {'true' if reading.header else 'false'}, quote = {mark}, escape = {mark}, "
        f"delim = {literal(reading.delimiter)}, allow_quoted_nulls = false, "
        f"columns = {{{pairs}}})"
    )
    try:
        source = _staged(con, source, len(names), left)
        texts = Texts(source, tuple(names), ("any",) * len(names), reading.decimal)
        count, found, values = _measured(con, texts, path, reading)
    except duckdb.Error as error:
        word = DELIMITERS.get(reading.delimiter, f"“{reading.delimiter}”")
        raise csv_error(reading.name, str(error), word, plain.original) from error
    return Plan(f"SELECT {', '.join(values)} FROM {source}", tuple(found), count, tuple(notes))


def _measured(
    con: duckdb.DuckDBPyConnection, texts: Texts, path: Path, reading: Reading
) -> _Columns:
    """What find_columns says, which reads every cell; of a file that has not changed since it was
    looked at, and is read in the same way, what it said then."""
    chosen = {"missing": reading.choices.missing, "types": reading.choices.types}
    key = f"{path} {stamp_of(path)} {reading.format} {reading.by_name | chosen}"
    found = _known.get(key)
    if found is None:
        found = _known[key] = find_columns(con, texts, reading.choices)
        while len(_known) > _KEPT:
            _known.pop(next(iter(_known)), None)
    return found


def _first_row(path: Path, reading: Reading) -> tuple[int, list[str]]:
    """The number of empty lines before the first row, and its cells."""
    with path.open(encoding="utf-8", newline=None) as opened:
        text = opened.read(BLOCK)
    mark = reading.quote or ""
    rows = sample_rows(text, reading.delimiter or ",", path.stat().st_size <= BLOCK, mark, mark)
    return next(((at, row) for at, row in enumerate(rows) if row), (0, []))


def _require_few(name: str, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise file_error(
            name,
            f"has {columns:,} columns, more than the {MAX_COLUMNS:,} that can be read; leave some "
            "out, or turn the table round if its rows are the columns",
        )


def _staged(con: duckdb.DuckDBPyConnection, source: str, columns: int, left: ExitStack) -> str:
    """``source``, or a copy in memory of many columns, about which it is asked in many parts."""
    if columns <= _MANY_COLUMNS:
        return source
    con.execute(f"CREATE OR REPLACE TEMP TABLE import_texts AS SELECT * FROM {source}")
    left.callback(con.execute, f"DROP TABLE IF EXISTS {_STAGED}")
    return _STAGED


def distinct_names(header: Sequence[str], number_from: int = 2) -> tuple[list[str], list[str]]:
    """Column names that DuckDB keeps apart (it ignores case), and a note per change."""
    names: list[str] = []
    notes: list[str] = []
    taken = {name.strip().casefold() for name in header}
    seen: set[str] = set()
    for at, given in enumerate(header, start=1):
        name = given.strip() or f"column {at}"
        if name.casefold() in seen or not given.strip():
            base, number = name, number_from
            while name.casefold() in taken | seen:
                name, number = f"{base}_{number}", number + 1
            was = f"a second “{given.strip()}”" if given.strip() else "without a name"
            notes.append(f"Column {at}, {was}, is called “{name}”.")
        seen.add(name.casefold())
        names.append(name)
    return names, notes


def _plan_json(
    con: duckdb.DuckDBPyConnection, path: Path, reading: Reading, left: ExitStack
) -> Plan:
    folder = left.enter_context(tempfile.TemporaryDirectory(prefix="import-"))
    target = Path(folder) / "rows"
    encoding, errors = reading.encoding or "utf-8", reading.errors or "strict"
    rows = write_rows(path, reading.name, encoding, errors, target)
    keys = list(rows.places)
    _require_few(reading.name, len(keys))
    names, notes = distinct_names(keys, number_from=1)
    pairs = ", ".join(f"'{at}': 'VARCHAR'" for at in range(len(keys)))
    named = ", ".join(f"{quote(str(at))} AS {quote(name)}" for at, name in enumerate(names))
    source = (
        f"(SELECT {named} FROM read_json({literal(str(target))}, format = 'newline_delimited', "
        f"columns = {{{pairs}}}, maximum_object_size = {_LINE_BYTES}))"
    )
    try:
        source = _staged(con, source, len(names), left)
        texts = Texts(source, tuple(names), tuple(map(rows.form, keys)))
        count, found, values = _measured(con, texts, path, reading)
    except duckdb.Error as error:
        problem = "has an object of more than 64 MB, or is no JSON; save one object per line"
        raise file_error(reading.name, problem) from error
    sql = f"SELECT {', '.join(values)} FROM {source}"
    return Plan(sql, tuple(found), count, (*rows.notes, *notes))


def _plan_parquet(
    con: duckdb.DuckDBPyConnection, path: Path, reading: Reading, left: ExitStack
) -> Plan:
    plain = left.enter_context(readable(path, reading)).path
    source = f"read_parquet({literal(str(plain))})"
    try:
        columns = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        _require_few(reading.name, len(columns))
        parts = con.execute(
            f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(str(plain))})"
        ).fetchall()
        texts, source = texts_of(plain, [name for name, *_ in columns], source, left)
        count, found, values = _parquet_columns(con, source, columns, texts, reading)
    except (duckdb.Error, OSError) as error:
        problem = "is cut off or damaged; copy or export it again"
        raise file_error(reading.name, problem) from error
    notes = _rename_notes([name for name, *_ in columns], _top_level(parts))
    return Plan(f"SELECT {', '.join(values)} FROM {source}", tuple(found), count, notes)


def _parquet_columns(
    con: duckdb.DuckDBPyConnection,
    source: str,
    columns: Sequence[tuple[str, ...]],
    texts: dict[str, str],
    reading: Reading,
) -> tuple[int, list[ColumnFound], list[str]]:
    """The number of rows, the columns and the SQL of their values; every cell is read."""
    found: list[ColumnFound] = []
    values, wanted = [], ["count(*)", "max(hash(COLUMNS(*)))"]
    chosen: dict[str, tuple[str, ...]] = {}
    for name, kind, *_ in columns:
        value, note = quote(name), ""
        if name in texts:
            value, kind = quote(texts[name]), "VARCHAR"
            note = "Kept as text, as pandas writes it."
        elif reading.choices.types.get(name) == "text" and kind != "VARCHAR":
            value, kind = f"CAST({value} AS VARCHAR)", "VARCHAR"
        markers = reading.choices.missing.get(name, ())
        if markers and kind == "VARCHAR":
            among = f"{value} IN ({', '.join(map(literal, markers))})"
            wanted += [f"list(DISTINCT {value}) FILTER ({among})", f"count(*) FILTER ({among})"]
            chosen[name] = markers
            value = f"CASE WHEN {among} THEN NULL ELSE {value} END"
        values.append(f"{value} AS {quote(name)}")
        found.append(ColumnFound(name, kind, (), 0, (), note))
    answers = con.execute(f"SELECT {', '.join(wanted)} FROM {source}").fetchone() or (0,)
    at = len(answers) - 2 * len(chosen)
    shown = ", ".join(f"CAST({value.rpartition(' AS ')[0]} AS VARCHAR)" for value in values)
    rows = con.execute(f"SELECT {shown} FROM {source} LIMIT 20").fetchall()
    for place, each in enumerate(found):
        examples = dict.fromkeys(row[place][:200] for row in rows if row[place])
        each = replace(each, examples=tuple(examples)[:3])
        if each.name in chosen:
            markers = tuple(sorted(answers[at] or ()))
            each = replace(each, missing=markers, missing_cells=answers[at + 1])
            at += 2
        found[place] = each
    return answers[0], found, values


def _top_level(parts: Sequence[tuple[str, int]]) -> list[str]:
    """The names of the columns in a Parquet schema, which lists nested parts depth first."""
    names, inside = [], 0
    for name, children in parts[1:]:
        if not inside:
            names.append(name)
        inside += children - (1 if inside else 0)
    return names


def _rename_notes(columns: Sequence[str], given: Sequence[str]) -> tuple[str, ...]:
    """A note for each column that DuckDB had to rename, as its name is not among ``given``."""
    return tuple(
        f"Column {at} is called “{name}”: its own name is empty or taken (case does not count)."
        for at, name in enumerate(columns, start=1)
        if name not in given
    )


def _missing_notes(found: Sequence[ColumnFound]) -> tuple[str, ...]:
    """One note that tells what was read as missing where."""
    taken = [each for each in found if each.missing_cells]
    if not taken:
        return ()
    parts = [
        f"{', '.join(marker or '“” (quoted)' for marker in each.missing)} in “{each.name}” "
        f"({each.missing_cells:,})"
        for each in taken[:10]
    ]
    more = f"; and in {len(taken) - 10:,} more columns" if len(taken) > 10 else ""
    return (f"Read as missing values: {'; '.join(parts)}{more}.",)
