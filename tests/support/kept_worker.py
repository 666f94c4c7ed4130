"""A worker process that outlives its workspace: the next one need not wait for its imports."""

from __future__ import annotations

import os
from typing import Any

from labeling_core.modalities.child_program import ChildProgram
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.workspace import Workspace

# What makes no difference to a worker: it never opens the database, and jobs name their files.
UNREAD = ("PYTEST_CURRENT_TEST", "LABELING_DATABASE")
# The one process that is left over, with what it was started with.
_idle: dict[tuple[Any, ...], ChildProgram] = {}


class KeptWorker(Worker):
    """The worker of the program, whose process is left over when it ends without work to do.

    A process serves the jobs of one project after another, so which test they come from makes no
    difference to it. One that is in the midst of a job is killed as ever, and whoever has another
    environment gets a process of their own.
    """

    _working = False

    def start(self) -> ChildProgram:
        """Take over the process that is left, if it fits; else as ever."""
        with self._lock:
            gone = self._child is None or not self._child.running
            if gone and not self._stopped:
                self._end()
                self._started = self._kind()
                self._child = _idle.pop(self._started, None)
        return super().start()

    def run(self, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
        """Do one job; a process whose job has not come to its end is not left over."""
        self._working = True
        result = super().run(job, progress)
        self._working = False
        return result

    def stop(self) -> None:
        """Leave the process to the next workspace if it has nothing to do; else as ever."""
        with self._lock:
            child, self._stopped = self._child, True
            if child is not None and child.running and not self._working:
                end_idle()
                _idle[self._started], self._child = child, None
        super().stop()

    def _kind(self) -> tuple[Any, ...]:
        told = sorted(each for each in os.environ.items() if each[0] not in UNREAD)
        return (self._imports, os.getcwd(), *told)


def keep_workers(workspace: Workspace) -> None:
    """Have a workspace that has done nothing yet take over, and leave over, its processes."""
    workspace.loop.trainer.worker = KeptWorker()
    workspace.simulations.jobs.worker = KeptWorker()


def end_idle() -> None:
    """Kill what is left over."""
    while _idle:
        _idle.popitem()[1].end()
