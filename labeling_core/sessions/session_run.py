"""One run of a session: what it is about, and where its files lie."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from labeling_core.labeling.queue import Queue
from labeling_core.sessions.features import features_folder
from labeling_core.settings import Project
from labeling_core.store.database import Database


class SessionRun(NamedTuple):
    """Session ``session_id`` of a project, from its first step until it is published.

    It learns from the first ``limit`` labels only: a session that catches up stands for an
    earlier moment.
    """

    database: Database
    project: Project
    queue: Queue
    session_id: int
    limit: int

    @property
    def features(self) -> Path:
        """The folder of the feature matrix that it learns from."""
        return features_folder(self.database, self.project)

    @property
    def out(self) -> Path:
        """The folder for its task and for what the worker finds."""
        return self.database.files(self.project.project_id, "session")
