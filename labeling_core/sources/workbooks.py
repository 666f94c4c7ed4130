"""Sheets of Excel workbooks (.xlsx), as tables whose cells keep their types.

A sheet is looked through before it is read: it may reach to a cell far away, or unpack to more
than any memory; and what its cells of errors say is known from there alone.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from xml.etree import ElementTree

from labeling_core.sources.cells import write_columns
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.import_sql import distinct_names
from labeling_core.sources.plain_files import Plain, damaged

MOST_BYTES = 1 << 30  # of the XML of a workbook
MOST_CELLS = 30_000_000  # of the rectangle around all cells of a sheet
MOST_TITLES = 5
_BLOCK = 1 << 20
_ERROR = re.compile(rb'<(?:\w+:)?c [^>]*\bt="e"')
_COLUMN = re.compile(rb'<(?:\w+:)?c r="([A-Z]+)\d')
_ROW = re.compile(rb'<(?:\w+:)?row [^>]*\br="(\d+)"')
_UNCOUNTED = re.compile(rb"</(?:\w+:)?f>\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*</")

Rows = list[list[Any]]


class _Look(NamedTuple):
    """What is known of a sheet before it is read: its last row and column, how many cells hold an
    error, and how many a formula whose value was never computed."""

    height: int
    width: int
    errors: int
    uncounted: int


def parts(path: Path, name: str) -> tuple[str, ...]:
    """The sheets, in the workbook's order; charts are none."""
    import python_calamine as calamine

    _require_bounded(path, name)
    try:
        with calamine.load_workbook(str(path)) as workbook:
            kinds = calamine.SheetTypeEnum.WorkSheet
            found = tuple(each.name for each in workbook.sheets_metadata if each.typ == kinds)
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise damaged(name) from error
    if not found:
        raise file_error(name, "is a workbook without a sheet of cells; choose another file")
    return found


def unpack(path: Path, name: str, part: str, folder: Path) -> Plain:
    """The sheet ``part``; LabelingError if it is empty, damaged or too large."""
    import python_calamine as calamine

    look = _look_through(path, name, part)
    if look.height * look.width > MOST_CELLS:
        raise file_error(
            name,
            f"has a sheet “{part}” of {look.height:,} rows and {look.width:,} columns, which is "
            "too large to be read; save it as CSV, or delete what stands far away",
        )
    try:
        with calamine.load_workbook(str(path)) as workbook:
            sheet = workbook.get_sheet_by_name(part)
            rows: Rows = sheet.to_python(skip_empty_area=False)
            merged = sheet.merged_cell_ranges or []
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise damaged(name) from error
    header, notes = _header(rows, name, part)
    repeated = _repeat_merged(rows, merged, header)
    names, columns, more = _columns(rows, header)
    if repeated:
        notes.append(f"{repeated:,} merged cells: the value stands in each of their rows.")
    notes += more + _told(look)
    target = folder / "sheet"
    return Plain(target, name, (*notes, *write_columns(names, columns, target)))


def _told(look: _Look) -> list[str]:
    notes = []
    if look.errors:
        notes.append(f"{look.errors:,} cells hold an error such as #N/A: taken as missing.")
    if look.uncounted:
        notes.append(
            f"{look.uncounted:,} formulas have no value in the file, taken as missing: open it in "
            "a spreadsheet and save it again."
        )
    return notes


def _filled(row: Sequence[Any]) -> int:
    return sum(cell != "" for cell in row)


def _header(rows: Rows, name: str, part: str) -> tuple[int, list[str]]:
    """The number of the row with the names, and what is said of those before it.

    A single cell over a table of several columns is its title.
    """
    filled = [at for at, row in enumerate(rows) if _filled(row)]
    if not filled:
        raise file_error(name, f"has nothing in its sheet “{part}”; choose another sheet")
    titles = _titles(rows, filled)
    at, notes = filled[len(titles)], []
    if titles:
        said = "”, “".join(_written(next(c for c in rows[each] if c != ""))[:60] for each in titles)
        notes.append(f"What stands above the table was left out: “{said}”.")
    if at:
        notes.append(f"The names of the columns were found in row {at + 1:,}.")
    return at, notes


