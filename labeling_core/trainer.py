"""When a session runs (a pure rule) and where (in a line of jobs for a niced worker process)."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, NamedTuple

from labeling_core.errors import LabelingError

log = logging.getLogger(__name__)
CATCH_UP = 5
# What a job may take before it is ended: seconds, and megabytes of memory (0: any amount).
LIMITS = {"LABELING_TRAINING_SECONDS": 3600.0, "LABELING_TRAINING_MEMORY": 0.0}
# What the worker imports at once, so that the first session does not wait for it.
LEARNING = ("sklearn.compose", "sklearn.linear_model", "skops.io", "pyarrow.parquet")
Progress = Callable[[str, float], None]


def limit(name: str) -> float:
    """The value of one of LIMITS, from the environment if it is set there.

    Raises LabelingError when it is no positive number.
    """
    told = os.environ.get(name, "").strip()
    try:
        value = float(told) if told else LIMITS[name]
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf") or (told and not value):
        raise LabelingError(f"{name} is “{told}”: set it to a number above 0, or leave it out.")
    return value


def due(labels: int, trigger: int, every: int, classes: int, running: bool) -> bool:
    """Whether a session shall start: ``every`` labels after the last trigger point.

    ``labels`` are there now, the last session was triggered at ``trigger`` of them, and
    ``classes`` categories have at least one label to train on.
    """
    return not running and classes >= 2 and labels - trigger >= every


def next_trigger(labels: int, trigger: int, every: int) -> int:
    """The trigger point that a session starting now stands for.

    Sessions that could not keep up are made up for one by one, so that the learning curve
    has its point after every ``every`` labels; beyond CATCH_UP of them the oldest are
    passed over.
    """
    behind = (labels - trigger) // every
    return trigger + every * max(1, behind - CATCH_UP + 1)


class Status(NamedTuple):
    """What is being done: ``state`` off, idle, waiting, running, stopped or failed; share 0..1."""

    state: str
    text: str
    progress: float | None = None


class _StoppedError(Exception):
    """Somebody asked for the end of the job that is running."""


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
                limit("LABELING_TRAINING_MEMORY")  # the worker takes it as it is
                root = str(Path(__file__).resolve().parent.parent)
                path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "labeling_core.worker", *self._imports],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env=os.environ | {"PYTHONPATH": path},
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
        seconds = limit("LABELING_TRAINING_SECONDS")
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


class Trainer:
    """One line of jobs for one worker."""

    def __init__(self, finished: Callable[[str], None], worker: Worker) -> None:
        """``finished`` is called with the project's id after each of its jobs."""
        self.worker = worker
        self._finished = finished
        self._stopping: set[str] = set()
        self._current: str | None = None
        self.status: dict[str, Status] = {}
        self.outcomes: dict[tuple[str, str], Status] = {}  # of the last job of each kind
        self._busy: Counter[str] = Counter()
        self._jobs: SimpleQueue[tuple[str, str, Callable[[Worker, Progress], str]] | None]
        self._jobs = SimpleQueue()
        self._thread: threading.Thread | None = None

    def running(self, project_id: str) -> bool:
        """Whether a job of this project waits or runs."""
        return self._busy[project_id] > 0

    def submit(
        self, project_id: str, job: Callable[[Worker, Progress], str], kind: str = ""
    ) -> None:
        """Queue a job; it gets the worker and a progress function, and returns a last word.

        A LabelingError it raises becomes the project's status, and stays in ``outcomes`` until
        the next job of that ``kind``.
        """
        self.outcomes.pop((project_id, kind), None)
        self._busy[project_id] += 1
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
            self.status[project_id] = self.outcomes[project_id, kind] = done
            self._current = None
            self._tell(project_id)
            self._busy[project_id] -= 1

    def _done(self, project_id: str, job: Callable[[Worker, Progress], str]) -> Status:
        def progress(text: str, share: float) -> None:
            if project_id in self._stopping:
                raise _StoppedError
            self.status[project_id] = Status("running", text, share)

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
