"""JSON as rows of text: lines, lists and indented objects, each value as it is written.

Python's reader keeps what DuckDB's does not: the digits of numbers, the place of a mistake.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from labeling_core.errors import LabelingError
from labeling_core.sources.column_types import MARKERS
from labeling_core.sources.import_errors import encoding_error, file_error


class _Number(str):
    """A number as it is written, between two signs that tell it from a text."""

    def __new__(cls, written: str) -> _Number:
        return super().__new__(cls, f"\ue000{written}\ue001")


@dataclass
class JsonRows:
    """What was found while the rows were written down: key → the forms of its values."""

    forms: dict[str, set[str]] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def form(self, key: str) -> str:
        """One of the forms of column_types.Texts."""
        found = self.forms[key]
        # A text such as "NA" among numbers is a missing one.
        if found > {"marker"} and found <= {"marker", "number", "date"}:
            found = found - {"marker"}
        return next(iter(found)) if len(found) == 1 and found != {"marker"} else "text"


def write_rows(path: Path, name: str, encoding: str, errors: str, target: Path) -> JsonRows:
    """Write each object of the JSON file as a line {"0": text, …} to ``target``.

    The keys are numbered in the order in which they come. Raises LabelingError for what is no
    JSON, or no object with keys, with its line.
    """
    found = JsonRows()
    try:
        with (
            path.open(encoding=encoding, errors=errors, newline=None) as source,
            target.open("w", encoding="utf-8") as out,
        ):
            for line, value in _objects(source, name, found):
                if not isinstance(value, dict):
                    raise _problem(name, line, "a JSON value that is no object")
                out.write(_row(line, value, found, name, errors))
    except UnicodeDecodeError as error:
        raise encoding_error(name, encoding) from error
    if not found.forms:
        raise file_error(name, "holds no JSON objects with keys; save one JSON object per line")
    return found


def _row(line: int, value: dict[str, Any], found: JsonRows, name: str, errors: str) -> str:
    texts: dict[str, str] = {}
    for key, each in value.items():
        place = found.places.setdefault(key, len(found.places))
        forms = found.forms.setdefault(key, set())
        if each is None:
            continue
        if isinstance(each, _Number):
            form, text = "number", each[1:-1]
        elif isinstance(each, str):
            form, text = "marker" if each in ("", *MARKERS) else "date", each
        elif isinstance(each, bool):
            form, text = "truth", "true" if each else "false"
        else:
            form, text = _nested(each)
        forms.add(form)
        texts[str(place)] = text
    written = json.dumps(texts, ensure_ascii=False)
    if re.search("[\ud800-\udfff]", written):
        if errors != "replace":
            what = "half of a character (a surrogate, \\ud800 to \\udfff, without its other half)"
            raise _problem(name, line, what, "errors")
        found.notes.append(f"Half of a character was read as � in line {line}.")
        written = re.sub("[\ud800-\udfff]", "\ufffd", written)
    return written + "\n"


def _nested(value: dict[str, Any] | list[Any]) -> tuple[str, str]:
    """The form of a nested value, and its JSON with the numbers as they were written."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text, numbers = re.subn('"\ue000([-+.\\w]+)\ue001"', r"\1", text)
    return "text" if numbers and re.search(r"\b(NaN|Infinity)\b", text) else "nested", text


def _objects(source: TextIO, name: str, found: JsonRows) -> Iterator[tuple[int, Any]]:
    """The rows of the file, each with its line."""
    values = _values(source, name)
    first = next(values, None)
    if first is None:
        return
    second = next(values, None)
    if second is None and isinstance(first[1], dict):
        lists = {
            key: each
            for key, each in first[1].items()
            if isinstance(each, list) and each and all(isinstance(row, dict) for row in each)
        }
        if len(lists) == 1:
            ((key, rows),) = lists.items()
            others = ", ".join(f"“{each}”" for each in first[1] if each != key)
            found.notes.append(
                f"The rows are those of the list “{key}”"
                + (f"; {others} is left out." if others else ".")
            )
            yield from ((first[0], row) for row in rows)
            return
    yield first
    if second is not None:
        yield second
    yield from values


def _values(source: TextIO, name: str) -> Iterator[tuple[int, Any]]:
    """The values one a line; or, where the first line is no whole object, those of a list or of
    objects over several lines."""
    decoder = json.JSONDecoder(
        parse_float=_Number, parse_int=_Number, parse_constant=_Number,
        object_pairs_hook=_distinct, strict=False,
    )  # fmt: skip
    several = False
    for number, line in enumerate(source, start=1):
        if not line.strip():
            continue
        if not several and (line.lstrip()[0] == "[" or not _is_whole(decoder, line)):
            yield from _spread(decoder, line + source.read(), number, name)
            return
        several = True
        with _told(name, line, number):
            value = decoder.decode(line)
        yield number, value


def _is_whole(decoder: json.JSONDecoder, line: str) -> bool:
    try:
        decoder.decode(line)
    except json.JSONDecodeError:
        return False
    except (KeyError, RecursionError):
        return True
    return True


def _spread(
    decoder: json.JSONDecoder, text: str, line: int, name: str
) -> Iterator[tuple[int, Any]]:
    space = re.compile(r"\s*")
    at = space.match(text, 0).end()  # type: ignore[union-attr]
    listed = text[at] == "["
    at += listed
    counted = 0
    while True:
        at = space.match(text, at).end()  # type: ignore[union-attr]
        if at == len(text) or (listed and text[at] == "]"):
            break
        line, counted = line + text.count("\n", counted, at), at
        with _told(name, text, line, counted):
            value, at = decoder.raw_decode(text, at)
        if listed and not isinstance(value, dict):
            raise file_error(name, "is no list of JSON objects; save one JSON object per line")
        yield line, value
        at = space.match(text, at).end()  # type: ignore[union-attr]
        if listed and at < len(text) and text[at] not in ",]":
            there = line + text.count("\n", counted, at)
            raise _problem(name, there, "something that is no JSON")
        at += text[at : at + 1] == ","
    if listed and (at == len(text) or text[at + 1 :].strip()):
        raise _problem(name, line + text.count("\n", counted, at), "something that is no JSON")


@contextmanager
def _told(name: str, text: str, line: int, start: int = 0) -> Iterator[None]:
    """What goes wrong while the text is read, which from ``start`` on is in ``line``."""
    try:
        yield
    except json.JSONDecodeError as error:
        there = line + text.count("\n", start, error.pos) if start else line
        raise _problem(name, there, "something that is no JSON") from error
    except KeyError as error:
        raise _problem(name, line, "a key twice in one object") from error
    except RecursionError as error:
        raise _problem(name, line, "values nested some hundred deep") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise KeyError
    return found


def _problem(name: str, line: int, what: str, field: str = "source") -> LabelingError:
    sentence = f"“{name}” has {what} in line {line}; correct or remove that line."
    return LabelingError(sentence, field)