def _titles(rows: Rows, filled: Sequence[int]) -> list[int]:
    """The rows of a single cell above a row of nothing but names; some few at most."""
    alone = list(takewhile(lambda at: _filled(rows[at]) == 1, filled[: MOST_TITLES + 1]))
    following = filled[len(alone) : len(alone) + 1]
    names = all(isinstance(cell, str) for at in following for cell in rows[at])
    return alone if following and names and len(alone) <= MOST_TITLES else []


def _repeat_merged(
    rows: Rows, merged: Sequence[tuple[tuple[int, int], tuple[int, int]]], header: int
) -> int:
    """Write the value of merged cells into each of them, from the row of names on; how many."""
    number = 0
    for (top, left), (bottom, right) in merged:
        if top < header or top >= len(rows) or left >= len(rows[top]):
            continue
        value, number = rows[top][left], number + 1
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [value] * len(row[left : right + 1])
    return number


def _columns(rows: Rows, header: int) -> tuple[list[str], list[list[Any]], list[str]]:
    """Names, values by column and notes; empty rows, and empty columns without a name, go."""
    below = rows[header + 1 :]
    data = [row for row in below if _filled(row)]
    last = max((at for at, row in enumerate(below) if _filled(row)), default=-1)
    columns = [list(each) for each in zip(*data, strict=True)] or [[] for _ in rows[header]]
    kept = [
        at
        for at, given in enumerate(rows[header])
        if str(given).strip() or any(cell != "" for cell in columns[at])
    ]
    names, notes = distinct_names([_written(rows[header][at]) for at in kept])
    empty = last + 1 - len(data)
    if empty:
        notes.append(f"{empty:,} empty {'row was' if empty == 1 else 'rows were'} left out.")
    return names, [columns[at] for at in kept], notes


def _written(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _require_bounded(path: Path, name: str) -> None:
    with zipfile.ZipFile(path) as archive:
        total = sum(each.file_size for each in archive.infolist())
    if total > MOST_BYTES:
        size = f"{MOST_BYTES / 2**30:.0f} GB"
        raise file_error(name, f"is a workbook of more than {size} unpacked; save it as CSV")


def _look_through(path: Path, name: str, part: str) -> _Look:
    height = width = errors = uncounted = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for each in archive.infolist():  # a size that lies shows when it is read
                if each.filename == "xl/sharedStrings.xml":
                    for _ in _blocks(archive, each.filename):
                        pass
            for block in _blocks(archive, _sheet_file(archive, part)):
                height = max([height, *map(int, _ROW.findall(block))])
                width = max([width, *map(_column_number, set(_COLUMN.findall(block)))])
                errors += len(_ERROR.findall(block))
                uncounted += len(_UNCOUNTED.findall(block))
    except (zipfile.BadZipFile, ElementTree.ParseError, OSError, KeyError, ValueError, EOFError,
            RuntimeError) as error:  # fmt: skip
        raise damaged(name) from error
    return _Look(height, width, errors, uncounted)


def _blocks(archive: zipfile.ZipFile, entry: str) -> Iterator[bytes]:
    """The content piece by piece, each cut at the end of a cell."""
    with archive.open(entry) as file:
        rest = b""
        while block := file.read(_BLOCK):
            whole, end, rest = (rest + block).rpartition(b"</c>")
            if not end and len(rest) > 64 * _BLOCK:
                raise ValueError
            yield whole + end
        yield rest


def _sheet_file(archive: zipfile.ZipFile, part: str) -> str:
    """Where in the archive the sheet ``part`` is."""
    workbook = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    targets = {
        each.get("Id"): str(each.get("Target"))
        for each in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    }
    for each in workbook.iter():
        if each.tag.rpartition("}")[2] == "sheet" and each.get("name") == part:
            target = targets[next(v for k, v in each.items() if k.endswith("}id"))]
            inside = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return str(PurePosixPath(inside))
    raise KeyError(part)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
