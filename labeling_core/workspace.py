"""One open database with what lives beside it: queues, workers, backups."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from labeling_core.access import tokens
from labeling_core.access.roles import Roles
from labeling_core.access.sign_outs import SignOuts
from labeling_core.config import DATABASE
from labeling_core.errors import LabelingError
from labeling_core.integrity.storage import Housekeeping
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.queue import Queue
from labeling_core.live_sql.service import LiveSql
from labeling_core.projects import lifecycle
from labeling_core.sessions import records
from labeling_core.sessions.loop import Loop
from labeling_core.settings import Project
from labeling_core.simulation.simulations import Simulations
from labeling_core.sources.folders import UPLOADS
from labeling_core.store import holder
from labeling_core.store.backups import Backups, backup_folder, before_upgrade
from labeling_core.store.checkpoints import Checkpoints
from labeling_core.store.database import Database
from labeling_core.store.removal import sweep

log = logging.getLogger(__name__)


def database_path() -> Path:
    """The file that LABELING_DATABASE names, else ``data/labeling.duckdb``."""
    return DATABASE.get()


class Workspace:
    """Everything the pages, the routes and the command line share in one process."""

    def __init__(self, path: Path, hosted: bool = False) -> None:
        """Open the database at ``path``; LabelingError when that cannot be done.

        ``hosted``: people have logged in, and what they may do is looked up.
        """
        self.database = Database(path, before_upgrade)
        self._require_readable()
        self.roles = Roles(self.database, hosted)
        self._sweep()
        holder.claim(path)
        self.key = tokens.read_key(self.database.files(), "hosted" if hosted else "local")
        self.sign_outs = SignOuts(self.database.files())
        self.open_projects = OpenProjects(self.database)
        self.loop = Loop(self.open_projects)
        self.open_projects.on_forget = self.loop.forget
        self.backups = Backups(self.database)
        self.checkpoints = Checkpoints(self.database)
        self.housekeeping = Housekeeping(self.database)
        self.loop.on_job_end = self.checkpoints.now
        self.simulations = Simulations(self.database)
        self.companions: list[Companion] = []
        self.live_sql = LiveSql(self.database)
        records.fail_interrupted(self.database)

    def _require_readable(self) -> None:
        """Raise LabelingError, with the file closed, if a project's settings cannot be read.

        Nobody else can write to the file while it is open: what is readable now stays so.
        """
        try:
            with self.database.read() as cursor:
                projects = lifecycle.list_projects(cursor)
        except LabelingError:
            self.database.close()
            raise
        for each in projects:
            if unknown := sorted(each.settings.newer):
                log.warning(
                    "The project %s was saved by a newer version of the program; these of its "
                    "settings are kept, and not heeded: %s", each.project_id, ", ".join(unknown),
                )  # fmt: skip

    def _sweep(self) -> None:
        """Remove what was in use when it was to be removed; nothing of ours is at work yet."""
        sweep(self.database.files(), deep=2)
        sweep(self.database.path.parent / UPLOADS)
        sweep(backup_folder(self.database.path))

    def project(self, project_id: str) -> Project:
        """The project of that id; LabelingError when there is none."""
        return self.open_projects.project(project_id)

    def queue(self, project: Project) -> Queue:
        """The project's queue, loaded at the first use."""
        return self.open_projects.queue(project)

    def close(self) -> None:
        """End the workers and close the file."""
        self.live_sql.close()
        for each in self.companions:
            each.close()
        self.backups.close()
        self.checkpoints.close()
        self.housekeeping.close()
        self.simulations.close()
        self.loop.stop()
        holder.give_up(self.database.path)
        self.database.close()


class Companion(Protocol):
    """What is beside the app's workspace, and closed before it."""

    def close(self) -> None: ...


_open: dict[Path, Workspace] = {}
_companions: list[Callable[[Workspace], Companion]] = []
_open_lock = threading.Lock()


def open_workspace(hosted: bool = True) -> Workspace:
    """The process's one workspace on :func:`database_path`; LabelingError if it cannot open.

    A database made new comes with the sample projects. Whoever opens it first decides for good
    whether the use is ``hosted``; who forgets to say so keeps everybody out.
    """
    path = database_path()
    with _open_lock:
        if path not in _open:
            opened = Workspace(path, hosted)
            if opened.database.created:
                from labeling_core.projects.sample_projects import create_all

                create_all(opened.database)
            opened.backups.start()
            opened.checkpoints.start()
            opened.housekeeping.start()
            opened.companions += [each(opened) for each in _companions]
            opened.live_sql.start()
            _open[path] = opened
        return _open[path]


def accompany(make: Callable[[Workspace], Companion]) -> None:
    """Have ``make`` called with each workspace that :func:`open_workspace` opens from now on."""
    if make not in _companions:
        _companions.append(make)


def close_workspaces() -> None:
    """Close what :func:`open_workspace` has opened."""
    with _open_lock:
        for each in _open.values():
            each.close()
        _open.clear()
