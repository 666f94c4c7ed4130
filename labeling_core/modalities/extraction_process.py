"""One child process that computes features, and the program it runs.

A program of its own, asked over pipes: it never runs the caller's main module, it ends by
itself when its parent is killed, and when a file makes it crash or hang, that file is known.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.modalities.child_program import ChildProgram, own_pipes
from labeling_core.sources.pinned import pinned
from labeling_core.sources.windows import Span

SECONDS_PER_FILE = 300.0
# A child a core: threads within each would only fight for the same cores.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


class ExtractionProcess:
    """Computes ``features(path)`` of ``module`` (or, named behind a colon, of the features that it
    is the reader of) in a process that is started when needed."""

    def __init__(self, module: str) -> None:
        self.module, self.seconds = module, SECONDS_PER_FILE
        self.child: ChildProgram | None = None

    def features(self, path: Path, span: Span | None = None) -> np.ndarray:
        """The features of one file, or of a ``span`` of it. Raises LabelingError with the reason
        why it has none."""
        if self.child is None:
            self.child = ChildProgram(__name__, self.module, stderr=DEVNULL, **_ONE_THREAD)
        with self.child.within(self.seconds) as overdue:
            try:
                answer = next(self.child.ask([str(path), span]), None)
            except (OSError, ValueError):  # it is gone, or was killed within a line
                answer = None
        if answer is None:
            self.close()
            late = overdue.is_set()
            what = f"took more than {self.seconds:.0f} seconds" if late else "crashed its reader"
            raise LabelingError(f"{path.name} {what}.")
        if "reason" in answer:
            raise LabelingError(answer["reason"])
        return np.frombuffer(b64decode(answer["numbers"]), "<f4")

    def close(self) -> None:
        """End the process, if it runs; the next question starts another."""
        if self.child is not None:
            self.child.end()
            self.child = None


def answer(module: Any, path: Path, span: Span | None = None) -> dict[str, str]:
    """What the child says of one file, whose ``path`` goes through no link: its numbers (base64 of
    float32) or a reason."""
    try:
        with pinned(path) as file:
            numbers = np.asarray(module.features(file, *([span] if span else [])), dtype="<f4")
    except LabelingError as error:
        return {"reason": str(error)}
    except Exception as error:
        return {"reason": f"{path.name} cannot be read ({type(error).__name__})."}
    if not np.isfinite(numbers).all():
        return {"reason": f"{path.name} gives values that are no numbers."}
    return {"numbers": b64encode(numbers.tobytes()).decode()}


def main() -> None:
    """Answer each line (a path, and a span or null, as JSON) with a line, until the parent closes
    the pipe."""
    questions, answers = own_pipes()
    name, _, key = sys.argv[1].partition(":")
    module: Any = import_module(name)
    module = module.reader(key) if key else module
    for line in questions:
        path, span = json.loads(line)
        found = answer(module, Path(path), Span(*span) if span else None)
        answers.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
