"""What the database and all beside it take on the disk, and what of it may be cleared."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core import config
from labeling_core.errors import LabelingError
from labeling_core.modalities.renditions import FOLDER as RENDITIONS
from labeling_core.modalities.renditions import trim
from labeling_core.people import EVERYWHERE, Person
from labeling_core.projects import lifecycle
from labeling_core.sessions.loop import Loop
from labeling_core.settings import Project, output_tables, quote
from labeling_core.sources import remote_folders
from labeling_core.sources.folders import UPLOADS
from labeling_core.sources.remote_folders import REMOTE
from labeling_core.sources.uploads import WAITING, remove_forgotten
from labeling_core.store import backups, eventlog, events
from labeling_core.store.database import OWN_FOLDERS, SIMULATIONS, Database, literal
from labeling_core.store.file_names import folder_name
from labeling_core.store.file_state import log_of
from labeling_core.store.removal import remove

log = logging.getLogger(__name__)
LOOK = 300.0  # seconds between two looks at the limits
FEATURES, WAIT, FETCHED = "features", "waiting uploads", "fetched files"
# What may be cleared, and what that costs. No decision, no label and no file that is nowhere else.
CLEARABLE = {
    RENDITIONS: "Pictures and audio are made again when they are shown.",
    FEATURES: "They are computed again before the next session: files are read as at the first "
    "time.",
    WAIT: "Files that were chosen on a form more than an hour ago, and no project was made of, "
    "have to be chosen again.",
    FETCHED: "Files of remote folders are fetched again when they are needed.",
}
YOUNG = 3600.0  # seconds during which somebody may still fill in the form of an upload


class Use(NamedTuple):
    """One kind of thing of one project (or of none, ""): how many there are, and their bytes."""

    kind: str
    project: str
    number: int
    size: int


class Storage(NamedTuple):
    """``uses`` with those of the tables, which lie within the ``file`` bytes of the database and
    its log; ``beside`` are the bytes of all else, ``free`` those that the disk still has."""

    uses: list[Use]
    file: int
    beside: int
    free: int


def look(database: Database, by: Person) -> Storage:
    """Add up what is there. Sizes of tables are whole blocks that DuckDB has written."""
    by.require("manage")
    with database.read() as cursor:
        projects = lifecycle.list_projects(cursor)
        inside = list(_tables(cursor, projects))
    outside = [each for each in _files(database, projects) if each.number]
    whole = [each for each in (database.path, log_of(database.path)) if each.exists()]
    return Storage(
        [*inside, *outside],
        sum(each.stat().st_size for each in whole),
        sum(each.size for each in outside),
        shutil.disk_usage(database.path.parent).free,
    )


def _tables(cursor: duckdb.DuckDBPyConnection, projects: list[Project]) -> Iterator[Use]:
    """The tables of each project, the event log by its events, and what belongs to no project."""
    owners = {f"main.{quote(name)}": each.project_id
              for each in projects for name in output_tables(each.settings)}  # fmt: skip
    row = cursor.execute(
        "SELECT block_size FROM pragma_database_size() WHERE database_name = current_database()"
    ).fetchone()
    block = int(row[0]) if row else 0
    sums: dict[tuple[str, str], list[int]] = {}
    for schema, name in cursor.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() "
        "WHERE database_name = current_database()"
    ).fetchall():
        table = f"{quote(schema)}.{quote(name)}"
        size = block * _blocks(cursor, table)
        if (schema, name) == ("labeling", "events"):
            yield from _event_log(cursor, size)
            continue
        owner = owners.get(f"main.{quote(name)}", "") if schema == "main" else ""
        if schema == "labeling_pool":
            named = name.partition("_")[2]
            owner = next((e.project_id for e in projects if e.project_id == named), "")
        kind = "tables" if owner else "other tables" if schema == "main" else "internal tables"
        found = sums.setdefault((kind, owner), [0, 0])
        found[0] += 1
        found[1] += size
    yield from (Use(*key, *each) for key, each in sums.items())


def _blocks(cursor: duckdb.DuckDBPyConnection, table: str) -> int:
    """How many blocks hold a table."""
    row = cursor.execute(
        "SELECT count(DISTINCT block) FROM (SELECT unnest(list_append(additional_block_ids, "
        f"block_id)) AS block FROM pragma_storage_info({literal(table)}) WHERE persistent)"
    ).fetchone()
    return int(row[0]) if row else 0


def _event_log(cursor: duckdb.DuckDBPyConnection, size: int) -> Iterator[Use]:
    """Its events by project, each with its share of the bytes."""
    numbers = events.numbers(cursor)
    total = sum(numbers.values())
    for project_id, number in numbers.items():
        yield Use("event log", project_id, number, size * number // total)


def _files(database: Database, projects: list[Project]) -> Iterator[Use]:
    files, uploads = database.files(), database.path.parent / UPLOADS
    for each in projects:
        folder = files / folder_name(each.project_id)
        yield _use(RENDITIONS, each.project_id, [folder / RENDITIONS])
        yield _use(FEATURES, each.project_id, feature_folders(folder))
    sources = {each.settings.source: each.project_id for each in projects}
    for place in sorted(uploads.glob("[!.]*")):
        yield _use("uploads", sources.get(f"{UPLOADS}/{place.name}", ""), [place])
    yield _use(WAIT, "", uploads.glob(f"{WAITING}*"))
    yield _use(FETCHED, "", (database.path.parent / REMOTE).glob(f"*/{remote_folders.FETCHED}"))
    yield _use(SIMULATIONS, "", [files / SIMULATIONS])
    copies = backups.list_backups(database.path)
    yield Use("backups", "", len(copies), sum(each.size for each in copies))
    known = {folder_name(each.project_id) for each in projects} | OWN_FOLDERS
    yield _use("other files", "", [e for e in files.glob("*") if e.name not in known])


def feature_folders(folder: Path) -> list[Path]:
    """Where the numbers of samples lie in a project's folder."""
    return [*folder.glob("features_*"), folder / "extracted"]


