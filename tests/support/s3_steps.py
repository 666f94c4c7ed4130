"""A program that reads remote folders: ``STEP WORDS…`` prints what the function STEP gives, as
JSON; where it raises, the kind of the LabelingError and its sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import extract
from labeling_core.modalities.extraction_ledger import read_entries, read_vectors, vector
from labeling_core.modalities.images import SUFFIXES
from labeling_core.settings import quote
from labeling_core.sources import parquet_folders, parquet_notes, remote_folders, remote_storage
from labeling_core.sources.folders import chosen_folder, list_files, resolve_file, source_folder
from labeling_core.sources.parquet_folders import ParquetFolder, pattern_of
from labeling_core.store.database import Database


def listed(source: str, home: str) -> Any:
    """The files after looking anew, and those that were refused."""
    remote_folders.look_again(source, Path(home))
    return list_files(chosen_folder(source, Path(home)), SUFFIXES)


def known(source: str, home: str) -> Any:
    """The files without asking the storage."""
    return list_files(source_folder(source, Path(home)), SUFFIXES).files


def read(source: str, home: str, *names: str) -> list[str]:
    """The content of each file, or why there is none."""
    return [_content(source_folder(source, Path(home)), each) for each in names]


def read_below(folder: str, *names: str) -> list[str]:
    """The same of a folder on this machine."""
    return [_content(Path(folder), each) for each in names]


def _content(folder: Path, name: str) -> str:
    try:
        return resolve_file(folder, name).read_text("utf-8", "replace")
    except LabelingError as error:
        return f"{type(error).__name__}: {error}"


def read_soon(source: str, home: str, *names: str) -> list[str]:
    """:func:`read`, with little patience for the storage."""
    remote_storage._CONNECT = remote_storage._READ = remote_storage._TRIES = 1
    return read(source, home, *names)


def table(source: str, home: str, *left: str) -> Any:
    """Of Parquet files: the columns without those ``left``, the number and the sum of all rows, and
    what is said of the files; or the mistake."""
    database, parquet = Database(Path(home) / "test.duckdb"), ParquetFolder(left)
    pattern = pattern_of(source)
    with closing(database), database.read() as cursor:
        if mistake := parquet.mistake(cursor, pattern):
            return mistake
        rows = parquet.listed(cursor, pattern).rows
        columns = parquet.columns(cursor, pattern)
        hashed = ", ".join(quote(each) for each, _ in columns)
        found = cursor.execute(f"SELECT count(*), sum(hash({hashed}))::VARCHAR FROM {rows}")
        return columns, found.fetchone(), parquet_notes.notes(cursor, pattern)


def table_again(source: str, home: str, *left: str) -> Any:
    """The same after the storage was asked anew what lies there."""
    parquet_folders.look_again(pattern_of(source), Path(home))
    return table(source, home, *left)


def extracted(root: str, out: str) -> Any:
    """Features of the files of a folder here: how many are done, which are broken, the numbers."""
    return _extracted(Path(root), Path(out))


def extracted_there(source: str, home: str, out: str) -> Any:
    return _extracted(source_folder(source, Path(home)), Path(out))


def _extracted(root: Path, out: Path) -> Any:
    files = list_files(root, SUFFIXES).files
    found = extract(files, root, out, "images", processes=2)
    return found.done, found.broken, _numbers(files, next(out.iterdir()))


def _numbers(files: Sequence[str], ledger: Path) -> list[list[float]]:
    entries, vectors = read_entries(ledger), read_vectors(ledger)
    return [np.asarray(vector(vectors, entries[each])).tolist() for each in files]


def main() -> None:
    step, *words = sys.argv[1:]
    try:
        found = globals()[step](*words)
    except LabelingError as error:
        found = f"{type(error).__name__}: {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
