"""Which columns of text are numbers, dates or truth values, checked on every cell.

A column gets a type other than text only if each cell, written out again from the typed value,
is what stood in the file: ``007``, ``+5``, ``1e5``, ``yes`` and ``2020-1-2`` stay text. One
difference is let pass, as it is the same number with the same digits: whole numbers among
fractions are written with ``.0``, and the note of the column says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb

from labeling_core.settings import quote
from labeling_core.sources.choices import Choices, ColumnFound
from labeling_core.store.database import literal

# What other programs write where they know no value.
MARKERS = (
    "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "<NA>", "NaT", "null", "NULL", "Null", "None",
    "none", "-", "--", "?", ".", "…", "\\N", "#N/A", "#NA", "#NV", "#VALUE!", "#DIV/0!", "#REF!",
    "#NUM!", "#NULL!", "#NAME?",
)  # fmt: skip
_SAMPLE_ROWS, _SAMPLE_CELLS = 200, 100_000
_TOGETHER = 50  # columns that are asked about one by one
_WHOLE = r"-?\d+"
_SHAPES = {
    r"true|false": "BOOLEAN",
    r"\d{4}-\d\d-\d\d": "DATE",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?": "TIMESTAMP",
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00": "TIMESTAMP WITH TIME ZONE",
    r"\d\d:\d\d:\d\d(\.\d{1,6})?": "TIME",
}
_LOOKS = r"[-+]?[\d_., ]*\d[\d_., ]*([eE][-+]?\d+)?|\d+[-/.:]\d+[-/.:]\d+.*"


@dataclass(frozen=True)
class Texts:
    """A table of text in SQL: what to select from, and what its columns may become.

    ``forms`` holds for each column "any", "number", "truth", "date", "nested" or "text".
    """

    sql: str
    names: tuple[str, ...]
    forms: tuple[str, ...]
    decimal: str = "."


@dataclass(frozen=True)
class _Column:
    name: str
    examples: tuple[str, ...]
    candidates: tuple[str, ...]  # types; the first that fits is taken
    comma: bool  # whether its numbers have a decimal comma
    odd: bool  # whether it looks like numbers or dates of some kind
    unknown: bool  # whether the first cells are all missing
    chosen: tuple[str, ...] | None  # the markers that a person has named

    def markers(self) -> tuple[str, ...]:
        """The cells that may be missing ones; "?" is an answer where others are true or false."""
        if self.chosen is not None:
            return self.chosen
        return ("",) if "BOOLEAN" in self.candidates else ("", *MARKERS)

    def plain(self, cell: str) -> str:
        """The SQL of a cell with a decimal point."""
        return f"replace(replace({cell}, '.', '?'), ',', '.')" if self.comma else cell


@dataclass(frozen=True)
class _Measured:
    """How many cells do not fit each candidate, which are missing and how many, and more."""

    misfits: Mapping[str, int]
    markers: tuple[str, ...]
    missing: int
    extended: int  # whole numbers that would be written with .0
    value: str | None  # one that is not missing

    def kind(self) -> str | None:
        fitting = (kind for kind, misfits in self.misfits.items() if not misfits)
        return next(fitting, None) if self.value is not None else None


def find_columns(
    con: duckdb.DuckDBPyConnection, texts: Texts, choices: Choices
) -> tuple[int, list[ColumnFound], list[str]]:
    """The number of rows, what was found in each column, and the SQL of its values.

    All cells are read. Raises duckdb.Error where they cannot be.
    """
    limit = max(min(_SAMPLE_ROWS, _SAMPLE_CELLS // len(texts.names)), 20)
    rows = con.execute(f"SELECT * FROM {texts.sql} LIMIT {limit}").fetchall()
    columns = [
        _column(name, [row[at] for row in rows], form, texts.decimal, choices)
        for at, (name, form) in enumerate(zip(texts.names, texts.forms, strict=True))
    ]
    count, measured = _measure(con, texts.sql, columns, {each.name: ("",) for each in columns})
    again: dict[str, _Column] = {}
    for at, each in enumerate(columns):
        if each.unknown and (value := measured[each.name].value) is not None:
            told = _column(each.name, [value], texts.forms[at], texts.decimal, choices)
            columns[at] = each = replace(told, examples=(*each.examples, value)[:3])
        if each.chosen is not None or (each.candidates and not measured[each.name].kind()):
            again[each.name] = each
    markers = {name: each.markers() for name, each in again.items()}
    measured |= _measure(con, texts.sql, list(again.values()), markers)[1]
    found, values = [], []
    for each, form in zip(columns, texts.forms, strict=True):
        result = measured[each.name]
        kind = result.kind()
        taken = result.markers if kind or each.chosen is not None else ()
        kind = kind or ("JSON" if form == "nested" else "VARCHAR")
        note, cells = _note(each, kind, result), result.missing if taken else 0
        found.append(ColumnFound(each.name, kind, taken, cells, each.examples, note))
        values.append(_value(each, kind, taken))
    return count, found, values


def _column(
    name: str, cells: Sequence[str | None], form: str, decimal: str, choices: Choices
) -> _Column:
    """What a column may be by its first cells; they are strings or None."""
    chosen = choices.missing.get(name)
    markers = ("", *MARKERS) if chosen is None else chosen
    written = list(dict.fromkeys(cell for cell in cells if cell))
    values = [cell for cell in written if cell not in markers]
    numbers = _number_types(values, decimal) if form in ("any", "number") else ()
    shapes = [kind for shape, kind in _SHAPES.items() if _all(shape, values)]
    if form == "date" or form == "any":
        numbers = numbers or tuple(kind for kind in shapes if kind != "BOOLEAN" or form == "any")
    elif form == "truth":
        numbers = ("BOOLEAN",)
    if choices.types.get(name) == "text":
        numbers = ()
    comma = decimal == "," and any(kind[:2] in ("DO", "DE", "BI") for kind in numbers)
    odd = bool(numbers) or _all(_LOOKS, values)
    return _Column(name, tuple(written[:3]), numbers, comma, odd, not values, chosen)


def _all(shape: str, values: Sequence[str]) -> bool:
    return bool(values) and all(re.fullmatch(shape, value) for value in values)


def _number_types(values: Sequence[str], decimal: str) -> tuple[str, ...]:
    mark = re.escape(decimal)
    if _all(_WHOLE, values):
        return ("BIGINT", "DOUBLE")
    if not _all(rf"-?\d+({mark}\d+)?(e[-+]\d+)?", values):
        return ()
    parts = [value.partition(decimal)[2] for value in values]
    places = {len(part) for part in parts}
    if len(places) > 1 or not all(part.isdigit() for part in parts):
        return ("DOUBLE",)
    digits = 18 if max(map(len, values)) <= 17 else 38
    return ("DOUBLE", f"DECIMAL({digits},{places.pop()})") if max(places) < digits else ("DOUBLE",)


def _fits(kind: str, cell: str) -> str:
    """SQL that is true for a cell that can be of this type and comes back as it was."""
    back = f"CAST(TRY_CAST({cell} AS {kind}) AS VARCHAR)"
    if kind == "DOUBLE":
        finite = f"isfinite(TRY_CAST({cell} AS DOUBLE)) AND {cell} <> '-0'"
        return f"{back} IN ({cell}, {cell} || '.0') AND {finite}"
    if kind == "TIMESTAMP WITH TIME ZONE":  # whatever the zone of this connection
        back = f"CAST(TRY_CAST({cell}[:-4] AS TIMESTAMP) AS VARCHAR) || '+00'"
    # Python knows no years beyond 9999 and no hour 24.
    bounds = {"DATE": f"length({cell}) = 10", "TIME": f"{cell} < '24'"}
    if kind.startswith("TIMESTAMP"):
        bounds[kind] = f"{cell}[5] = '-' AND NOT contains({cell}, '(')"
    return f"{back} = {cell} AND {bounds.get(kind, 'true')}"


def _measure(
    con: duckdb.DuckDBPyConnection,
    sql: str,
    columns: Sequence[_Column],
    markers: Mapping[str, Sequence[str]],
) -> tuple[int, dict[str, _Measured]]:
    """The number of rows, and what all cells of the columns say; see _Measured."""
    measured: dict[str, _Measured] = {}
    if len(columns) <= _TOGETHER:
        asked = [
            question
            for each in columns
            for question in _questions(each, quote(each.name), markers[each.name])
        ]
        found = con.execute(f"SELECT {', '.join(['count(*)', *asked])} FROM {sql}").fetchone()
        answers = iter(found or (0,))
        count = next(answers)
        return count, {each.name: _measured(each, answers) for each in columns}
    # Of many columns each cell becomes a row, so that a question is asked once for all of them:
    # the time that DuckDB takes to plan grows faster than the number of questions.
    row = con.execute(f"SELECT count(*) FROM {sql}").fetchone()
    groups: dict[object, list[_Column]] = {}
    for each in columns:
        alike = (each.candidates, each.comma, each.unknown, each.chosen)
        groups.setdefault(alike, []).append(each)
    parts = (
        group[at : at + 1_000] for group in groups.values() for at in range(0, len(group), 1_000)
    )
    for part in parts:
        cells = ", ".join(quote(each.name) for each in part)
        asked = list(_questions(part[0], "cell", markers[part[0].name]))
        answered = con.execute(
            f"SELECT place, {', '.join(asked)} FROM (SELECT unnest(range({len(part)})) AS place, "
            f"unnest([{cells}]) AS cell FROM {sql}) GROUP BY place"
        ).fetchall()
        for place, *rest in answered:
            measured[part[place].name] = _measured(part[place], iter(rest))
    return (row or (0,))[0], measured


def _measured(each: _Column, answers: Iterator[Any]) -> _Measured:
    """What the answers to :func:`_questions` say."""
    misfits = {kind: next(answers) for kind in each.candidates}
    listed, missing, extended, value = (next(answers) for _ in range(4))
    return _Measured(misfits, tuple(sorted(listed or ())), missing, extended, value)


def _questions(each: _Column, cell: str, markers: Sequence[str]) -> Iterator[str]:
    """What is asked of all cells of a column, in SQL."""
    among = f"{cell} IN ({', '.join(map(literal, markers))})" if markers else "false"
    plain = each.plain(cell)
    for kind in each.candidates:
        misfit = f"({_fits(kind, plain)}) IS NOT TRUE AND NOT {among}"
        yield f"count(*) FILTER ({cell} IS NOT NULL AND {misfit})"
    if each.candidates or each.chosen is not None:
        yield f"list(DISTINCT {cell}) FILTER ({among})"
        yield f"count(*) FILTER ({among})"
    else:
        yield from ("NULL", "0")
    if "DOUBLE" in each.candidates:
        yield f"count(*) FILTER (CAST(TRY_CAST({plain} AS DOUBLE) AS VARCHAR) = {plain} || '.0')"
    else:
        yield "0"
    if each.unknown:  # a value tells what the column may be
        among = f"{cell} IN ({', '.join(map(literal, ('', *MARKERS, *markers)))})"
    if each.unknown or each.candidates:
        yield f"any_value({cell}) FILTER (NOT {among})"
    else:
        yield f"CAST(count({cell}) AS VARCHAR)"  # every cell is read, so that damage shows


def _value(each: _Column, kind: str, markers: Sequence[str]) -> str:
    """The SQL of the values of a column."""
    cell = quote(each.name)
    value = cell if kind in ("VARCHAR", "JSON") else each.plain(cell)
    if markers:
        among = ", ".join(map(literal, markers))
        value = f"CASE WHEN {cell} IN ({among}) THEN NULL ELSE {value} END"
    return (value if kind == "VARCHAR" else f"CAST({value} AS {kind})") + f" AS {cell}"


def _note(each: _Column, kind: str, measured: _Measured) -> str:
    if kind == "VARCHAR":
        return "Kept as text, so that it stays as it is written." if each.odd else ""
    if each.comma and kind != "BIGINT":
        example = next((cell for cell in each.examples if "," in cell), "1,5")
        return f"Decimal commas became points: {example} is {example.replace(',', '.')} here."
    if kind == "DOUBLE" and measured.extended:
        return "Whole numbers among its fractions are written with .0 in downloads, 2 as 2.0."
    return ""
