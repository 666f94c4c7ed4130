"""What has to be ready before anything can be learned: the features, and a first order of the pool.

Labeling does not wait for it: until then samples come in random order.
"""

from __future__ import annotations

from functools import partial

from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.modalities.registry import modality_of
from labeling_core.sessions import cold_start, features
from labeling_core.sessions.jobs import JobLine, Status
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project
from labeling_core.store.checkpoints import let_go

FEATURES = "features"  # kind of its jobs


class Preparing:
    """The jobs that make projects ready, in the line of the ``trainer``; of files in that of the
    ``reader``, since it may take hours to read them."""

    def __init__(self, open_projects: OpenProjects, trainer: JobLine, reader: JobLine) -> None:
        """Start nothing yet."""
        self._open_projects, self._database = open_projects, open_projects.database
        self._trainer, self._reader = trainer, reader

    def line(self, project: Project) -> JobLine:
        """Where its jobs are done."""
        return self._reader if modality_of(project.settings).reads_files else self._trainer

    def missing(self, project: Project) -> bool:
        """Whether features or the first order of the pool are missing."""
        read = features.have_features(self._database, project)
        return not read or cold_start.missing(project, self._open_projects.queue(project))

    def status(self, project: Project) -> Status | None:
        """How far it is, while it is at it, was stopped, or has failed; None when nobody has
        asked for it, or nothing is missing any more."""
        line = self.line(project)
        if line.doing(project.project_id) == FEATURES:
            return line.status.get(project.project_id)
        done = line.outcomes.get((project.project_id, FEATURES))
        return done if done and done.state != "idle" and self.missing(project) else None

    def stopped(self, project: Project) -> Status | None:
        """How far it was when somebody stopped it: then it goes on when they say so."""
        status = self.status(project)
        return status if status and status.state == "stopped" else None

    def begin(self, project: Project) -> None:
        """Do what is missing, in the background; files go on where they were stopped."""
        if not self.missing(project):
            return

        def work(worker: Worker, progress: Progress) -> str:
            get_queue = partial(self._open_projects.queue, project)
            let_go(self._database)  # of what making the project has read
            folder = features.ensure_features(self._database, project, get_queue, worker, progress)
            cold_start.run(self._database, project, get_queue, folder, worker, progress)
            return "features are ready"

        with self._database.lock:
            if not any(each.running(project.project_id) for each in (self._trainer, self._reader)):
                self.line(project).submit(project.project_id, work, FEATURES)

    def stop(self, project: Project) -> None:
        """Stop it; of files, what was read is kept. A session goes on."""
        line = self.line(project)
        if line.doing(project.project_id) == FEATURES:
            line.stop_job(project.project_id)
