"""A child program that answers in lines of JSON over pipes; it ends with its parent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Timer
from typing import Any, TextIO

from labeling_core.config import child_environment

if sys.platform == "win32":  # what other systems reach by a niceness of the program's own
    _FLAGS = subprocess.BELOW_NORMAL_PRIORITY_CLASS
else:
    _FLAGS = 0


def own_pipes() -> tuple[TextIO, TextIO]:
    """What the child itself reads questions from and writes answers to, line by line.

    Its standard input is empty from then on, and what libraries print goes to standard error.
    On Windows a library that is loaded looks at the standard input, and would hang until the next
    question while a thread waits for one there (numpy/numpy#24290).
    """
    questions = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8", newline="\n")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return questions, answers


class ChildProgram:
    """``python -m MODULE ARGUMENT …``, which never runs the caller's main module."""

    def __init__(
        self, module: str, *arguments: str, stderr: int | None = None, **environment: str
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            env=child_environment(**environment),
            creationflags=_FLAGS,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: Any) -> Iterator[dict[str, Any]]:
        """The answers as they come in; none any more once the program is gone.

        Raises OSError or ValueError where it cannot be reached, or does not answer in JSON.
        """
        self._questions.write(json.dumps(question) + "\n")
        self._questions.flush()
        for line in self._answers:
            answer = json.loads(line)
            if not isinstance(answer, dict):
                raise ValueError(f"no answer: {line[:80]!r}")
            yield answer

    @contextmanager
    def within(self, seconds: float) -> Iterator[Event]:
        """Kill it when a block takes longer; the event says whether that was so."""
        overdue = Event()

        def kill() -> None:
            overdue.set()
            self._process.kill()

        timer = Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            yield overdue
        finally:
            timer.cancel()

    def end(self) -> None:
        """End it, whatever it is doing, unless it has ended."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._questions, self._answers):
            with suppress(OSError):  # what was not flushed has no reader any more
                pipe.close()
