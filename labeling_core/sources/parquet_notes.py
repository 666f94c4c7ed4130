"""What there is to say of a folder of Parquet files: guessed, different, left out."""

from __future__ import annotations

from collections import Counter

import duckdb

from labeling_core.sources.left_out import groups, look_through
from labeling_core.sources.parquet_folders import (
    described,
    files_of,
    listed,
    paths_of,
    reader,
    told,
)
from labeling_core.store.database import folder_of


def notes(cursor: duckdb.DuckDBPyConnection, source: str) -> list[str]:
    """What there is to say of the files of ``source``: how many, what was guessed, what was left.

    Raises LabelingError where they cannot be read as one table.
    """
    found = files_of(source, folder_of(cursor), look_through)
    paths = paths_of(cursor, found)
    with told(paths):
        described(cursor, paths)
        row = cursor.execute(f"SELECT count(*) FROM {reader(paths)}").fetchone()
        differences = _differences(cursor, paths)
    said = [f"{row[0] if row else 0:,} rows in {_files(len(paths))}, in the order of their names."]
    keys = {part.split("=")[0] for each in found.files for part in each.split("/")[:-1]
            if "=" in part}  # fmt: skip
    if keys:
        said.append(f"From the names of folders: {_named(sorted(keys))}.")
    said += differences
    said += [
        f"Not taken: {_files(each.files)}. {each.reason} For example “{each.example}”."
        for each in groups(found.refusals)
    ]
    return said


def _differences(cursor: duckdb.DuckDBPyConnection, paths: list[str]) -> list[str]:
    """A sentence for each column that is not in all files, or of several types."""
    parts = cursor.execute(
        "SELECT file_name, name, coalesce(num_children, 0), duckdb_type "
        f"FROM parquet_schema({listed(paths)}) ORDER BY file_name, column_id"
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


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{number:,} files"


def _named(names: list[str]) -> str:
    return ", ".join(f"“{each}”" for each in names)
