"""What deleted projects have left: their tables, and what was uploaded for them.

The tables stay when a project is deleted, for labels outlive it. Dropping them makes their names
free again; a backup is made before, and bears the project's id.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb

from labeling_core.access.roles import Roles
from labeling_core.errors import LabelingError
from labeling_core.people import Person
from labeling_core.projects import lifecycle
from labeling_core.sessions.loop import Loop
from labeling_core.settings import Project, default_tables, output_tables, quote
from labeling_core.sources.folders import UPLOADS, source_folder
from labeling_core.store import eventlog, events
from labeling_core.store.backups import Backup, Backups
from labeling_core.store.database import OWN_FOLDERS, Database, columns, folder_of, tables
from labeling_core.store.removal import remove

_METADATA = ("sample_id", "status", "session_id", "annotator", "labeled_at")


class Remains(NamedTuple):
    """What is left of a deleted project: its ``tables`` (labels and metadata), and ``source``, the
    table or the folder (``uploads/…``) that was uploaded for it and that nothing else uses."""

    project_id: str
    title: str
    tables: tuple[str, ...]
    source: str = ""

    @property
    def in_backup(self) -> bool:
        """Whether a backup holds all of it: files that were uploaded are in none."""
        return not self.source.startswith(f"{UPLOADS}/")


def listed(cursor: duckdb.DuckDBPyConnection) -> list[Remains]:
    """The deleted projects of which something is left, by id.

    Of those that an earlier version has deleted the log does not name the tables: they are known
    where they have the names that their title stands for.
    """
    projects = lifecycle.list_projects(cursor)
    used = {name for each in projects for name in _used(each)}
    there, home = set(tables(cursor)), folder_of(cursor)
    found = []
    for project_id in sorted(events.project_ids(cursor) - {e.project_id for e in projects}):
        detail = events.last_detail(cursor, project_id, "deleted")
        if detail is None:
            continue
        title = str(detail.get("title", project_id))
        usual = default_tables(title)
        names = detail.get("tables") or [usual["labels_table"], usual["metadata_table"]]
        left = _ours(cursor, names, there - used)
        source = str(detail.get("source") or "")
        lies = source in there or (home / source).is_dir()
        source = source if source and lies and source not in used else ""
        if left or source:
            found.append(Remains(project_id, title, left, source))
    return found


def _used(project: Project) -> list[str]:
    settings = project.settings
    return [*output_tables(settings), settings.source, settings.test_table]


def _ours(cursor: duckdb.DuckDBPyConnection, names: list[str], there: set[str]) -> tuple[str, ...]:
    """Of a project's labels and metadata table those that are there, and still have its columns:
    somebody may have made others of these names since."""
    labels, metadata = names
    known = [column for column, _ in columns(cursor, metadata)] if metadata in there else []
    if not set(_METADATA) <= set(known):
        return ()
    of_labels = [column for column, _ in columns(cursor, labels)] if labels in there else []
    both = of_labels[-2:] == [known[3], known[0]]  # the label column, the label id
    return (labels, metadata) if both else (metadata,)


def drop(database: Database, backups: Backups, project_id: str, source: bool, by: Person) -> Backup:
    """Drop what a deleted project has left, after a backup, which is returned; with ``source`` also
    what was uploaded for it. Raises LabelingError where nothing is left, or no backup can be made.
    """
    by.require("manage")
    with database.read() as cursor:
        _left(cursor, project_id)
    made = backups.make(by, dropping=project_id)
    _drop(database, project_id, source, made, by)
    return made


def forget(loop: Loop, roles: Roles, project_id: str, by: Person) -> None:
    """Delete a project; its labels and metadata tables stay."""
    by.require("manage", project_id)
    database = loop.database
    with database.lock:
        loop.require_idle(project_id)
        project = loop.open_projects.project(project_id)
        with database.transaction() as cursor:
            detail = _told(cursor, project)
            lifecycle.delete_project(database, project_id)
            eventlog.note(database, project_id, by, "deleted", detail)
        roles.read()
        loop.open_projects.forget(project_id)
        if project_id not in OWN_FOLDERS:  # an id from before these were kept out
            remove(database.files(project_id))


def forget_and_drop(
    loop: Loop, roles: Roles, backups: Backups, project_id: str, source: bool, by: Person
) -> Backup:
    """Delete a project with its tables, and with ``source`` what was uploaded for it; the backup
    that was made before, from which all but uploaded files comes back.

    Raises LabelingError when somebody works on the project while the backup is made.
    """
    by.require("manage")
    database = loop.database
    loop.open_projects.project(project_id)
    loop.require_idle(project_id)
    before = _last_event(database, project_id)
    made = backups.make(by, dropping=project_id)
    with database.lock:
        if _last_event(database, project_id) != before:
            raise LabelingError(
                "Somebody has worked on the project meanwhile: nothing was deleted. Try again when "
                "nobody labels there."
            )
        forget(loop, roles, project_id, by)
        _drop(database, project_id, source, made, by)
    return made


def uploaded(cursor: duckdb.DuckDBPyConnection, project: Project) -> str:
    """The table or folder that was uploaded for a project and that no other uses; else ""."""
    source = project.settings.source
    made = events.last_detail(cursor, project.project_id, "created") or {}
    ours = made.get("uploaded") and made.get("source") == source
    ours = ours or source.startswith(f"{UPLOADS}/")
    others = [e for e in lifecycle.list_projects(cursor) if e.project_id != project.project_id]
    return source if ours and source not in {n for e in others for n in _used(e)} else ""


def _told(cursor: duckdb.DuckDBPyConnection, project: Project) -> dict[str, Any]:
    """What the event log keeps of a project that is deleted now, for :func:`listed`."""
    settings = project.settings
    return {
        "title": settings.title,
        "tables": [settings.labels_table, settings.metadata_table],
        "source": uploaded(cursor, project),
    }


def _last_event(database: Database, project_id: str) -> int:
    with database.read() as cursor:
        return events.newest(cursor, project_id)


def _drop(database: Database, project_id: str, source: bool, made: Backup, by: Person) -> None:
    """Drop what is in the backup ``made``; the files of an upload go when that is committed."""
    with database.transaction() as cursor:
        left = _left(cursor, project_id)
        uploaded = left.source if source else ""
        for name in (*left.tables, *([uploaded] if uploaded and left.in_backup else [])):
            cursor.execute(f"DROP TABLE IF EXISTS main.{quote(name)}")
        detail = {"title": left.title, "tables": list(left.tables), "backup": made.path.name}
        detail |= {"source": uploaded} if uploaded else {}
        eventlog.note(database, project_id, by, "dropped", detail)
    if uploaded and not left.in_backup:
        remove(source_folder(uploaded, database.path.parent))


def _left(cursor: duckdb.DuckDBPyConnection, project_id: str) -> Remains:
    found = [each for each in listed(cursor) if each.project_id == project_id]
    if not found:
        raise LabelingError(f"No deleted project “{project_id}” has left tables or uploads.")
    return found[0]
