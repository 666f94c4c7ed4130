"""Columns of cells that each have a type of their own, as spreadsheets hold them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.sources.plain_files import MARKERS

_EXACT = 2**53  # below it a whole number in a float is what was written
_WORDS = {"text": "texts", "number": "numbers", "date": "dates", "moment": "dates with times",
          "truth": "true and false", "time": "times", "span": "spans of time"}  # fmt: skip


class _Typed(NamedTuple):
    """Values of one type (None where missing), its name in Arrow, and what is said of it."""

    values: list[Any]
    kind: str
    note: str = ""


def write_columns(
    names: Sequence[str], columns: Sequence[Sequence[Any]], target: Path
) -> tuple[str, ...]:
    """Write columns of Python values to the Parquet file ``target``; a note per conversion.

    Missing cells are empty texts. Numbers, dates and truth values stay what they are where all of
    a column are of one kind; otherwise all of it is text, as it was written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    typed = [_typed(name, cells) for name, cells in zip(names, columns, strict=True)]
    arrays = [pa.array(each.values, pa.type_for_alias(each.kind)) for each in typed]
    pq.write_table(pa.table(arrays, names=list(names)), target)
    return tuple(each.note for each in typed if each.note)


def _typed(name: str, cells: Sequence[Any]) -> _Typed:
    kinds = Counter(_kind(cell) for cell in cells if cell != "")
    note = ""
    texts = [cell for cell in cells if isinstance(cell, str) and cell != ""]
    if len(kinds) > 1 and texts and all(text.strip().lower() in MARKERS for text in texts):
        shown = ", ".join(f"“{each}”" for each in dict.fromkeys(texts))
        note = f"In the column “{name}” {len(texts):,} × {shown} was taken as missing."
        cells = ["" if isinstance(cell, str) else cell for cell in cells]
        del kinds["text"]
    found = set(kinds)
    if found <= {"text"}:
        return _Typed([cell if cell != "" else None for cell in cells], "string", note)
    if found == {"number"}:
        values = [None if cell == "" else cell for cell in cells]
        if all(each is None or (float(each).is_integer() and abs(each) <= _EXACT)
               for each in values):  # fmt: skip
            return _Typed([None if v is None else int(v) for v in values], "int64", note)
        return _Typed([None if v is None else float(v) for v in values], "double", note)
    if found == {"truth"}:
        return _Typed([None if cell == "" else cell for cell in cells], "bool", note)
    if found == {"date"}:
        return _Typed([None if cell == "" else cell for cell in cells], "date32", note)
    if found <= {"date", "moment"}:
        return _Typed([_moment(cell) for cell in cells], "timestamp[us]", note)
    words = " and ".join(_WORDS[each] for each in _WORDS if each in found)
    said = f"The column “{name}” holds {words}: it was taken as text."
    return _Typed([_text(cell) for cell in cells], "string", f"{note} {said}".strip())


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "truth"
    for kind, types in (("number", (int, float)), ("moment", datetime), ("date", date),
                        ("time", time), ("span", timedelta)):  # fmt: skip
        if isinstance(cell, types):
            return kind
    return "text"


def _moment(cell: Any) -> datetime | None:
    if cell == "" or isinstance(cell, datetime):
        return cell or None
    return datetime(cell.year, cell.month, cell.day)


def _text(cell: Any) -> str | None:
    """A cell as it was written, or as near to it as its type tells."""
    if cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) <= _EXACT else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)
