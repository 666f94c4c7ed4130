"""A backup in the place of the database file."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.people import EVERYWHERE, Person
from labeling_core.store import eventlog
from labeling_core.store.backups import remove_with_log
from labeling_core.store.database import Database, literal, now
from labeling_core.store.file_errors import is_held
from labeling_core.store.file_names import files_of
from labeling_core.store.file_state import log_of
from labeling_core.store.migrations import MIGRATIONS
from labeling_core.store.removal import remove, replace


def part_of(database: Path) -> Path:
    """The file that becomes the database."""
    return database.with_name(database.name + ".restoring")


def restore(backup: Path, database: Path, by: Person) -> Path | None:
    """Put a backup in the place of a database file; where the replaced file lies now, if any.

    Raises LabelingError when the backup is none, a program has the database open, or the files
    may not be written.
    """
    by.require("manage")
    require_backup(backup)
    _require_closed(database)
    try:
        return _restore(backup, database, by)
    except OSError as error:
        raise LabelingError(
            f"{database} cannot be replaced: {error.strerror or error}. Look whether its folder is "
            "yours to write, and has room."
        ) from error


def _restore(backup: Path, database: Path, by: Person) -> Path | None:
    database.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(database)
    remove_with_log(part)
    try:
        shutil.copyfile(backup, part)
        opened = Database(part)
        try:
            eventlog.note(opened, EVERYWHERE, by, "put back", {"file": backup.name})
            with opened.read() as cursor:
                cursor.execute("CHECKPOINT")
        finally:
            opened.close()
        _require_closed(database)
        replaced = _put_in_place(part, database)
    finally:
        remove_with_log(part)
    # What was computed from samples that the backup may not know: it is computed anew.
    for folder in files_of(database).glob("*/features_*"):
        remove(folder)
    return replaced


def require_backup(backup: Path) -> None:
    """Raise LabelingError where a file is no backup that this program could put back."""
    if not backup.is_file():
        raise LabelingError(
            f"There is no backup {backup}: `python -m labeling_core backup --list` names those "
            "there are."
        )
    try:
        with duckdb.connect(str(backup), read_only=True) as connection:
            row = connection.execute("SELECT max(version) FROM labeling.migrations").fetchone()
    except duckdb.Error as error:
        raise LabelingError(f"{backup} is no backup of a labeling database.") from error
    if row is None or row[0] is None or row[0] > len(MIGRATIONS):
        raise LabelingError(f"{backup} was made by a newer program: update this one first.")


def _require_closed(database: Path) -> None:
    """Also writes what its log holds into the file, so that it can be moved."""
    if not database.exists():
        return
    try:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH {literal(str(database))} AS closing")
            connection.execute("DETACH closing")
    except duckdb.Error as error:
        if is_held(error):
            raise LabelingError(
                f"The database {database} is open in another process: stop the app first."
            ) from error
        # It cannot be read: all the more reason to put a backup in its place.


def _put_in_place(part: Path, database: Path) -> Path | None:
    """Where the file lies that ``part`` replaces; both are where they were if that fails."""
    replaced = _move_away(database)
    try:
        replace(part, database)
    except BaseException:
        if replaced is not None:
            for moved, place in ((replaced, database), (log_of(replaced), log_of(database))):
                if moved.exists():
                    replace(moved, place)
        raise
    return replaced


def _move_away(database: Path) -> Path | None:
    if not database.exists():
        return None
    stamp = now().strftime("%Y%m%d-%H%M%S-%f")
    replaced = database.with_name(f"{database.stem}-replaced-{stamp}{database.suffix}")
    replace(database, replaced)
    if log_of(database).exists():
        replace(log_of(database), log_of(replaced))
    return replaced
