"""Copies of the database: made while labeling goes on and before an upgrade, kept for a while."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.people import EVERYWHERE, Person
from labeling_core.store import eventlog
from labeling_core.store.database import BACKUPS, CATALOG, Database, literal, now
from labeling_core.store.file_names import files_of
from labeling_core.store.file_state import log_of
from labeling_core.store.removal import remove, replace

log = logging.getLogger(__name__)
FIRST_LOOK, LOOK = 60.0, 600.0  # seconds until the first look whether one is due, and between two
_CHECKPOINTS = 50  # attempts, a tenth of a second apart
_STAMP = "%Y%m%dT%H%M%S%fZ"
_BEFORE, _DROPPING = "-before-upgrade-from-", "-before-dropping-"


class Backup(NamedTuple):
    """One copy: its file, when it was made (UTC), how large it is; of what schema version it is
    where it was made before an upgrade from that one, and which deleted project's tables it holds
    where it was made before they were dropped."""

    path: Path
    made: datetime
    size: int
    upgraded_from: int | None = None
    dropped: str = ""


def backup_folder(database: Path) -> Path:
    """The folder that LABELING_BACKUPS names, else ``<file>.files/backups`` beside the file."""
    return config.BACKUPS.get() or files_of(database) / BACKUPS


def _prefix(database: Path) -> str:
    """What the names of a database's backups begin with: ``<stem>-``.

    In a folder that it may share with others of its name, eight digits of its path's hash
    follow: ``<stem>-<hash>-``. What a version without them left there is listed, and thinned
    out, no longer; it can be put back by its path.
    """
    if backup_folder(database) == files_of(database) / BACKUPS:
        return f"{database.stem}-"
    return f"{database.stem}-{hashlib.sha256(bytes(database.resolve())).hexdigest()[:8]}-"


def part_of(database: Path) -> Path:
    """The file that a backup is until it is whole."""
    return backup_folder(database) / f"{_prefix(database)}copy.part"


def list_backups(database: Path) -> list[Backup]:
    """The backups of a database file, newest first.

    In a folder that several databases share those of this very path, see :func:`_prefix`.
    """
    found, prefix = [], _prefix(database)
    for path in backup_folder(database).glob(f"{_escaped(prefix)}*.duckdb"):
        name, _, dropped = path.stem[len(prefix) :].partition(_DROPPING)
        stamp, _, version = name.partition(_BEFORE)
        try:
            made = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
            before = int(version) if version else None
        except ValueError:
            continue
        found.append(Backup(path, made, path.stat().st_size, before, dropped))
    return sorted(found, key=lambda each: each.made, reverse=True)


def _escaped(name: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in name)


def due(backups: Sequence[Backup], moment: datetime) -> bool:
    """Whether none of these is less than a day old; one of a clock that ran ahead is none."""
    return not any(timedelta() <= moment - each.made < timedelta(days=1) for each in backups)


def superfluous(backups: Sequence[Backup], days: int, moment: datetime) -> list[Backup]:
    """Which of these (newest first) need not be kept any longer at ``moment``.

    Kept are the last one of each of the newest ``days`` days that have one, all of the newest
    such day, of those days all made before tables were dropped, and the last one made before an
    upgrade. Those of later than ``moment`` are kept beside the others by the same rule: the clock
    ran ahead when they were made, or is behind now, and neither kind may push the other out.
    """
    ahead = [each for each in backups if each.made > moment]
    return [*_superfluous(ahead, days), *_superfluous(backups[len(ahead) :], days)]


def _superfluous(backups: Sequence[Backup], days: int) -> list[Backup]:
    upgrades = [each.path for each in backups if each.upgraded_from is not None]
    by_day: dict[str, list[Backup]] = {}
    for each in backups:
        by_day.setdefault(f"{each.made:%Y-%m-%d}", []).append(each)
    kept = set(upgrades[:1]) | {
        each.path
        for number, of_day in enumerate(by_day.values())
        for place, each in enumerate(of_day)
        if number < days and (number == 0 or place == 0 or each.dropped)
    }
    return [each for each in backups if each.path not in kept]


class Backups:
    """The backups of one open database: by hand, and one a day in a thread of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._one = threading.Lock()
        self._closing = threading.Event()
        self._copying: duckdb.DuckDBPyConnection | None = None
        self._thread: threading.Thread | None = None
        self.trouble = ""  # why the last daily backup could not be made

    def make(self, by: Person, dropping: str = "") -> Backup:
        """Make a backup now, perhaps before the tables of the deleted project ``dropping`` go.

        LabelingError when one is being made, or it cannot be written.
        """
        by.require("manage")
        made = self._make(f"{_DROPPING}{dropping}" if dropping else "")
        detail = {"file": made.path.name}
        eventlog.note(self._database, EVERYWHERE, by, "backup", detail)
        return made

    def start(self, first_look: float = FIRST_LOOK, look: float = LOOK) -> None:
        """Make a backup whenever the newest is a day old; looks every ``look`` seconds."""

        def serve() -> None:
            wait = first_look
            while not self._closing.wait(wait):
                wait = look
                self._make_if_due()

        self._thread = threading.Thread(target=serve, name="backups", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; a backup under way is given up."""
        self._closing.set()
        copying = self._copying
        if copying is not None:
            copying.interrupt()
        if self._thread is not None:
            self._thread.join(10)

    def _make_if_due(self) -> None:
        try:
            if due(list_backups(self._database.path), now()):
                self._make()
            self.trouble = ""
        except (LabelingError, OSError) as error:
            self.trouble = str(error)
            log.warning("The daily backup could not be made: %s", error)

    def _make(self, suffix: str = "") -> Backup:
        if not self._one.acquire(blocking=False):
            raise LabelingError("A backup is being made already: wait for its end.")
        try:
            path = self._database.path
            folder, days = backup_folder(path), config.BACKUPS_KEEP.get()
            try:
                folder.mkdir(parents=True, exist_ok=True)
                made = self._copy(folder, _prefix(path), suffix)
            except (duckdb.Error, OSError) as error:
                raise LabelingError(
                    f"No backup could be made in {folder} ({str(error).splitlines()[0][:160]}): "
                    "check the space and the permissions there, or set LABELING_BACKUPS."
                ) from error
            for each in superfluous(list_backups(path), days, made.made):
                remove(each.path)
            return made
        finally:
            self._one.release()

    def _copy(self, folder: Path, prefix: str, suffix: str) -> Backup:
        try:
            with self._database.read() as cursor:
                self._copying = cursor
                return _copy(cursor, folder, prefix, suffix)
        finally:
            self._copying = None


def before_upgrade(connection: duckdb.DuckDBPyConnection, database: Path, version: int) -> None:
    """Copy a database file whose schema is about to be brought up from ``version``.

    Raises LabelingError where that cannot be: the file is left as it is then.
    """
    folder = backup_folder(database)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with connection.cursor() as cursor:
            made = _copy(cursor, folder, _prefix(database), f"{_BEFORE}{version}")
    except (duckdb.Error, OSError) as error:
        raise LabelingError(
            f"The database {database} has to be upgraded, and no backup could be made in {folder} "
            f"before ({str(error).splitlines()[0][:160]}): check the space and the permissions "
            "there, or set LABELING_BACKUPS. The database is as it was."
        ) from error
    log.warning("The database is upgraded from schema version %d; before: %s", version, made.path)


def _copy(cursor: duckdb.DuckDBPyConnection, folder: Path, prefix: str, suffix: str = "") -> Backup:
    """One consistent moment of the database in a file of its own, under its name when whole.

    ``COPY FROM DATABASE`` reads a snapshot: decisions are stored meanwhile, and are not in it.
    """
    part = folder / f"{prefix}copy.part"
    moment = now()
    remove_with_log(part)
    try:
        cursor.execute(f"ATTACH {literal(str(part))} AS labeling_backup")
        try:
            cursor.execute(f"COPY FROM DATABASE {CATALOG} TO labeling_backup")
            _checkpoint(cursor)
        finally:
            cursor.execute("DETACH labeling_backup")
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        path = folder / f"{prefix}{moment.strftime(_STAMP)}{suffix}.duckdb"
        replace(part, path)
    finally:
        remove_with_log(part)
    return Backup(path, moment, path.stat().st_size, dropped=suffix.partition(_DROPPING)[2])


def _checkpoint(cursor: duckdb.DuckDBPyConnection) -> None:
    """Move all into the file itself; DuckDB refuses while another transaction writes or ends."""
    for _ in range(_CHECKPOINTS - 1):
        try:
            cursor.execute("CHECKPOINT labeling_backup")
            return
        except duckdb.TransactionException:
            time.sleep(0.1)
    cursor.execute("CHECKPOINT labeling_backup")


def remove_with_log(path: Path) -> None:
    """Remove a database file that nobody has open."""
    for each in (path, log_of(path)):
        remove(each)
