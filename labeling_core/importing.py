"""Tables that people upload: CSV, TSV, Parquet and JSON lines, read by DuckDB.

A column of text becomes numbers or dates only if every value of it does without loss: ``007``
stays text.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.database import quote
from labeling_core.errors import LabelingError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
PREVIEW_ROWS = 20
SAMPLE_BYTES = 1 << 20
CHUNK = 1 << 20
# Legacy encodings worth guessing among; anything rarer is the user's to name.
LEGACY = ["cp1252", "cp1250", "cp1251", "cp1253", "shift_jis", "gb18030", "euc_kr", "big5"]
SIGNATURES = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel or Word file",
    b"\x1f\x8b": "a gzip archive",
}


@dataclass(frozen=True)
class Preview:
    """What an uploaded file holds and how it was, or is to be, read.

    ``encoding``, ``delimiter`` and ``decimal`` may be replaced before :func:`load`; they are
    None where the format has no such thing. ``columns`` are (name, DuckDB type).
    """

    name: str
    format: str  # "csv" (TSV too), "parquet" or "json"
    encoding: str | None
    delimiter: str | None
    decimal: str | None
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    row_count: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """How to read a file: its format, its dialect, and the notes made while finding them out."""

    name: str
    format: str
    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One SELECT that yields the file as a table, and what is known of its result."""

    sql: str
    columns: tuple[tuple[str, str], ...]
    row_count: int
    notes: tuple[str, ...] = ()


def inspect(
    path: Path,
    name: str,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: str | None = None,
) -> Preview:
    """Find out what is in the uploaded file ``path``, called ``name`` by the user.

    What is given (``encoding``, ``delimiter``, ``decimal``) is taken, the rest found out.
    Reads the whole file, so that the types hold for every row.
    Raises LabelingError with one sentence if the file cannot be read as a table.
    """
    reading = _find_reading(path, name, encoding, delimiter, decimal)
    offline: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(config=offline) as con, _readable(path, reading) as file:
        plan = _plan(con, file, reading)
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
    )


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
    reading = _find_reading(
        path, preview.name, preview.encoding, preview.delimiter, preview.decimal
    )
    with _readable(path, reading) as file:
        plan = _plan(con, file, reading)
        con.execute(f"CREATE TABLE main.{quote(table)} AS {plan.sql}")
    return plan.row_count


# --- what kind of file it is -----------------------------------------------------------------


def _find_reading(
    path: Path, name: str, encoding: str | None, delimiter: str | None, decimal: str | None
) -> Reading:
    head = _head(path, name)
    suffix = Path(name).suffix.lower()
    if head.startswith(b"PAR1"):
        return Reading(name, "parquet")
    for signature, what in SIGNATURES.items():
        if head.startswith(signature):
            raise _error(name, f"is {what}, not a table; save it as CSV or Parquet and try again")
    if suffix in (".parquet", ".pq"):
        raise _error(name, "is not a Parquet file; export it again, or rename it to what it is")
    notes: list[str] = []
    if encoding is None:
        encoding = _find_encoding(path, head, name)
        if not encoding.startswith("utf"):
            notes.append(f"Read as {encoding}; choose another encoding if letters look wrong.")
    text = _sample_text(head, encoding, name)
    if suffix in (".json", ".jsonl", ".ndjson") or text.lstrip().startswith('{"'):
        return Reading(name, "json", encoding, notes=tuple(notes))
    whole = path.stat().st_size <= len(head)
    delimiter = delimiter or _find_delimiter(text, whole, suffix)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise LabelingError(f"The delimiter “{delimiter}” is not one character.", "delimiter")
    decimal = decimal or _find_decimal(_sample_rows(text, delimiter, whole), delimiter)
    if decimal not in (".", ","):
        raise LabelingError(f"The decimal mark “{decimal}” is no point or comma.", "decimal")
    return Reading(name, "csv", encoding, delimiter, decimal, tuple(notes))


