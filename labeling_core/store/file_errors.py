"""What people are told when the database file cannot be opened."""

from __future__ import annotations

from pathlib import Path

import duckdb

from labeling_core.store import holder
from labeling_core.store.file_names import files_of

_DAMAGED = ("orrupt", "checksum", "replaying WAL", "enough bytes")


def is_held(error: Exception) -> bool:
    """Whether a file could not be opened because another process has it."""
    text = str(error)
    return any(
        each in text
        for each in ("lock is held", "already open", "already attached", "being used by another")
    )


def sentence(path: Path, error: Exception) -> str:
    """Why the database at ``path`` could not be opened, and what to do about it."""
    text = str(error)
    if is_held(error):
        who = holder.told(path, text)
        return (
            f"The database {path} is open in another process{who}: close that one first, or "
            "set LABELING_DATABASE to another file."
        )
    if "newer version" in text or "read a database file with version number" in text:
        return (
            f"The database {path} was written by a newer DuckDB: update with "
            "`python -m pip install --upgrade duckdb`, or set LABELING_DATABASE to another file."
        )
    foreign = "not a valid DuckDB" in text or isinstance(error, duckdb.SerializationException)
    if foreign and not files_of(path).exists():  # it never was one of ours
        return (
            f"The file {path} is not a DuckDB database: move it away, or set LABELING_DATABASE "
            "to another file."
        )
    if foreign or any(sign in text for sign in _DAMAGED):
        return (
            f"The database {path} is damaged ({text.splitlines()[0][:160]}): bring back a backup "
            "with `python -m labeling_core restore BACKUP` (`python -m labeling_core backup "
            "--list` names them); the damaged file is kept beside it."
        )
    return (
        f"The database {path} cannot be opened for writing ({text.splitlines()[0][:160]}): "
        "check the folder's permissions, or set LABELING_DATABASE to a file you may write."
    )
