"""The projects of an open database, with what is held of each in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labeling_core.labeling import queue_loading
from labeling_core.labeling.queue import Queue
from labeling_core.projects import lifecycle, samples, set_aside
from labeling_core.settings import Project
from labeling_core.store.database import Database
from labeling_core.store.group_commit import Line


class OpenProjects:
    """Projects and their queues, read from the tables at the first use and kept."""

    def __init__(self, database: Database) -> None:
        """Read nothing yet; after a failed commit everything is read anew."""
        self.database = database
        # Called with the id of a project that is forgotten: others may hold something of it, too.
        self.on_forget: Callable[[str], None] = lambda project_id: None
        self._projects: dict[str, Project] = {}
        self._queues: dict[str, Queue] = {}
        # Nobody else can write to the file while it is open: a table is compared once a run.
        self._refreshed: set[str] = set()
        self._lines: dict[str, Line] = {}
        database.on_failed_commit = self.forget_all

    def project(self, project_id: str) -> Project:
        """The project of that id; LabelingError when there is none."""
        known = self._projects.get(project_id)
        if known is None:
            with self.database.lock, self.database.read() as cursor:
                known = self._projects[project_id] = lifecycle.get_project(cursor, project_id)
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

    def in_use(self) -> dict[str, Queue]:
        """The queues that are in memory, by the id of their project."""
        with self.database.lock:
            return dict(self._queues)

    def line(self, project_id: str) -> Line:
        """Where the messages of a project's decks wait to be stored together."""
        return self._lines.setdefault(project_id, Line())

    def forget(self, project_id: str) -> None:
        """Drop what is held in memory of a project, to be read anew from the tables."""
        with self.database.lock:
            self._projects.pop(project_id, None)
            self._queues.pop(project_id, None)
            self.on_forget(project_id)

    @contextmanager
    def in_step(self, project_id: str) -> Iterator[None]:
        """Hold the lock while tables and memory of a project change. When that fails, memory may
        be ahead of the tables, or behind: it is read anew."""
        with self.database.lock:
            try:
                yield
            except BaseException:
                self.forget(project_id)
                raise

    def forget_all(self) -> None:
        """The same of every project."""
        for project_id in {*self._projects, *self._queues}:
            self.forget(project_id)

    def take_over(self, project: Project) -> None:
        """Know a project by settings that were stored already; its queue stays in memory."""
        self._projects[project.project_id] = project

    def made(self, project: Project) -> None:
        """Know a project that was made just now, of the source as it is."""
        self._refreshed.add(project.project_id)

    def compare_source(
        self, project: Project, again: bool = True, retry: bool = True
    ) -> tuple[Project, samples.Change]:
        """Take over what has changed in the source; looked at once a run unless ``again``. With
        ``retry`` too, files that were set aside get another chance, changed or not."""
        if not again and project.project_id in self._refreshed:
            return project, samples.Change(0, 0)
        self._refreshed.add(project.project_id)
        unchanged = samples.Change(0, 0)
        with self.database.read() as cursor:
            if not samples.source_exists(cursor, project.settings):
                return project, unchanged  # it is gone: what is known of it goes on serving
            same = samples.fingerprint(cursor, project.settings) == project.source_fingerprint
            if same and not (again and retry and set_aside.count(cursor, project.project_id)):
                return project, unchanged
        with self.database.lock:
            project, change = lifecycle.refresh(self.database, project)
            self.forget(project.project_id)
        return project, change
