"""Folders of Parquet files as a table: read where they lie, never loaded into the database.

A source is one when it is a pattern such as ``readings/**/*.parquet``, below an allowed root, or
``s3://bucket/readings/**/*.parquet``, below a remote one: of those only the columns that are used
come here (see remote_pieces).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import Settings, quote
from labeling_core.sources import remote_folders, remote_pieces
from labeling_core.sources.folders import Listing, Refusal, chosen_folder, list_files, source_folder
from labeling_core.sources.remote_storage import is_remote, require_no_secrets
from labeling_core.sources.sample_sources import Columns, Listed, TableSource, file_versions
from labeling_core.store.database import Database, folder_of, literal

if TYPE_CHECKING:
    import pandas as pd

SUFFIX = ".parquet"
_EVERY = "**/*" + SUFFIX
_WILD = re.compile(r"[*?]")
Look = Callable[[Path, Collection[str]], Listing]


def is_wild(text: str) -> bool:
    """Whether a path stands for several."""
    return _WILD.search(text) is not None


def is_pattern(source: str) -> bool:
    """Whether a source names Parquet files and not a table of the database."""
    return source.endswith(SUFFIX) and is_wild(source)


def pattern_of(text: str) -> str:
    """What a project's source is called for the folder or the pattern that a person has typed.

    ``*`` and ``?`` stand for characters of one name, ``**`` for any number of folders.
    Raises LabelingError (field ``source``) for a pattern of other files, and for an address that
    holds a password or a query, which is not repeated.
    """
    text = text.strip().replace("\\", "/").rstrip("/")
    if is_remote(text):  # ? is a wildcard as well
        require_no_secrets(text, r"#|\?[^/]*=")
    if not text or is_pattern(text):
        return text
    if is_wild(text):
        raise LabelingError(
            f"The pattern {text!r} names no Parquet files: let it end in {SUFFIX}, such as "
            f"readings/*/part-*{SUFFIX}.",
            "source",
        )
    if text.endswith(SUFFIX):
        raise LabelingError(f"{text!r} is one file: upload it, or name its folder.", "source")
    return f"{text}/{_EVERY}"


class Found(NamedTuple):
    """``files`` of a pattern (relative to ``folder``, sorted), and what beside them was not
    taken, with reasons."""

    folder: Path
    files: list[str]
    refusals: list[Refusal]


class ParquetFolder(TableSource):
    """The rows of all files of a pattern, file after file in the order of their names.

    Columns are compared by name; folders called ``key=value`` give one more column each. The
    columns ``left`` are not read.
    """

    quick_to_compare = True  # names, sizes and dates of files are compared

    def __init__(self, left: Collection[str] = ()) -> None:
        self._left = frozenset(left)

    def versions(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """The files with their sizes and dates, in a temporary table."""
        found = files_of(name, folder_of(cursor))
        return file_versions(cursor, found.folder, found.files)

    def rows(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """The files. Raises LabelingError where they cannot be read as one table."""
        kept = self._described(cursor, name)
        named = ", ".join(quote(each) for each, _ in kept)
        return f"(SELECT {named} FROM {reader(_paths(cursor, name))})"

    def count(self, cursor: duckdb.DuckDBPyConnection, name: str) -> int | None:
        """How many rows there are; None where they cannot be read."""
        with told(_elsewhere(cursor, name)):
            return super().count(cursor, name)

    def first_rows(
        self, cursor: duckdb.DuckDBPyConnection, name: str, number: int = 5
    ) -> pd.DataFrame | None:
        """The first rows; None where they cannot be read."""
        with told(_elsewhere(cursor, name)):
            return super().first_rows(cursor, name, number)

    def bring(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        """Have all that is used of files elsewhere come here, so that no transaction waits for it.

        Raises LabelingError where they cannot be read.
        """
        if is_remote(name):
            named = ", ".join(quote(each) for each, _ in self._described(cursor, name))
            with told(_elsewhere(cursor, name)):
                cursor.execute(f"SELECT max(hash({named})) FROM {self.rows(cursor, name)}")

    def listed(self, cursor: duckdb.DuckDBPyConnection, name: str) -> Listed:
        """As of a table, after :meth:`bring`."""
        self.bring(cursor, name)
        return super().listed(cursor, name)

    def require_values(
        self, cursor: duckdb.DuckDBPyConnection, name: str, kept: Columns, found: Columns
    ) -> None:
        """As of a table."""
        with told(_elsewhere(cursor, name)):
            super().require_values(cursor, name, kept, found)

    def columns(self, cursor: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
        """Those of all files, without those that are left; none where they cannot be read."""
        try:
            return self._described(cursor, name)
        except LabelingError:
            return []

    def _described(self, cursor: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, str]]:
        found = described(cursor, _paths(cursor, name))
        return [each for each in found if each[0] not in self._left]

    def exists(self, cursor: duckdb.DuckDBPyConnection, name: str) -> bool:
        """Whether there are files of the pattern, readable or not."""
        try:
            return bool(files_of(name, folder_of(cursor)).files)
        except LabelingError:
            return False

    def mistake(self, cursor: duckdb.DuckDBPyConnection, name: str) -> str:
        """Not there, not allowed, not to be read as one table, or empty."""
        try:
            chosen_folder(_split(name)[0], folder_of(cursor))
            with told(_elsewhere(cursor, name)):
                row = cursor.execute(f"SELECT 1 FROM {self.rows(cursor, name)} LIMIT 1").fetchone()
        except LabelingError as error:
            return str(error)
        return "" if row else f"The files of “{name}” have no rows."

    def beside(self, name: str) -> str:
        """The files."""
        return f"table of the files “{name}”"


def taken(settings: Settings) -> Settings:
    """The settings of a new project on Parquet files, which leaves columns that are neither shown
    nor learned from where they are: no copy of them is made."""
    if not is_pattern(settings.source):
        return settings
    left = tuple(each.name for each in settings.columns if each.use == "neither")
    kept = tuple(each for each in settings.columns if each.use != "neither")
    return replace(settings, columns=kept, left_in_files=left or None)


def files_of(source: str, home: Path, look: Look = list_files) -> Found:
    """The files of a pattern now. Files and folders whose names begin with ``_`` or ``.`` are
    those of the program that wrote the others. Raises as folders.source_folder does; LabelingError
    where there is none."""
    text, pattern = _split(source)
    folder = source_folder(text, home)
    try:
        listing = look(folder, {SUFFIX})
    except OSError as error:
        raise LabelingError(
            f"The folder “{text}” cannot be read: {error.strerror}.", "source"
        ) from error
    wanted = _compiled(pattern)
    files, refusals = [], list(listing.refusals)
    for each in listing.files:
        if any(part.startswith("_") for part in PurePosixPath(each).parts):
            refusals.append(Refusal(each, "Its name begins with _, as that of a passing file."))
        elif wanted.fullmatch(each):
            files.append(each)
        else:
            refusals.append(Refusal(each, f"It does not match {pattern}."))
    if not files:
        raise LabelingError(f"No Parquet file of the folder “{text}” matches {pattern}.", "source")
    return Found(folder, files, refusals)


def look_again(source: str, home: Path) -> None:
    """Ask anew what lies in a remote ``source``, of files or a pattern. Raises as
    remote_folders.look does."""
    remote_folders.look_again(_split(source)[0] if is_pattern(source) else source, home)


def bring(database: Database, settings: Settings) -> None:
    """See ParquetFolder.bring, to be called outside of transactions; nothing of other sources, and
    of what is no source."""
    if is_pattern(settings.source) and is_remote(settings.source):
        folder = ParquetFolder(settings.left_in_files or ())
        with database.read() as cursor:
            if not folder.mistake(cursor, settings.source):
                folder.bring(cursor, settings.source)


def _split(source: str) -> tuple[str, str]:
    """The folder of a pattern, which holds no wildcard, and the rest."""
    parts = source.split("/")
    at = next(number for number, each in enumerate(parts) if is_wild(each))
    if is_remote(source) and at < 3:
        raise LabelingError("Name the bucket or the server of the files in full.", "source")
    return "/".join(parts[:at]) or ".", "/".join(parts[at:])


def _compiled(pattern: str) -> re.Pattern[str]:
    words = {"**/": r"(?:[^/]+/)*", "*": r"[^/]*", "?": r"[^/]"}
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    return re.compile("".join(words.get(each, re.escape(each)) for each in parts), re.DOTALL)


def _paths(cursor: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    return paths_of(cursor, files_of(name, folder_of(cursor)))


def _elsewhere(cursor: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The files of a remote pattern; none of one on this machine, which cannot be out of reach."""
    try:
        return _paths(cursor, name) if is_remote(name) else []
    except LabelingError:
        return []