def _head(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(SAMPLE_BYTES)
    except OSError as error:
        raise _error(name, "cannot be opened; upload it again") from error
    if not head.strip(b" \t\r\n\xef\xbb\xbf\xff\xfe\0"):
        raise _error(name, "is empty; choose a file with a header line and at least one row")
    return head


def _find_encoding(path: Path, head: bytes, name: str) -> str:
    """The Python name of the encoding: by its mark, by trying UTF-8 on it all, else a guess."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, high in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if head.count(0) <= 1.1 * high.count(0) and high.count(0) > 0.4 * len(high):
            return encoding
    if head.count(0) or sum(head.count(code) for code in (*range(1, 9), *range(14, 27))) > (
        len(head) // 100
    ):
        raise _error(name, "is not text; choose a CSV, TSV, Parquet or JSON lines file")
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while block := file.read(CHUNK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return _guess_legacy(block[max(0, error.start - 20_000) : error.start + 20_000])
    return "utf-8"


def _guess_legacy(data: bytes) -> str:
    """A legacy encoding for bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    high = len(re.findall(rb"[\x80-\xff]", data))
    # Few accents among plain letters are western European; there statistics only mislead.
    if high > 0.7 * len(re.findall(rb"[A-Za-z]", data)):
        best = from_bytes(data, cp_isolation=LEGACY).best()
        if best and best.encoding != "cp1252":
            return best.encoding
    # Five byte values mean nothing in cp1252; latin-1 reads every file.
    return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"


def _sample_text(head: bytes, encoding: str, name: str) -> str:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except (LookupError, UnicodeDecodeError) as error:
        raise LabelingError(
            f"“{name}” cannot be read as {encoding}; choose another encoding.", "encoding"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _sample_rows(text: str, delimiter: str, whole: bool) -> list[list[str]]:
    """The first rows of the text; a last one that may be cut off is left out."""
    csv.field_size_limit(SAMPLE_BYTES)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
            if len(rows) > 500:
                break
    except csv.Error:
        pass
    return rows if whole or len(rows) < 2 else rows[:-1]


def _find_delimiter(text: str, whole: bool, suffix: str) -> str:
    """The delimiter that cuts the header into several names and most rows into as many."""

    def fitness(delimiter: str) -> tuple[bool, float, bool, int]:
        rows = [row for row in _sample_rows(text, delimiter, whole) if row]
        width = len(rows[0]) if rows else 1
        share = sum(len(row) == width for row in rows) / max(len(rows), 1)
        return width > 1, round(share, 2), delimiter == "\t" and suffix == ".tsv", width

    return max(DELIMITERS, key=fitness)


def _find_decimal(rows: Sequence[Sequence[str]], delimiter: str) -> str:
    cells = [cell.strip() for row in rows[1:] for cell in row]
    commas = [cell for cell in cells if re.fullmatch(r"[-+]?\d+,\d+", cell)]
    points = sum(bool(re.fullmatch(r"[-+]?\d+\.\d+", cell)) for cell in cells)
    # Between commas as delimiters, "1,234" is a thousand rather than a fraction.
    thousands = delimiter == "," and all(re.fullmatch(r"[-+]?\d{1,3},\d{3}", c) for c in commas)
    return "," if len(commas) > points and not thousands else "."


# --- making it readable for DuckDB -----------------------------------------------------------


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
        while block := file.read(CHUNK):
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
            while text := source.read(CHUNK):
                target.write(text)
    except (LookupError, UnicodeError) as error:
        raise LabelingError(
            f"“{reading.name}” cannot be read as {encoding}; choose another encoding.", "encoding"
        ) from error


# --- the SELECT ------------------------------------------------------------------------------


def _plan(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    planners: dict[str, Callable[[duckdb.DuckDBPyConnection, Path, Reading], Plan]] = {
        "csv": _plan_csv,
        "json": _plan_json,
        "parquet": _plan_parquet,
    }
    plan = planners[reading.format](con, file, reading)
    if not plan.row_count:
        raise _error(reading.name, "has column names but no rows; there is nothing to label in it")
    return plan


def _plan_csv(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    assert reading.delimiter and reading.decimal
    with file.open(encoding="utf-8", newline=None) as opened:
        text = opened.read(SAMPLE_BYTES)
    rows = _sample_rows(text, reading.delimiter, file.stat().st_size <= SAMPLE_BYTES) or [[]]
    skipped = next((at for at, row in enumerate(rows) if row), 0)
    names, notes = _distinct_names(rows[skipped])
    if all(re.fullmatch(r"[-+]?\d+([.,]\d+)?", cell.strip()) for cell in rows[skipped]):
        notes.append("The first line was taken as column names, though it holds only numbers.")
    # Only ISO dates become dates: whether 01/02 is in January or February cannot be known.
    dialect = (
        f"{_literal(str(file))}, header = true, skip = {skipped}, quote = '\"', escape = '\"', "
        f"delim = {_literal(reading.delimiter)}, decimal_separator = {_literal(reading.decimal)}, "
        "dateformat = '%Y-%m-%d'"
    )

    def source(types: Sequence[str]) -> str:
        pairs = (f"{_literal(n)}: {_literal(t)}" for n, t in zip(names, types, strict=True))
        return f"read_csv({dialect}, auto_detect = false, columns = {{{', '.join(pairs)}}})"

    try:
        # First as text, which tells the line of a mistake; DuckDB's own guessing does not.
        texts = source(["VARCHAR"] * len(names))
        count = _count(con, texts)
        listed = ", ".join(map(_literal, names))
        guessed = f"read_csv({dialect}, names = [{listed}], sample_size = -1)"
        columns = _without_loss(con, texts, _types(con, guessed), reading.decimal)
    except duckdb.Error as error:
        raise _csv_error(reading.name, str(error), reading.delimiter) from error
    return Plan(f"SELECT * FROM {source([t for _, t in columns])}", columns, count, tuple(notes))


def _without_loss(
    con: duckdb.DuckDBPyConnection,
    texts: str,
    columns: tuple[tuple[str, str], ...],
    decimal: str,
) -> tuple[tuple[str, str], ...]:
    """The columns with DOUBLE made text where a whole number has more digits than it can hold."""
    doubles = [name for name, kind in columns if kind == "DOUBLE"]
    if not doubles:
        return columns
    tests = ", ".join(
        f"bool_or(length({cell}) > 15 AND NOT contains({cell}, {_literal(decimal)}) "
        f"AND NOT contains(lower({cell}), 'e'))"
        for cell in map(quote, doubles)
    )
    found = con.execute(f"SELECT {tests} FROM {texts}").fetchone() or ()
    long = {name for name, is_long in zip(doubles, found, strict=True) if is_long}
    return tuple((name, "VARCHAR" if name in long else kind) for name, kind in columns)


def _plan_json(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    with file.open(encoding="utf-8") as opened:
        array = opened.read(SAMPLE_BYTES).lstrip().startswith("[")
    # The thresholds keep each key a column, however many there are and however rare.
    source = (
        f"read_json({_literal(str(file))}, format = '{'array' if array else 'newline_delimited'}', "
        "records = 'true', sample_size = -1, map_inference_threshold = -1, "
        "field_appearance_threshold = 0, maximum_object_size = 67108864)"
    )
    try:
        columns, count = _types(con, source), _count(con, source)
    except duckdb.Error as error:
        raise _json_error(file, reading.name, array) from error
    chosen = []
    for name, kind in columns:
        # A key with values of several types: the text of each, without JSON's quotes.
        text = f"{quote(name)} ->> '$'" if kind == "JSON" else f"CAST({quote(name)} AS VARCHAR)"
        mixed = kind in ("JSON", '"NULL"')
        chosen.append(f"{text} AS {quote(name)}" if mixed else quote(name))
    typed = tuple((n, "VARCHAR" if kind in ("JSON", '"NULL"') else kind) for n, kind in columns)
    notes: list[str] = []
    if any(re.search(r"_\d+$", name) for name, _ in columns) and not array:
        notes = _suffix_notes([name for name, _ in columns], _json_keys(con, file))
    return Plan(f"SELECT {', '.join(chosen)} FROM {source}", typed, count, tuple(notes))


def _json_keys(con: duckdb.DuckDBPyConnection, file: Path) -> list[str]:
    objects = f"read_ndjson_objects({_literal(str(file))}, maximum_object_size = 67108864)"
    return [
        key
        for (key,) in con.execute(
            f"SELECT DISTINCT unnest(json_keys(json)) FROM {objects}"
        ).fetchall()
    ]


def _plan_parquet(con: duckdb.DuckDBPyConnection, file: Path, reading: Reading) -> Plan:
    source = f"read_parquet({_literal(str(file))})"
    try:
        columns, count = _types(con, source), _count(con, source)
        parts = con.execute(
            f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({_literal(str(file))})"
        ).fetchall()
    except duckdb.Error as error:
        problem = "is cut off or damaged; copy or export it again"
        raise _error(reading.name, problem) from error
    notes = _suffix_notes([name for name, _ in columns], _top_level(parts))
    return Plan(f"SELECT * FROM {source}", columns, count, tuple(notes))


def _top_level(parts: Sequence[tuple[str, int]]) -> list[str]:
    """The names of the columns in a Parquet schema, which lists nested parts depth first."""
    names, inside = [], 0
    for name, children in parts[1:]:
        if not inside:
            names.append(name)
        inside += children - (1 if inside else 0)
    return names


def _first_rows(con: duckdb.DuckDBPyConnection, plan: Plan) -> list[tuple[Any, ...]]:
    # Without a time zone package DuckDB cannot hand moments with a zone to Python.
    zoned = [name for name, kind in plan.columns if kind == "TIMESTAMP WITH TIME ZONE"]
    texts = ", ".join(f"CAST({quote(name)} AS VARCHAR) AS {quote(name)}" for name in zoned)
    shown = f"* REPLACE ({texts})" if zoned else "*"
    return con.execute(f"SELECT {shown} FROM ({plan.sql} LIMIT {PREVIEW_ROWS})").fetchall()


def _types(con: duckdb.DuckDBPyConnection, source: str) -> tuple[tuple[str, str], ...]:
    found = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    return tuple((name, kind) for name, kind, *_ in found)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    """The number of rows; every cell is read, so that damage shows now and not later."""
    found = con.execute(f"SELECT count(*), max(hash(COLUMNS(*))) FROM {source}").fetchone()
    return found[0] if found else 0


# --- names and sentences ---------------------------------------------------------------------


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


def _suffix_notes(names: Sequence[str], given: Sequence[str]) -> list[str]:
    """A note for each column that DuckDB had to rename."""
    return [
        f"Column {at} is called “{name}”: its own name is empty or taken (case does not count)."
        for at, name in enumerate(names, start=1)
        if name not in given
    ]


def _csv_error(name: str, message: str, delimiter: str) -> LabelingError:
    line = re.search(r"Error on Line: (\d+)", message)
    where = f" in line {line[1]}" if line else ""
    width = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    mark = DELIMITERS.get(delimiter, f"“{delimiter}”")
    if width:
        return _error(
            name,
            f"has a row with {width[2]} instead of {width[1]} values{where}; correct that line, or "
            f"choose another delimiter than {mark}",
        )
    if "Maximum line size" in message:
        return _error(name, f"has a row of more than 2 MB{where}; upload the table as Parquet")
    if "unterminated quote" in message:
        return _error(name, f"has a quotation mark that is not closed{where}; correct that line")
    return _error(name, f"is no CSV file with {mark} as delimiter{where}; export it again")


def _json_error(file: Path, name: str, array: bool) -> LabelingError:
    """The sentence for JSON that DuckDB refused; the line is found by reading it again."""
    if array:
        return _error(name, "is no list of JSON objects; save one JSON object per line")
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            problem = _line_problem(line) if line.strip() else None
            if problem:
                return _error(name, f"has {problem} in line {number}; correct or remove that line")
    return _error(name, "holds no JSON objects with keys; save one JSON object per line")


def _line_problem(line: str) -> str | None:
    def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise KeyError
        return found

    try:
        value = json.loads(line, object_pairs_hook=distinct)
    except KeyError:
        return "a key twice in one object"
    except ValueError:
        return "something that is no JSON"
    return None if isinstance(value, dict) else "a JSON value that is no object"


def _error(name: str, problem: str) -> LabelingError:
    return LabelingError(f"“{name}” {problem}.", field="source")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
