"""Where samples come from: the rows of a table, or the files of a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import quote
from labeling_core.sources import windows
from labeling_core.sources.folders import (
    Stamp,
    chosen_folder,
    list_files,
    resolve_file,
    source_folder,
    stamp_of,
)
from labeling_core.sources.pinned import pinned
from labeling_core.sources.remote_storage import OutOfReachError
from labeling_core.store.database import columns, folder_of
from labeling_core.store.table_rows import has_rows

if TYPE_CHECKING:
    import pandas as pd

Columns = Sequence[tuple[str, str]]


class Listed(NamedTuple):
    """Samples to be taken, in SQL: ``rows`` to select them from, and ``sample_id`` of the row
    ``__number`` when ``$before`` samples are known."""

    rows: str
    sample_id: str


class SampleSource(Protocol):
    """A kind of source; ``name`` is that of a table or a folder, as settings have it.

    ``thing`` is what such a source is called, and ``entries`` what is in it. ``suffixes`` are
    those of the files that are taken: none where samples are no files. ``quick_to_compare`` says
    whether it may be compared with what is known of it before every session, ``may_be_cut``
    whether windows of its entries can be the samples.
    """

    thing: str
    entries: str
    suffixes: frozenset[str]
    quick_to_compare: bool

    @property
    def may_be_cut(self) -> bool: ...

    def cut(self, seconds: float, overlap: float) -> SampleSource:
        """The same source with windows of its entries as samples, as windows.cut has them; whole
        ones with 0 seconds."""

    def sample_ids(self, folder: Path, files: Sequence[str]) -> list[str]:
        """The samples that ``files`` of a folder are: each itself, or its windows."""

    def versions(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """What to select from, in SQL, that differs when its samples do."""

    def listed(self, cursor: duckdb.DuckDBPyConnection, name: str) -> Listed:
        """Its samples as they are now; LabelingError when a folder cannot be read."""

    def columns(self, cursor: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
        """``(name, type)`` of the columns that a sample has; empty if there is no such table."""

    def exists(self, cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
        """Whether it is (still) there."""

    def mistake(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """The sentence that says why no samples can be taken from it; empty if they can."""

    def beside(self, name: str) -> str:
        """What has the samples' own columns, in words, when those of the label come to them."""

    def require_values(
        self, cursor: duckdb.DuckDBPyConnection, name: str, kept: Columns, found: Columns
    ) -> None:
        """Raise LabelingError where a column of another type than before holds what that cannot."""

    def root(self, home: Path, name: str) -> str:
        """The folder of its files, ``home`` being that of the database; empty without files."""