def paths_of(cursor: duckdb.DuckDBPyConnection, found: Found) -> list[str]:
    """What DuckDB calls the files that were found."""
    if remote_folders.is_here(found.folder):
        return remote_pieces.paths(cursor, found.folder, found.files)
    return [str(found.folder / each) for each in found.files]


@contextmanager
def told(paths: Sequence[str]) -> Iterator[None]:
    """Of files elsewhere that cannot be had, the sentence that says why, as LabelingError."""
    try:
        yield
    except duckdb.Error as error:
        if reason := remote_pieces.failure(paths):
            raise reason from error
        raise


def described(cursor: duckdb.DuckDBPyConnection, paths: list[str]) -> list[tuple[str, str]]:
    """``(name, type)`` of the columns of the files at ``paths``; LabelingError with the file that
    is none, or does not go with the others."""
    try:
        with told(paths):
            found = cursor.execute(f"DESCRIBE SELECT * FROM {reader(paths)}").fetchall()
    except duckdb.Error as error:
        text = str(error).split("\n\n")[0]
        file = next((each for each in paths if each in text), "")
        if "Hive partition mismatch" in text:
            reason = "The folders do not all have the same names before their ="
        else:
            reason = "It is cut off or damaged, or is no Parquet file" if file else text
        where = f"“{Path(file).name}” cannot be read" if file else "The files are no one table"
        raise LabelingError(f"{where}. {reason}: mend it, or leave it out.", "source") from error
    return [(row[0], row[1]) for row in found]


def reader(paths: Sequence[str]) -> str:
    """What reads the files as one table, in SQL."""
    return f"read_parquet({listed(paths)}, hive_partitioning = true, union_by_name = true)"


def listed(paths: Sequence[str]) -> str:
    """The files as a list, in SQL."""
    return f"[{', '.join(literal(_unglobbed(each)) for each in paths)}]"


def _unglobbed(path: str) -> str:
    """DuckDB takes a path with these characters for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)
