"""Lines of jobs, each for one worker process."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.sessions.worker_client import Progress, Worker

log = logging.getLogger(__name__)


class Status(NamedTuple):
    """What is being done: ``state`` off, idle, waiting, running, stopped or failed; share 0..1;
    ``since`` when (time.monotonic) it is this that is being done."""

    state: str
    text: str
    progress: float | None = None
    since: float | None = None

    def told(self) -> str:
        """The text, with how long it has taken: a step that does not know its share moves, too."""
        if self.since is None or (seconds := time.monotonic() - self.since) < 1:
            return self.text
        return f"{self.text} for {seconds:.0f} s"


class _StoppedError(Exception):
    """Somebody asked for the end of the job that is running."""


class JobLine:
    """One line of jobs for one worker."""

    def __init__(self, finished: Callable[[str], None], worker: Worker, keep: bool = True) -> None:
        """``finished`` is called with the project's id after each of its jobs; ``keep`` says
        whether the worker's process stays for the next job, or ends with each, however it ends."""
        self.worker, self._keep = worker, keep
        self._finished = finished
        self._stopping: set[str] = set()
        self._current: str | None = None
        self.status: dict[str, Status] = {}
        self.outcomes: dict[tuple[str, str], Status] = {}  # of the last job of each kind
        self._busy: Counter[str] = Counter()
        self._kinds: dict[str, str] = {}  # of the newest job of each project
        self._counting = threading.Lock()  # of what several threads count
        self._jobs: SimpleQueue[tuple[str, str, Callable[[Worker, Progress], str]] | None]
        self._jobs = SimpleQueue()
        self._thread: threading.Thread | None = None

    def running(self, project_id: str) -> bool:
        """Whether a job of this project waits or runs."""
        return self._busy[project_id] > 0

    def doing(self, project_id: str) -> str | None:
        """The kind of the job of this project that waits or runs; None where none does."""
        return self._kinds.get(project_id) if self.running(project_id) else None

    def submit(
        self, project_id: str, job: Callable[[Worker, Progress], str], kind: str = ""
    ) -> None:
        """Queue a job; it gets the worker and a progress function, and returns a last word.

        A LabelingError it raises becomes the project's status, and stays in ``outcomes`` until
        the next job of that ``kind``.
        """
        self.outcomes.pop((project_id, kind), None)
        with self._counting:
            self._busy[project_id] += 1
            self._kinds[project_id] = kind
        self._stopping.discard(project_id)
        self.status[project_id] = Status("running", "Waiting for the worker", 0.0)
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="trainer", daemon=True)
            self._thread.start()
        self._jobs.put((project_id, kind, job))

    def stop_job(self, project_id: str) -> None:
        """End the job of a project, or take it out of the line; its status says so."""
        self._stopping.add(project_id)
        if self._current == project_id:
            self.worker.pause()

    def stop(self) -> None:
        """End the worker and the line; what was running is told as failed."""
        self._jobs.put(None)
        self.worker.stop()
        if self._thread is not None:
            self._thread.join(10)

    def _serve(self) -> None:
        while (item := self._jobs.get()) is not None:
            project_id, kind, job = item
            self._current = project_id
            done = self._done(project_id, job)
            if not self._keep:
                self.worker.pause()
            self.status[project_id] = self.outcomes[project_id, kind] = done
            self._current = None
            self._tell(project_id)
            with self._counting:
                self._busy[project_id] -= 1

    def _done(self, project_id: str, job: Callable[[Worker, Progress], str]) -> Status:
        def progress(text: str, share: float) -> None:
            if project_id in self._stopping:
                raise _StoppedError
            before = self.status.get(project_id)
            same = before is not None and before.text == text and before.since is not None
            since = before.since if before is not None and same else time.monotonic()
            self.status[project_id] = Status("running", text, share, since)

        try:
            progress("Starting", 0.0)
            return Status("idle", job(self.worker, progress))
        except (_StoppedError, LabelingError) as error:
            if project_id in self._stopping:
                self.worker.pause()  # it may still be at it
                return Status("stopped", self.status[project_id].text)
            return Status("failed", str(error))
        except Exception:
            log.exception("A job failed")
            return Status("failed", "The work stopped on an unexpected fault; see the log.")

    def _tell(self, project_id: str) -> None:
        try:
            self._finished(project_id)
        except Exception:  # the line of jobs goes on whatever follows from one of them
            log.exception("What follows a session failed")
