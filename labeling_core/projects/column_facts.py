"""What can be told of the columns of a table before anything is learned from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.settings import quote

MAX_CATEGORIES = 1_000  # so many different values of a column may become categories
_ROWS, _CELLS = 20_000, 2_000_000  # that are looked at
_AT_ONCE = 25  # columns: of more, the planning takes longer than the reading
_MOST_LEARNED = 400  # columns; see modalities.column_kinds
_LISTS = re.compile(r"(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\d+\))\[\d*\]")
_NESTED = ("STRUCT", "MAP", "UNION", "[", "BLOB", "BIT")


class LabelsFound(NamedTuple):
    """What a column holds as labels: its different values with their numbers of rows, the most
    frequent first and at most MAX_CATEGORIES + 1; and the rows that have one."""

    values: list[tuple[str, int]]
    rows: int


def doubts(
    cursor: duckdb.DuckDBPyConnection, table: str, columns: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Column → why the model will hardly learn from it, judged by the first rows of the quoted
    ``table``; ``columns`` are (name, type). Only those of which there is something to say."""
    told: dict[str, str] = {}
    looked_at: list[tuple[str, str]] = []
    for name, kind in columns:
        if _LISTS.fullmatch(kind.upper()):
            continue  # vectors: what there is to say of them is known once they are read
        if any(word in kind.upper() for word in _NESTED):
            told[name] = "Nested or binary: the model does not learn from it."
        elif len(looked_at) == _MOST_LEARNED:
            told[name] = f"Comes after the first {_MOST_LEARNED} usable columns: not learned from."
        else:
            looked_at.append((name, kind))
    if not looked_at:
        return told
    rows = max(1_000, min(_ROWS, _CELLS // len(looked_at)))
    for at in range(0, len(looked_at), _AT_ONCE):
        part = looked_at[at : at + _AT_ONCE]
        source = ", ".join(quote(name) for name, _ in part)
        measured = ", ".join(text for name, kind in part for text in _measured(name, kind))
        found = cursor.execute(
            f"SELECT count(*), {measured} FROM (SELECT {source} FROM {table} LIMIT {rows:d})"
        ).fetchone() or (0,)
        for number, (name, kind) in enumerate(part):
            facts = Facts(found[0], *found[1 + 5 * number : 6 + 5 * number])
            if reason := _doubt(kind, facts):
                told[name] = reason
    return told


class Facts(NamedTuple):
    """Of a column's first ``rows``: those with a value, about how many different values, whether
    all are one, the words in a text, the span of whole numbers."""

    rows: int
    present: int
    different: int
    same: bool | None
    words: float | None
    span: float | None


def _measured(name: str, kind: str) -> list[str]:
    """SQL for each of Facts but the first."""
    column = quote(name)
    text = kind == "VARCHAR"
    value = f"nullif(trim({column}), '')" if text else column
    return [
        f"count({value})",
        f"approx_count_distinct({value})",
        f"min({value}) = max({value})",
        f"avg(CASE WHEN {column}[1] = '[' THEN 3 ELSE len(string_split({column}[:400], ' ')) END)"
        if text
        else "NULL",
        f"max({column})::DOUBLE - min({column})::DOUBLE" if _whole(kind) else "NULL",
    ]


def _doubt(kind: str, facts: Facts) -> str:
    if not facts.present:
        return "Has no values: not learned from." if facts.rows else ""
    full, many = facts.present == facts.rows, facts.present >= 20
    if facts.same and full:
        return "Has the same value everywhere: not learned from."
    if not (many and facts.different >= 0.9 * facts.present):  # the number is not exact
        return ""
    if full and facts.span is not None and facts.span < 1.05 * facts.rows:
        return "Only numbers the rows: not learned from."
    if kind in ("VARCHAR", "UUID") and (facts.words or 0) < 3:
        return "Another value in nearly every row, like an id: not learned from."
    return ""


def _whole(kind: str) -> bool:
    return kind.upper().endswith("INT") or kind.upper().endswith("INTEGER")


def labels_in(cursor: duckdb.DuckDBPyConnection, table: str, column: str) -> LabelsFound:
    """The labels that a column of the quoted ``table`` holds, as texts; empty ones are none."""
    value = f"nullif(trim({quote(column)}::VARCHAR), '')"
    values = cursor.execute(
        f"SELECT {value} AS label, count(*) FROM {table} WHERE {value} IS NOT NULL "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MAX_CATEGORIES + 1}"
    ).fetchall()
    row = cursor.execute(f"SELECT count({value}) FROM {table}").fetchone()
    return LabelsFound([(str(each), int(number)) for each, number in values], row[0] if row else 0)
