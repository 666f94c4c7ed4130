"""How often the trigger of a project is looked at, and how long a session that is due waits."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from labeling_core.settings import Project

log = logging.getLogger(__name__)


class Pace:
    """The waiting of all projects; to be used under the database's lock."""

    def __init__(self, look_again: Callable[[str], None]) -> None:
        """``look_again`` is called with a project's id, from a thread of its own, when a wait is
        over that was asked for here."""
        self._look_again = look_again
        self._looked: dict[str, float] = {}  # when, in seconds of the monotonic clock
        self._due: dict[str, float] = {}  # since when
        self._timers: dict[str, tuple[float, threading.Timer]] = {}  # with when it is over
        self._held: list[str] = []
        self._stopped = False

    @contextmanager
    def held(self, project_id: str) -> Iterator[None]:
        """In this block no session of the project is due; it is for the caller to look after it.
        Whoever waits for a moment between two sessions would else wait for ever where they follow
        one another. The lock is not needed."""
        self._held.append(project_id)
        try:
            yield
        finally:
            self._held.remove(project_id)

    def is_held(self, project_id: str) -> bool:
        """Whether somebody waits for a moment without a session, or has it."""
        return project_id in self._held

    def may_look(self, project: Project) -> bool:
        """Whether it is time to see if a session is due; else it is looked again when it is."""
        project_id, now = project.project_id, time.monotonic()
        if self._stopped or self.is_held(project_id):
            return False
        if project_id not in self._due:
            then = self._looked.get(project_id, -math.inf) + project.settings.check_seconds
            if then > now:
                self._later(project_id, then)
                return False
        self._looked[project_id] = now
        return True

    def may_start(self, project: Project, due: bool) -> bool:
        """Whether the session of a project starts now: it is ``due``, and its grace is over; else
        it is looked again then."""
        project_id, now = project.project_id, time.monotonic()
        if not due:
            self._due.pop(project_id, None)
            return False
        then = self._due.setdefault(project_id, now) + project.settings.grace_seconds
        if then > now:
            self._later(project_id, then)
            return False
        del self._due[project_id]
        return True

    def forget(self, project_id: str) -> None:
        """Begin anew with a project; who waits for it looks again all the same."""
        self._looked.pop(project_id, None)
        self._due.pop(project_id, None)

    def stop(self) -> None:
        """Look no more; not to be called under the lock, for one look may be under way."""
        self._stopped = True
        for _, timer in list(self._timers.values()):
            timer.cancel()
            timer.join(10)

    def _later(self, project_id: str, then: float) -> None:
        over, timer = self._timers.get(project_id, (math.inf, None))
        pending = timer is not None and timer.is_alive() and timer is not threading.current_thread()
        if self._stopped or (pending and over <= then):
            return
        if timer is not None:
            timer.cancel()
        left = max(then - time.monotonic(), 0.0)
        timer = threading.Timer(left, self._over, [project_id])
        timer.name, timer.daemon = "pace", True
        self._timers[project_id] = then, timer
        timer.start()

    def _over(self, project_id: str) -> None:
        try:
            if not self._stopped:
                self._look_again(project_id)
        except Exception:  # nobody is there to be told
            log.exception("A session that was due did not start")
