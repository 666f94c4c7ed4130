"""The worker process as the server sees it: started, given jobs, ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from labeling_core.config import TRAINING_MEMORY, TRAINING_SECONDS, WORKER_MEMORY
from labeling_core.errors import LabelingError
from labeling_core.modalities.child_program import ChildProgram

log = logging.getLogger(__name__)


# What the worker imports at once, so that the first session does not wait for it.
LEARNING = (
    "labeling_core.sessions.worker_jobs",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.kernel_approximation",
    "sklearn.linear_model",
    "skops.io",
    "pyarrow.parquet",
)


Progress = Callable[[str, float], None]


def held(pid: int) -> float:
    """Megabytes of memory that a process has for itself: no files that it has mapped, which the
    system takes back at will. 0 where the system does not tell (other than Linux)."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0


class Worker:
    """The worker process, started at the first job and again after a crash."""

    def __init__(self, imports: tuple[str, ...] = LEARNING) -> None:
        """``imports`` names the modules that the process loads when it starts."""
        self._imports = imports
        self._child: ChildProgram | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def start(self) -> ChildProgram:
        """Start the process if it does not run; it warms up by itself.

        Raises LabelingError after :meth:`stop`.
        """
        with self._lock:
            if self._stopped:
                raise LabelingError("The program is ending: no session can start any more.")
            if self._child is not None and self._child.running:
                return self._child
            self._end()
            return self._start()

    def _start(self) -> ChildProgram:
        for each in (TRAINING_MEMORY, WORKER_MEMORY):
            each.get()  # said here if it is wrong, not in the log of a worker
        self._child = ChildProgram("labeling_core.sessions.worker", *self._imports)
        return self._child

    def pause(self) -> None:
        """End the process, whatever it is doing; the next job starts another."""
        with self._lock:
            self._end()

    def stop(self) -> None:
        """End the process, whatever it is doing, for good."""
        with self._lock:
            self._stopped = True
            self._end()

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def run(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Do one job and return its result. A process that holds more than LABELING_WORKER_MEMORY
        after it is replaced by a fresh one, which warms up until the next job.

        Raises LabelingError with the worker's sentence when it fails, dies or takes longer
        than LABELING_TRAINING_SECONDS.
        """
        try:
            return self._run(job, progress)
        finally:
            self._replace_if_grown()

    def _replace_if_grown(self) -> None:
        with self._lock:
            child = self._child
            if child is None or not child.running or held(child.pid) <= WORKER_MEMORY.get():
                return
            log.info("The worker held more than %s MB: it is replaced", WORKER_MEMORY.get())
            self._end()
            self._start()

    def _run(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        seconds, child = TRAINING_SECONDS.get(), self.start()
        with child.within(seconds) as overdue:
            try:
                for answer in child.ask(job):
                    if "error" in answer:
                        raise LabelingError(answer["error"])
                    if "progress" not in answer:
                        return dict(answer["result"])
                    progress(*answer["progress"])
            except (OSError, ValueError) as error:  # it broke, or was ended by stop()
                log.warning("The worker could not be reached: %s", error)
        child.end()  # it may live: when its answer could not be read, nobody listens any more
        if overdue.is_set():
            raise LabelingError(
                f"Training was ended after {seconds:g} seconds; labeling is not affected. Choose a "
                "lighter classifier, or a higher LABELING_TRAINING_SECONDS."
            )
        raise LabelingError(
            "The training process was ended from outside, or for lack of memory; labeling is not "
            "affected, and the next session starts a new one."
        )
