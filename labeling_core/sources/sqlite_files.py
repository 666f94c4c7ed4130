"""Tables and views of SQLite files, whose cells each have a type of their own."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote as percent

from labeling_core.settings import quote
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.import_sql import distinct_names
from labeling_core.sources.parquet_copy import with_dates
from labeling_core.sources.plain_files import MARKERS, Plain, damaged
from labeling_core.store.database import literal

LONGEST = 120.0  # seconds that a view may take
_BATCH = 20_000
_AT_ONCE = 100  # columns in one SELECT: SQLite takes 2,000 results


class _Column(NamedTuple):
    """``kind`` is a type of Arrow; ``dated`` are texts of a column declared to hold dates."""

    name: str
    kind: str
    note: str = ""
    dated: bool = False


def parts(path: Path, name: str) -> tuple[str, ...]:
    """Its tables and views, in the order in which they were made."""
    with _open(path, name) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
        ).fetchall()
    if not found:
        raise file_error(name, "is a SQLite database without a table; choose another file")
    return tuple(each for (each,) in found)


def unpack(path: Path, name: str, part: str, folder: Path) -> Plain:
    """The table or view ``part``; LabelingError if it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    target = folder / "table"
    with _open(path, name) as connection:
        columns = _columns(connection, part)
        names, notes = distinct_names([each.name for each in columns])
        schema = pa.schema(
            [(each, pa.type_for_alias(column.kind))
             for each, column in zip(names, columns, strict=True)]
        )  # fmt: skip
        rows = connection.execute(f"SELECT * FROM main.{quote(part)}")
        with pq.ParquetWriter(target, schema) as file:
            for batch in iter(lambda: rows.fetchmany(_BATCH), []):
                values = [
                    [_value(cell, column.kind) for cell in cells]
                    for cells, column in zip(zip(*batch, strict=True), columns, strict=True)
                ]
                arrays = [pa.array(v, f.type) for v, f in zip(values, schema, strict=True)]
                file.write_table(pa.table(arrays, schema=schema))
        notes += [each.note for each in columns if each.note] + _log_note(path)
    dated = [each for each, column in zip(names, columns, strict=True) if column.dated]
    return Plain(with_dates(target, dated), name, tuple(notes))


@contextmanager
def _open(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    """The database, for reading only; what SQLite has against it becomes one sentence."""
    _require_whole(path, name)
    # Alone, without its log, a file in WAL mode can be opened as one that never changes only.
    alone = "" if Path(f"{path}-wal").exists() else "&immutable=1"
    end = time.monotonic() + LONGEST
    try:
        connection = sqlite3.connect(f"file:{percent(str(path))}?mode=ro{alone}", uri=True)
        try:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.text_factory = lambda value: value.decode("utf-8", "replace")
            connection.set_progress_handler(lambda: time.monotonic() > end, 100_000)
            yield connection
        finally:
            connection.close()
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            raise file_error(name, f"takes longer than {LONGEST:.0f} seconds to read") from error
        if isinstance(error, sqlite3.OperationalError):
            raise file_error(name, f"cannot be read by SQLite ({str(error)[:200]})") from error
        raise damaged(name) from error


def _require_whole(path: Path, name: str) -> None:
    """What is missing at the end of a file would be read as zeros."""
    with path.open("rb") as file:
        head = file.read(100)
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    if path.stat().st_size < pages * (65_536 if page == 1 else page):
        raise damaged(name)


def _log_note(path: Path) -> list[str]:
    with path.open("rb") as file:
        in_log = file.read(20)[18:20] == b"\2\2" and not Path(f"{path}-wal").exists()
    if not in_log:
        return []
    return ["The file was written with a log beside it (-wal): rows that are in the log only are "
            "not in this file."]  # fmt: skip


def _columns(connection: sqlite3.Connection, part: str) -> list[_Column]:
    names = [each[0] for each in connection.execute(f"SELECT * FROM main.{quote(part)} LIMIT 0")
             .description]  # fmt: skip
    info = connection.execute(f"PRAGMA table_xinfo({quote(part)})").fetchall()
    declared = [str(each[2] or "").upper() for each in info if each[6] != 1]
    declared = declared if len(declared) == len(names) else [""] * len(names)
    found: list[_Column] = []
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        numbered = [f"c{number}" for number in range(len(names))]
        source = (
            f"(WITH __cells({', '.join(numbered)}) AS (SELECT * FROM main.{quote(part)}) "
            "SELECT * FROM __cells)"
        )
        tests = ", ".join(map(_counts, numbered[at : at + _AT_ONCE]))
        counted = connection.execute(f"SELECT {tests} FROM {source}").fetchone()
        each_of = [counted[number : number + 6] for number in range(0, len(counted), 6)]
        found += [
            _column(name, [count or 0 for count in counts], kind)
            for name, counts, kind in zip(some, each_of, declared[at:], strict=False)
        ]
    return found


def _counts(cell: str) -> str:
    """SQL: how many cells are whole numbers, of these beyond what a float holds, fractions, texts,
    of these signs for missing values, and bytes."""
    is_ = f"typeof({cell})"
    markers = ", ".join(map(literal, sorted(MARKERS)))
    return (
        f"sum({is_} = 'integer'), sum({is_} = 'integer' AND abs({cell} / 2) >= {2**52}), "
        f"sum({is_} = 'real'), sum({is_} = 'text'), "
        f"sum({is_} = 'text' AND lower(trim({cell})) IN ({markers})), sum({is_} = 'blob')"
    )


def _column(name: str, counts: Sequence[int], declared: str) -> _Column:
    whole, large, real, text, markers, binary = counts
    numbers = whole + real
    note = ""
    if numbers and text and text == markers and not binary:
        note = (
            f"In the column “{name}” {text:,} × a sign for missing values, such as NA or an empty "
            "text, was taken as missing."
        )
        text = 0
    if numbers and not text and not binary and not (real and large):
        return _Column(name, "double" if real else "int64", note)
    if binary and not numbers and not text:
        return _Column(name, "binary")
    if not numbers and not binary:
        return _Column(name, "string", dated="DATE" in declared or "TIME" in declared)
    held = {"numbers": numbers, "texts": text, "bytes": binary}
    kinds = " and ".join(word for word, number in held.items() if number)
    if kinds == "numbers":
        kinds = "fractions and numbers of more than 15 digits"
    return _Column(name, "string", f"The column “{name}” holds {kinds}: it was taken as text.")


def _value(cell: Any, kind: str) -> Any:
    """A cell as a value of its column's type; a text where a number belongs is a missing one."""
    if cell is None or (kind in ("int64", "double") and isinstance(cell, str)):
        return None
    if kind == "double":
        return float(cell)
    if kind == "string" and isinstance(cell, bytes):
        return cell.decode("utf-8", "backslashreplace")
    return str(cell) if kind == "string" else cell