def _use(kind: str, project_id: str, places: Iterable[Path]) -> Use:
    sizes = [size for place in places for size in _sizes(place)]
    return Use(kind, project_id, len(sizes), sum(sizes))


def _sizes(place: Path) -> Iterator[int]:
    """The bytes of each file in a folder, or of the file; what goes meanwhile is passed over."""
    with suppress(OSError):
        if not place.is_dir():
            yield place.stat().st_size
    for root, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                yield Path(root, name).lstat().st_size


def clear(loop: Loop, kind: str, project_id: str, by: Person) -> int:
    """Remove what CLEARABLE names of one project, or of all of them (""); the bytes that went.

    Raises LabelingError for what may not be cleared, and for features while they are in use.
    """
    by.require("manage")
    if kind not in CLEARABLE:
        kinds = ", ".join(CLEARABLE)
        raise LabelingError(f"“{kind}” cannot be cleared: choose one of {kinds}.")
    database, home = loop.database, loop.database.path.parent
    with database.read() as cursor:
        found = lifecycle.list_projects(cursor)
    folders = {
        each.project_id: database.files() / folder_name(each.project_id)
        for each in found
        if project_id in (EVERYWHERE, each.project_id)
    }
    if project_id != EVERYWHERE and not folders:
        raise LabelingError(f"There is no project “{project_id}”.", "project")
    if kind == RENDITIONS:
        went = _removed(each / RENDITIONS for each in folders.values())
    elif kind == WAIT:
        waiting = (home / UPLOADS).glob(f"{WAITING}*")
        went = _removed(each for each in waiting if abs(time.time() - each.stat().st_mtime) > YOUNG)
    elif kind == FETCHED:
        went = _removed((home / REMOTE).glob(f"*/{remote_folders.FETCHED}"))
    else:
        with database.lock:  # no session starts meanwhile
            for each in folders:
                loop.require_idle(each)
            went = _removed(each for folder in folders.values() for each in feature_folders(folder))
    eventlog.note(database, project_id, by, "cleared", {"what": kind, "bytes": went})
    return went


def _removed(places: Iterable[Path]) -> int:
    """Remove these files and folders; the bytes that they held."""
    there = list(places)
    size = _use("", "", there).size
    for each in there:
        remove(each)
    return size


class Housekeeping:
    """One thread that keeps the limits: of renditions, and of how long an upload may wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, look: float = LOOK) -> None:
        """Look at once, and every ``look`` seconds."""

        def serve() -> None:
            self.now()
            while not self._closing.wait(look):
                self.now()

        self._thread = threading.Thread(target=serve, name="housekeeping", daemon=True)
        self._thread.start()

    def now(self) -> None:
        """Remove what is beyond the limits; a warning in the log where that fails."""
        try:
            trim(self._database.files(), config.RENDITIONS.get() * 1e6)
            remove_forgotten(self._database.path.parent)
        except (LabelingError, OSError) as error:
            log.warning("What is beyond the limits could not be removed: %s", error)

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(10)
