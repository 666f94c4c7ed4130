"""Several files of one shape as one table, in the order of their names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core.settings import quote
from labeling_core.sources import importing
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.importing import Preview
from labeling_core.sources.parquet_copy import OFFLINE
from labeling_core.store.database import literal

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "FLOAT")


class Part(NamedTuple):
    """One of the files, and how it is read."""

    path: Path
    preview: Preview


def join(files: Sequence[tuple[Path, str]], target: Path, part: str = "") -> tuple[str, ...]:
    """Write the rows of all files (path, name) to the Parquet file ``target``; what is said of it.

    Columns are compared by name, in any order. Where their types differ, all of a column is text,
    unless they are numbers. Raises LabelingError with the difference for a file of another shape.
    """
    ordered = sorted(files, key=lambda each: each[1])
    read = [Part(path, importing.inspect(path, name, part=part)) for path, name in ordered]
    first = read[0].preview
    for each in read[1:]:
        _require_shape(first, each.preview)
    kinds, notes = _common_types([each.preview for each in read])
    with duckdb.connect(config=OFFLINE) as con:
        con.execute("SET TimeZone = 'UTC'")
        for number, each in enumerate(read):
            importing.load(con, each.path, each.preview, f"file {number}")
        chosen = ", ".join(f"{quote(name)}::{kind} AS {quote(name)}" for name, kind in kinds)
        union = " UNION ALL ".join(
            f'SELECT {number} AS __file, rowid AS __row, {chosen} FROM main."file {number}"'
            for number in range(len(read))
        )
        con.execute(
            f"COPY (SELECT * EXCLUDE (__file, __row) FROM ({union}) ORDER BY __file, __row) "
            f"TO {literal(str(target))} (FORMAT parquet)"
        )
    counts = ", ".join(f"{each.preview.row_count:,} of “{each.preview.name}”" for each in read[:20])
    more = f" and {len(read) - 20:,} more files" if len(read) > 20 else ""
    told = (f"“{each.preview.name}”: {note}" for each in read for note in each.preview.notes)
    return (f"The rows of {len(read)} files in this order: {counts}{more}.", *notes, *told)


def _require_shape(first: Preview, other: Preview) -> None:
    ours, theirs = ({name.lower(): name for name, _ in each.columns} for each in (first, other))
    lacks = [ours[name] for name in ours if name not in theirs]
    more = [theirs[name] for name in theirs if name not in ours]
    if lacks or more:
        said = [f"lacks {_listed(lacks)}"] if lacks else []
        said += [f"has {_listed(more)} besides"] if more else []
        raise file_error(
            other.name,
            f"has other columns than “{first.name}”: it {' and '.join(said)}; upload files of one "
            "shape together",
        )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(f"“{name}”" for name in names[:5]) + more


def _common_types(previews: Sequence[Preview]) -> tuple[list[tuple[str, str]], list[str]]:
    """A type for each column that holds the values of all files, and a note where it is text."""
    found, notes = [], []
    for name, kind in previews[0].columns:
        kinds = [
            next(each for other, each in preview.columns if other.lower() == name.lower())
            for preview in previews
        ]
        common = kind
        if len(set(kinds)) > 1:
            whole = set(kinds) <= set(_NUMBERS[:4])
            numbers = set(kinds) <= set(_NUMBERS)
            common = "BIGINT" if whole else "DOUBLE" if numbers else "VARCHAR"
            if common == "VARCHAR":
                at = next(n for n, each in enumerate(kinds) if each != kind)
                notes.append(
                    f"The column “{name}” is {kind} in “{previews[0].name}” and {kinds[at]} in "
                    f"“{previews[at].name}”: it was taken as text."
                )
        found.append((name, common))
    return found, notes
