"""The worker process as the server sees it: started, given jobs, ended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from labeling_core.config import TRAINING_MEMORY, TRAINING_SECONDS
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
            if self._child is None or not self._child.running:
                self._end()
                TRAINING_MEMORY.get()  # said here if it is wrong, not in the log of a worker
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
        """Do one job and return its result.

        Raises LabelingError with the worker's sentence when it fails, dies or takes longer
        than LABELING_TRAINING_SECONDS.
        """
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
