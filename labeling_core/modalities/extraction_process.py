"""One child process that computes features, and the program it runs.

A program of its own, asked over pipes: it never runs the caller's main module, it ends by
itself when its parent is killed, and when a file makes it crash or hang, that file is known.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64decode, b64encode
from importlib import import_module
from pathlib import Path
from threading import Timer
from types import ModuleType

import numpy as np

from labeling_core.config import child_environment
from labeling_core.errors import LabelingError

SECONDS_PER_FILE = 300.0
# A child a core: threads within each would only fight for the same cores.
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


class ExtractionProcess:
    """Computes ``features(path)`` of ``module`` in a process that is started when needed."""

    def __init__(self, module: str) -> None:
        self.module, self.seconds = module, SECONDS_PER_FILE
        self.child: subprocess.Popen[str] | None = None

    def features(self, path: Path) -> np.ndarray:
        """The features of one file. Raises LabelingError with the reason why it has none."""
        if self.child is None:
            self.child = self._started()
        timer = Timer(self.seconds, self.child.kill)
        timer.start()
        try:
            line = _asked(self.child, path)
        finally:
            late = not timer.is_alive()
            timer.cancel()
        if not line:
            self.close()
            what = f"took more than {self.seconds:.0f} seconds" if late else "crashed its reader"
            raise LabelingError(f"{path.name} {what}.")
        answer = json.loads(line)
        if "reason" in answer:
            raise LabelingError(answer["reason"])
        return np.frombuffer(b64decode(answer["numbers"]), "<f4")

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", __name__, self.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=child_environment(**_ONE_THREAD),
        )

    def close(self) -> None:
        """End the process, if it runs; the next question starts another."""
        if self.child is not None:
            self.child.kill()
            self.child.communicate()
            self.child = None


def _asked(child: subprocess.Popen[str], path: Path) -> str:
    """The line that the child answers; empty when it is gone."""
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(json.dumps(str(path)) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
    except BrokenPipeError:
        return ""
    return line if line.endswith("\n") else ""


def answer(module: ModuleType, path: Path) -> dict[str, str]:
    """What the child says of one file: its numbers (base64 of float32) or a reason."""
    try:
        numbers = np.asarray(module.features(path), dtype="<f4")
    except LabelingError as error:
        return {"reason": str(error)}
    except Exception as error:
        return {"reason": f"{path.name} cannot be read ({type(error).__name__})."}
    if not np.isfinite(numbers).all():
        return {"reason": f"{path.name} gives values that are no numbers."}
    return {"numbers": b64encode(numbers.tobytes()).decode()}


def main() -> None:
    """Answer each line (a path, as JSON) with a line, until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what decoders print must not mix with the answers
    module = import_module(sys.argv[1])
    for line in sys.stdin:
        answers.write(json.dumps(answer(module, Path(json.loads(line)))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