class TableSource:
    """The rows of a table of the database."""

    thing, entries = "table", "rows"
    suffixes: frozenset[str] = frozenset()
    quick_to_compare = False  # all of its rows are hashed
    may_be_cut = False

    def cut(self, seconds: float, overlap: float) -> SampleSource:
        """Rows are not cut."""
        return self

    def sample_ids(self, folder: Path, files: Sequence[str]) -> list[str]:
        """Rows are no files."""
        return []

    def rows(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """What to select its rows from, in SQL."""
        return f"main.{quote(name)}"

    def count(self, cursor: duckdb.DuckDBPyConnection, name: str) -> int | None:
        """How many rows there are; None if there is no such table."""
        if not self.columns(cursor, name):
            return None
        row = cursor.execute(f"SELECT count(*) FROM {self.rows(cursor, name)}").fetchone()
        return int(row[0]) if row else 0

    def first_rows(
        self, cursor: duckdb.DuckDBPyConnection, name: str, number: int = 5
    ) -> pd.DataFrame | None:
        """The first rows; None if there is no such table."""
        if not self.columns(cursor, name):
            return None
        return cursor.execute(f"SELECT * FROM {self.rows(cursor, name)} LIMIT {number:d}").df()

    def versions(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """The table itself."""
        return self.rows(cursor, name)

    def listed(self, cursor: duckdb.DuckDBPyConnection, name: str) -> Listed:
        """A row's sample_id is its number in the table, from 1."""
        number = "($before + row_number() OVER (ORDER BY __number))::VARCHAR"
        return Listed(self.rows(cursor, name), number)

    def columns(self, cursor: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
        """Those of the table."""
        return columns(cursor, name)

    def exists(self, cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
        """Whether there is such a table."""
        return bool(columns(cursor, name))

    def mistake(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """Not there, or empty."""
        if not columns(cursor, name):
            return f"There is no table “{name}” in the database."
        return "" if has_rows(cursor, name) else f"The table “{name}” has no rows."

    def beside(self, name: str) -> str:
        """The table itself."""
        return f"table “{name}”"

    def require_values(
        self, cursor: duckdb.DuckDBPyConnection, name: str, kept: Columns, found: Columns
    ) -> None:
        """Whole numbers become floating-point ones by a single missing value in many tools: the
        rows are the same ones all the same."""
        for (column, before), (_, after) in zip(kept, found, strict=True):
            if before == after:
                continue
            quoted = quote(column)
            back = f"TRY_CAST(TRY_CAST({quoted} AS {before}) AS {after})"
            row = cursor.execute(
                f"SELECT {quoted}::VARCHAR FROM {self.rows(cursor, name)} "
                f"WHERE {back} IS DISTINCT FROM {quoted} LIMIT 1"
            ).fetchone()
            if row is not None:
                raise LabelingError(
                    f"The column “{column}” of the table “{name}” was of the type {before} when "
                    f"the project began and holds “{str(row[0])[:60]}” now, which is none: restore "
                    "it, or make a new project for the new table.",
                    "source",
                )

    def root(self, home: Path, name: str) -> str:
        """It has no files."""
        return ""


class FolderSource:
    """The files of a folder that end in one of ``suffixes``: their ``path`` is the only column,
    and the sample_id; ``files`` is what they are called.

    With ``length``, which gives the seconds of a file, they may be cut: then windows are samples,
    and ``path`` is called as windows.name has it. A file whose length cannot be told stays one
    sample, which is set aside with its reason when it is read.
    """

    thing, entries = "folder", "files"
    quick_to_compare = True  # names, sizes and dates are compared

    def __init__(
        self, files: str, suffixes: frozenset[str], length: Callable[[Path], float] | None = None
    ) -> None:
        self.files, self.suffixes, self._length = files, suffixes, length
        self._seconds = self._overlap = 0.0

    @property
    def may_be_cut(self) -> bool:
        """Whether its files have a length."""
        return self._length is not None

    def cut(self, seconds: float, overlap: float) -> SampleSource:
        """The same files, in windows."""
        found = copy(self)
        found._seconds, found._overlap = seconds, overlap
        return found

    def versions(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """The files with their sizes and dates, in a temporary table."""
        folder = source_folder(name, folder_of(cursor))
        return file_versions(cursor, folder, list_files(folder, self.suffixes).files)

    def listed(self, cursor: duckdb.DuckDBPyConnection, name: str) -> Listed:
        """The files, or their windows, in a temporary table."""
        folder = source_folder(name, folder_of(cursor))
        found = self.sample_ids(folder, list_files(folder, self.suffixes).files)
        cursor.execute(
            "CREATE OR REPLACE TEMP TABLE source_samples AS SELECT unnest(?::VARCHAR[]) AS path",
            [found],
        )
        return Listed("temp.source_samples", "path")

    def sample_ids(self, folder: Path, files: Sequence[str]) -> list[str]:
        """The samples that ``files`` of a folder are: each itself, or its windows."""
        if not self._seconds or self._length is None:
            return list(files)
        found: list[str] = []
        for each in files:
            try:
                path = resolve_file(folder, each)
                length = _known_length(self._length, path, stamp_of(path))
            except OutOfReachError:  # says nothing of the file
                raise
            except (LabelingError, OSError):
                length = 0.0
            spans = windows.cut(length, self._seconds, self._overlap)
            found += [windows.name(each, span) for span in spans] or [each]
        return found

    def columns(self, cursor: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
        """The path, whatever the folder."""
        return [("path", "VARCHAR")]

    def exists(self, cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
        """Whether the folder is there and may be read."""
        try:
            return bool(source_folder(name, folder_of(cursor)))
        except LabelingError:
            return False

    def mistake(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """Not there, not allowed, or without files of the kind."""
        try:
            folder = chosen_folder(name, folder_of(cursor))
            if list_files(folder, self.suffixes).files:
                return ""
            known = ", ".join(sorted(self.suffixes))
            return f"The folder “{name}” holds no {self.files} ({known})."
        except LabelingError as error:
            return str(error)
        except OSError as error:
            return f"The folder “{name}” cannot be read: {error.strerror}."

    def beside(self, name: str) -> str:
        """A folder has no columns, but the labels table of its files."""
        return "labels table of files"

    def require_values(
        self, cursor: duckdb.DuckDBPyConnection, name: str, kept: Columns, found: Columns
    ) -> None:
        """A path is never of another type."""

    def root(self, home: Path, name: str) -> str:
        """The folder itself."""
        return str(source_folder(name, home))


def file_versions(cursor: duckdb.DuckDBPyConnection, folder: Path, files: Sequence[str]) -> str:
    """The ``files`` of a folder with their sizes and dates, as a temporary table: its name."""
    stamps = [stamp_of(os.path.join(folder, each)) for each in files]
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE source_files AS SELECT unnest(?::VARCHAR[]) AS path, "
        "unnest(?::BIGINT[]) AS size, unnest(?::BIGINT[]) AS changed",
        [list(files), [each.size for each in stamps], [each.changed for each in stamps]],
    )
    return "temp.source_files"


@lru_cache(100_000)
def _known_length(length: Callable[[Path], float], path: Path, stamp: Stamp) -> float:
    """The seconds of a file, told once for each of its versions."""
    with pinned(path) as file:
        return length(file)
