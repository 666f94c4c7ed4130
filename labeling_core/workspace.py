"""One open database with what lives beside it in memory: queues and the trainer."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from labeling_core import (
    eventlog,
    folders,
    projects,
    queries,
    queue_loading,
    samples,
    sessions,
    tokens,
)
from labeling_core.backups import Backups
from labeling_core.database import Database
from labeling_core.group_commit import Line
from labeling_core.loop import Loop
from labeling_core.people import Person
from labeling_core.queue import Queue
from labeling_core.roles import Roles
from labeling_core.settings import Project, Settings
from labeling_core.trainer import Status, Trainer, Worker

ROOT = Path(__file__).resolve().parent.parent


def database_path() -> Path:
    """The file that LABELING_DATABASE names, else ``data/labeling.duckdb``."""
    named = os.environ.get("LABELING_DATABASE", "").strip()
    return Path(named).expanduser().resolve() if named else ROOT / "data" / "labeling.duckdb"


class Workspace:
    """Everything the pages, the routes and the command line share in one process."""

    def __init__(self, path: Path, hosted: bool = False) -> None:
        """Open the database at ``path``; LabelingError when that cannot be done.

        ``hosted``: people have logged in, and what they may do is looked up.
        """
        self.database = Database(path)
        self.roles = Roles(self.database, hosted)
        self.key = tokens.read_key(self.database.files(), "hosted" if hosted else "local")
        self.loop = Loop(self)
        self.backups = Backups(self.database)
        self.simulator = Trainer(lambda simulation_id: None, Worker())
        self._projects: dict[str, Project] = {}
        self._queues: dict[str, Queue] = {}
        # Nobody else can write to the file while it is open: a table is compared once a run.
        self._refreshed: set[str] = set()
        self._lines: dict[str, Line] = {}
        self.database.on_failed_commit = self._forget_all
        sessions.fail_interrupted(self.database)

    def close(self) -> None:
        """End the workers and close the file."""
        self.backups.close()
        self.simulator.stop()
        self.loop.stop()
        self.database.close()

    def project(self, project_id: str) -> Project:
        """The project of that id; LabelingError when there is none."""
        known = self._projects.get(project_id)
        if known is None:
            with self.database.lock, self.database.read() as cursor:
                known = self._projects[project_id] = projects.get_project(cursor, project_id)
        return known

    def queue(self, project: Project) -> Queue:
        """The project's queue, loaded at the first use."""
        with self.database.lock:
            if project.project_id not in self._queues:
                # A page that is open still has the project as it was when it was drawn.
                project = self.project(project.project_id)
                with self.database.read() as cursor:
                    loaded = queue_loading.load(cursor, project, time.time())
                self._queues[project.project_id] = loaded
            return self._queues[project.project_id]

    def line(self, project_id: str) -> Line:
        """Where the messages of a project's decks wait to be stored together."""
        return self._lines.setdefault(project_id, Line())

    def forget(self, project_id: str) -> None:
        """Drop what is held in memory of a project, to be read anew from the tables."""
        with self.database.lock:
            self._projects.pop(project_id, None)
            self._queues.pop(project_id, None)
            self.loop.forget(project_id)

    def _forget_all(self) -> None:
        for project_id in {*self._projects, *self._queues}:
            self.forget(project_id)

    def create_project(self, settings: Settings, by: Person) -> Project:
        """Make a project; LabelingError for the first mistake in its settings."""
        by.require("manage")
        with self.database.transaction():
            project = projects.create_project(self.database, settings)
            told = {"title": project.settings.title, "source": project.settings.source}
            eventlog.note(self.database, project.project_id, by, "created", told)
        return project

    def update_project(self, project_id: str, settings: Settings, by: Person) -> Project:
        """Change a project's settings; LabelingError for the first mistake in them."""
        by.require("manage", project_id)
        with self.database.lock:
            self.loop.require_idle(project_id)
            old = self.project(project_id)
            with self.database.transaction() as cursor:
                project = projects.update_project(self.database, project_id, settings)
                queries.drop_unknown_predictions(cursor, project)
                changed = eventlog.changes(old.settings, project.settings)
                if changed:
                    told = {"changed": changed}
                    eventlog.note(self.database, project_id, by, "settings", told)
            self.forget(project_id)
        return project

    def take_over(self, project: Project) -> None:
        """Know a project by settings that were stored already; its queue stays in memory."""
        self._projects[project.project_id] = project

    def delete_project(self, project_id: str, by: Person) -> None:
        """Forget a project; its labels and metadata tables stay."""
        by.require("manage", project_id)
        with self.database.lock:
            self.loop.require_idle(project_id)
            told = {"title": self.project(project_id).settings.title}
            with self.database.transaction():
                projects.delete_project(self.database, project_id)
                eventlog.note(self.database, project_id, by, "deleted", told)
            self.roles.read()
            self.forget(project_id)
            if project_id not in folders.OWN:  # an id from before these were kept out
                shutil.rmtree(self.database.files(project_id), ignore_errors=True)

    def refresh_source(self, project: Project, by: Person) -> tuple[Project, samples.Change]:
        """Take over rows or files that were added to the source or are gone from it.

        Raises LabelingError while a session runs or files are read.
        """
        by.require("manage", project.project_id)
        with self.database.lock:
            self.loop.require_idle(project.project_id)
            project, change = self.compare_source(project)
            told = change._asdict()
            eventlog.note(self.database, project.project_id, by, "refreshed", told)
        return project, change

    def compare_source(
        self, project: Project, again: bool = True
    ) -> tuple[Project, samples.Change]:
        """Take over what has changed in the source; looked at once a run unless ``again``."""
        if not again and project.project_id in self._refreshed:
            return project, samples.Change(0, 0)
        self._refreshed.add(project.project_id)
        unchanged = samples.Change(0, 0)
        with self.database.read() as cursor:
            if not samples.source_exists(cursor, project.settings):
                return project, unchanged  # it is gone: what is known of it goes on serving
            if samples.fingerprint(cursor, project.settings) == project.source_fingerprint:
                return project, unchanged
        with self.database.lock:
            project, change = projects.refresh(self.database, project)
            self.forget(project.project_id)
        return project, change


_open: dict[Path, Workspace] = {}
_open_lock = threading.Lock()


def workspace(hosted: bool = True) -> Workspace:
    """The process's one workspace on :func:`database_path`; LabelingError if it cannot open.

    A database made new comes with the sample projects. Whoever opens it first decides for good
    whether the use is ``hosted``; who forgets to say so keeps everybody out.
    """
    path = database_path()
    with _open_lock:
        if path not in _open:
            opened = Workspace(path, hosted)
            if opened.database.created:
                from labeling_core.sample_projects import create_all

                create_all(opened.database)
            opened.backups.start()
            _open[path] = opened
        return _open[path]


def close_workspaces() -> None:
    """Close what :func:`workspace` has opened."""
    with _open_lock:
        for each in _open.values():
            each.close()
        _open.clear()


def describe(status: Status) -> dict[str, Any]:
    """A status as the deck reads it."""
    return {"state": status.state, "text": status.text, "progress": status.progress}
