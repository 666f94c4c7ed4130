"""The row of a table as the deck shows it: plain text, never markup, bounded."""

from __future__ import annotations

import datetime
import json
import math
from functools import cache
from typing import Any

from labeling_core.modalities.sample_view import Shown, Viewer

MAX_TEXT = 20_000  # characters of one cell that reach the browser


def view(sample: Shown, viewer: Viewer | None = None) -> dict[str, Any]:
    """The view of a table's row: ``fields`` as [column, text or None, kind].

    ``truncated`` names the columns whose text was cut. None, NaN and empty text are missing.
    """
    fields, truncated = [], []
    for name, kind, value in sample.fields:
        text = show(value)
        if text is not None and len(text) > MAX_TEXT:
            text = text[:MAX_TEXT]
            truncated.append(name)
        fields.append([name, text, _kind(kind)])
    return {"fields": fields, "truncated": truncated}


def show(value: object) -> str | None:
    """A cell as text; None where it is missing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return "∞" if value == math.inf else "−∞" if value == -math.inf else f"{value:.10g}"
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except TypeError:  # a map whose keys JSON does not know, such as dates
            return str(value)
    return str(value)


@cache
def _kind(kind: str) -> str:
    upper = kind.upper()
    if any(word in upper for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL", "NUMBER")):
        return "number"
    return "date" if "DATE" in upper or "TIME" in upper else "text"
