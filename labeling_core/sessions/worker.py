"""The worker process: ``python -m labeling_core.sessions.worker MODULE …``.

It reads jobs from stdin, one a line in JSON, and answers with lines of JSON on stdout:
``{"progress": [text, share]}`` any number of times, then ``{"result": {...}}`` or
``{"error": sentence}``. It holds no database: arrays and files in, arrays and files out. The
modules it is told to import are those that a job shall not wait for. It ends when its parent does
(stdin closes).
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import traceback
from pkgutil import resolve_name
from queue import SimpleQueue
from typing import Any, TextIO

from labeling_core.config import TRAINING_MEMORY
from labeling_core.errors import LabelingError
from labeling_core.modalities.child_program import own_pipes

# What it can do, each a function of a job and a progress function; imported when first asked for.
JOBS = {
    "features": "labeling_core.sessions.worker_jobs:features",
    "start": "labeling_core.sessions.worker_jobs:start",
    "session": "labeling_core.sessions.worker_jobs:session",
    "model": "labeling_core.sessions.worker_jobs:model",
    "review": "labeling_core.sessions.worker_jobs:review",
    "final_model": "labeling_core.sessions.worker_jobs:final_model",
    "simulation": "labeling_core.simulation.job:run",
}


def main() -> None:
    """Serve jobs until stdin closes; a closed stdin ends the process even in mid-job."""
    _give_way()
    _limit_memory(TRAINING_MEMORY.get())
    questions, answers = own_pipes()
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_read, args=(questions, lines), daemon=True).start()
    for name in sys.argv[1:]:
        importlib.import_module(name)
    while True:
        serve(json.loads(lines.get()), answers)


def _give_way() -> None:
    """Let labeling come first. Windows knows no niceness: there the process is started with a low
    priority (see child_program)."""
    nice = getattr(os, "nice", None)
    if nice is not None:
        nice(10)


def _limit_memory(megabytes: float) -> None:
    """Have allocations beyond so much fail (0: none), where the system can do that.

    Files that are mapped for reading, as the feature matrix is, do not count.
    """
    if megabytes and sys.platform != "linux":
        print(f"{TRAINING_MEMORY.name} is not kept on this system.", file=sys.stderr)
    if megabytes and sys.platform != "win32":
        import resource

        most = int(megabytes * 1024 * 1024)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _read(questions: TextIO, lines: SimpleQueue[str]) -> None:
    for line in questions:
        lines.put(line)
    os._exit(0)


def serve(job: dict[str, Any], answers: TextIO) -> None:
    """Do one job and write its answer."""

    def progress(text: str, share: float) -> None:
        _tell({"progress": [text, share]}, answers)

    try:
        answer: dict[str, Any] = {"result": resolve_name(JOBS[job["kind"]])(job, progress)}
    except LabelingError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {
            "error": "Training ran out of memory; labeling is not affected. Use fewer columns, a "
            "lighter classifier, or a higher LABELING_TRAINING_MEMORY if that is set."
        }
    except Exception as error:
        traceback.print_exc()
        answer = {"error": f"Training stopped on an unexpected fault ({type(error).__name__})."}
    _tell(answer, answers)


def _tell(what: dict[str, Any], answers: TextIO) -> None:
    """Write one line; the process ends when nobody listens any more: its parent was killed."""
    try:
        answers.write(json.dumps(what) + "\n")
    except OSError:  # a broken pipe, which Windows calls an invalid argument
        os._exit(0)


if __name__ == "__main__":
    main()
