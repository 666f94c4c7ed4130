"""The score that the line about the loop tells: that of Session progress, never another one."""

from __future__ import annotations

from typing import Any

from labeling_core.labeling.queue import Queue
from labeling_core.progress import learning_curve, session_words
from labeling_core.settings import Project
from labeling_core.store.database import Database


class ToldAccuracy:
    """Works the figure out when a probe has been labeled or a session published, and keeps it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: dict[str, tuple[Any, str]] = {}

    def words(self, project: Project, queue: Queue) -> str:
        """The score of the last measured session, for a line; empty if none was measured."""
        probes = int(queue.pool.closed[: queue.pool.probe_limit].sum())
        state = (queue.session_id, probes, project.renames, sorted(queue.counts.categories.items()))
        known = self._told.get(project.project_id)
        if known is None or known[0] != state:
            known = self._told[project.project_id] = (state, self._read(project, queue))
        return known[1]

    def forget(self, project_id: str) -> None:
        """Drop what is kept of a project."""
        self._told.pop(project_id, None)

    def _read(self, project: Project, queue: Queue) -> str:
        newest = queue.session_id
        with self._database.read() as cursor:
            found = learning_curve.sessions(cursor, project, queue, newest)
            if learning_curve.last_measured(found) is None:  # it was not; one before it may be
                found = learning_curve.sessions(cursor, project, queue)
        last = learning_curve.last_measured(found)
        if last is None:
            return ""
        of = "" if last.session_id == newest else f" in session {last.session_id}"
        return session_words.score(last) + of
