"""Folders of Parquet files as a table: read where they lie, never loaded into the database.

A source is one when it is a pattern such as ``readings/**/*.parquet``, below an allowed root.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.settings import Settings, quote
from labeling_core.sources.folders import Listing, Refusal, chosen_folder, list_files, source_folder
from labeling_core.sources.left_out import groups, look_through
from labeling_core.sources.sample_sources import TableSource, file_versions
from labeling_core.store.database import folder_of, literal

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
    Raises LabelingError (field ``source``) for a pattern of other files.
    """
    text = text.strip().replace("\\", "/").rstrip("/")
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
        listed = ", ".join(quote(each) for each, _ in kept)
        return f"(SELECT {listed} FROM {_reader(_paths(cursor, name))})"

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


def notes(cursor: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    """What there is to say of the files of ``source``: how many, what was guessed, what was left.

    Raises LabelingError where they cannot be read as one table.
    """
    found = files_of(source, folder_of(cursor), look_through)
    paths = [str(found.folder / each) for each in found.files]
    described(cursor, paths)
    row = cursor.execute(f"SELECT count(*) FROM {_reader(paths)}").fetchone()
    said = [f"{row[0] if row else 0:,} rows in {_files(len(paths))}, in the order of their names."]
    keys = {part.split("=")[0] for each in found.files for part in each.split("/")[:-1]
            if "=" in part}  # fmt: skip
    if keys:
        said.append(f"From the names of folders: {_named(sorted(keys))}.")
    said += _differences(cursor, paths)
    said += [
        f"Not taken: {_files(each.files)}. {each.reason} For example “{each.example}”."
        for each in groups(found.refusals)
    ]
    return said


def _differences(cursor: duckdb.DuckDBPyConnection, paths: list[str]) -> list[str]:
    """A sentence for each column that is not in all files, or of several types."""
    parts = cursor.execute(
        "SELECT file_name, name, coalesce(num_children, 0), duckdb_type "
        f"FROM parquet_schema({_listed(paths)}) ORDER BY file_name, column_id"
    ).fetchall()
    files: Counter[str] = Counter()
    types: dict[str, set[str]] = {}
    file, inside = "", 0
    for path, name, children, kind in parts:
        if path != file:  # the first part of each file is its schema as a whole
            file, inside = path, 0
            continue
        if not inside:
            files[name] += 1
            types.setdefault(name, set()).add(kind)
        inside += children - (1 if inside else 0)
    rare = [
        f"The column “{name}” is missing in {_files(len(paths) - count)}: no values there."
        for name, count in files.items()
        if count < len(paths)
    ]
    mixed = [
        f"The column “{name}” is {' and '.join(sorted(kinds))} in different files: one type is "
        "made of them."
        for name, kinds in types.items()
        if len(kinds) > 1
    ]
    return rare + mixed


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


def _split(source: str) -> tuple[str, str]:
    """The folder of a pattern, which holds no wildcard, and the rest."""
    parts = source.split("/")
    at = next(number for number, each in enumerate(parts) if is_wild(each))
    return "/".join(parts[:at]) or ".", "/".join(parts[at:])


def _compiled(pattern: str) -> re.Pattern[str]:
    words = {"**/": r"(?:[^/]+/)*", "*": r"[^/]*", "?": r"[^/]"}
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    return re.compile("".join(words.get(each, re.escape(each)) for each in parts), re.DOTALL)


def _paths(cursor: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    found = files_of(name, folder_of(cursor))
    return [str(found.folder / each) for each in found.files]


def described(cursor: duckdb.DuckDBPyConnection, paths: list[str]) -> list[tuple[str, str]]:
    """``(name, type)`` of the columns of the files at ``paths``; LabelingError with the file that
    is none, or does not go with the others."""
    try:
        found = cursor.execute(f"DESCRIBE SELECT * FROM {_reader(paths)}").fetchall()
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


def _reader(paths: list[str]) -> str:
    return f"read_parquet({_listed(paths)}, hive_partitioning = true, union_by_name = true)"


def _listed(paths: list[str]) -> str:
    return f"[{', '.join(literal(_unglobbed(each)) for each in paths)}]"


def _unglobbed(path: str) -> str:
    """DuckDB takes a path with these characters for a pattern."""
    return re.sub(r"([*?\[])", r"[\1]", path)


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def _named(names: list[str]) -> str:
    return ", ".join(f"“{each}”" for each in names)
