"""The row of a table as the deck shows it: plain text, never markup, bounded."""

from __future__ import annotations

import datetime
import json
import math
import re
import struct
from decimal import Decimal
from functools import cache
from typing import Any

from labeling_core.modalities.sample_view import Shown, Viewer

MAX_TEXT = 20_000  # characters of one cell that are sent with its sample
MAX_NUMBERS = 80  # characters of a list of numbers, of which nobody reads more
_NUMBERS = re.compile(r"\[[\d\s.,eE+-]+\]")


def view(sample: Shown, viewer: Viewer) -> dict[str, Any]:
    """The view of a table's row: ``fields`` as [column, text or None, kind].

    ``truncated`` has the columns whose text was cut, each as [column, characters in all, address
    of the whole]. None, NaN and empty text are missing.
    """
    fields: list[list[str | None]] = []
    truncated: list[list[str | int]] = []
    for name, kind, value in sample.fields:
        text = show(value, kind)
        most = MAX_NUMBERS if _is_vector(value) else MAX_TEXT
        if text is not None and len(text) > most:
            truncated.append([name, len(text), viewer.text(sample.sample_id, name)])
            text = text[:most]
        fields.append([name, text, _kind(kind)])
    return {"fields": fields, "truncated": truncated}


def _is_vector(value: object) -> bool:
    if isinstance(value, str):
        return bool(_NUMBERS.fullmatch(value))
    if not isinstance(value, list | tuple):
        return False
    return all(isinstance(each, int | float | Decimal | None) for each in value)


def show(value: object, kind: str = "") -> str | None:
    """A cell as text, as it is written in downloads; None where it is missing.

    Whole numbers among fractions have no ``.0``. ``kind`` is the DuckDB type of its column.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value, single=kind.upper() in ("FLOAT", "REAL"))
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return _moment(value)
    if isinstance(value, datetime.timedelta):
        return _duration(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict | list | tuple):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except TypeError:  # a map whose keys JSON does not know, such as dates
            return str(value)
    return str(value)


def _number(value: float, single: bool) -> str | None:
    """All digits that tell the number from its neighbours, and no more."""
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = repr(value)
    if single:  # of 32 bits: its neighbours are further away
        tries = (f"{value:.{digits}g}" for digits in range(6, 10))
        text = next(
            each for each in tries if struct.pack("f", float(each)) == struct.pack("f", value)
        )
    return text.removesuffix(".0")


def _moment(value: datetime.date | datetime.time) -> str:
    text = value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    text = re.sub(r"([+-]\d\d):00$", r"\1", text)  # like the database: +00
    # Like the database: no zeros at the end of a fraction of a second.
    return re.sub(r"(\.\d*?)0+(?=$|[+-])", lambda found: found[1].rstrip("."), text)


def _duration(value: datetime.timedelta) -> str:
    """As the database writes an interval: ``1 day 02:03:04.5``."""
    sign, rest = ("-", -value) if value < datetime.timedelta(0) else ("", value)
    days, clock = rest.days, str(rest - datetime.timedelta(rest.days))
    time = sign + (clock if len(clock.partition(":")[0]) == 2 else f"0{clock}")
    if "." in time:
        time = time.rstrip("0")
    return f"{sign}{days} day{'s' if sign or days > 1 else ''} {time}" if days else time


@cache
def _kind(kind: str) -> str:
    upper = kind.upper()
    if any(word in upper for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL", "NUMBER")):
        return "number"
    return "date" if "DATE" in upper or "TIME" in upper else "text"
