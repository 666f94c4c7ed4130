"""The worker process as the server sees it: started, given jobs, ended."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from labeling_core.config import TRAINING_MEMORY, TRAINING_SECONDS, child_environment
from labeling_core.errors import LabelingError

log = logging.getLogger(__name__)


# What the worker imports at once, so that the first session does not wait for it.
LEARNING = (
    "labeling_core.sessions.worker_jobs",
    "sklearn.compose",
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
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def start(self) -> subprocess.Popen[str]:
        """Start the process if it does not run; it warms up by itself.

        Raises LabelingError after :meth:`stop`.
        """
        with self._lock:
            if self._stopped:
                raise LabelingError("The program is ending: no session can start any more.")
            if self._process is None or self._process.poll() is not None:
                self._end()
                TRAINING_MEMORY.get()  # said here if it is wrong, not in the log of a worker
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "labeling_core.sessions.worker", *self._imports],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=child_environment(),
                )
            return self._process

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
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what was not flushed has no reader any more
                        pipe.close()

    def run(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Do one job and return its result.

        Raises LabelingError with the worker's sentence when it fails, dies or takes longer
        than LABELING_TRAINING_SECONDS.
        """
        seconds = TRAINING_SECONDS.get()
        process = self.start()
        assert process.stdin is not None and process.stdout is not None
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            result = _await_result(process.stdout, progress)
            if result is not None:
                return result
        except (OSError, ValueError) as error:  # a pipe that broke, or was closed by stop()
            log.warning("The worker could not be reached: %s", error)
        finally:
            timer.cancel()
        process.kill()  # it may live: when its answer could not be read, nobody listens any more
        process.wait()
        if overdue.is_set():
            raise LabelingError(
                f"Training was ended after {seconds:g} seconds; labeling is not affected. Choose a "
                "lighter classifier, or a higher LABELING_TRAINING_SECONDS."
            )
        raise LabelingError(
            "The training process was ended from outside, or for lack of memory; labeling is not "
            "affected, and the next session starts a new one."
        )


def _await_result(answers: IO[str], progress: Progress) -> dict[str, Any] | None:
    """The worker's result, after any progress; None if it ended before. LabelingError with its
    sentence when the job failed."""
    for line in answers:
        answer = json.loads(line)
        if not isinstance(answer, dict):
            raise ValueError(f"no answer: {line[:80]!r}")
        if "error" in answer:
            raise LabelingError(answer["error"])
        if "progress" not in answer:
            return dict(answer["result"])
        progress(*answer["progress"])
    return None
