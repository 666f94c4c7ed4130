"""Many categories at once: from a pasted list, or from the values of a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.projects.category_names import compared
from labeling_core.settings import quote
from labeling_core.sources import importing
from labeling_core.sources.importing import Preview

MOST = 1_000  # categories of a column


class Taken(NamedTuple):
    """Names that are new, and what is said of the others."""

    names: list[str]
    notes: list[str]


def pasted(text: str) -> list[str]:
    """The names in a list: one a line; in a single line, between commas, semicolons or tabs."""
    lines = [line for line in re.split(r"[\r\n\u2028\u2029]+", text) if line.strip()]
    if len(lines) == 1:
        mark = next((each for each in ("\t", ";", ",") if each in lines[0]), None)
        lines = lines[0].split(mark) if mark else lines
    names = [re.sub(r"^\s*[-*•]\s+", "", line).strip().strip("\t,;").strip() for line in lines]
    return [name for name in names if name]


def new_names(found: Sequence[str], known: Sequence[str]) -> Taken:
    """Those of ``found`` that are not among ``known``, and each once; names that look alike are
    one."""
    seen = {compared(name): name for name in known}
    taken: list[str] = []
    notes: list[str] = []
    for name in found:
        alike = seen.get(compared(name))
        if not compared(name):
            continue
        if alike is None:
            taken.append(name)
            seen[compared(name)] = name
        elif len(notes) < 5:
            like = "is there already" if alike == name else f"looks like “{alike}”"
            notes.append(f"“{name}” {like}: left out.")
    left = len([name for name in found if compared(name)]) - len(taken) - len(notes)
    if left:
        notes.append(f"{left:,} more that are there already were left out.")
    return Taken(taken, notes)


def of_table(cursor: duckdb.DuckDBPyConnection, rows: str, column: str) -> Taken:
    """The values of a column of ``rows`` (SQL) as texts, most frequent first, MOST at most."""
    found = cursor.execute(
        f"SELECT trim({quote(column)}::VARCHAR) AS value, count(*) FROM {rows} "
        f"GROUP BY 1 HAVING value <> '' ORDER BY 2 DESC, 1 LIMIT {MOST + 1}"
    ).fetchall()
    if not found:
        raise LabelingError(f"The column “{column}” holds no value.", "categories")
    notes = []
    if len(found) > MOST:
        notes = [f"“{column}” holds more than {MOST:,} values: the most frequent were taken."]
    return Taken([name for name, _ in found[:MOST]], notes)


def of_file(path: Path, preview: Preview, column: str) -> Taken:
    """The same of a file that was looked at."""
    with duckdb.connect() as con:
        importing.load(con, path, preview, "file")
        return of_table(con, "main.file", column)
