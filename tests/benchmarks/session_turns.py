"""The worker's part of a session by two versions of the program, by turns on the same arrays.

    python tests/benchmarks/session_turns.py OTHER [rows ...] [--turns 7] [--columns 64]

OTHER is a checkout of another version, such as `git worktree add ../before v0.2.0` leaves. Prints
for each size what this version takes of the other one's time until the queue is written, by the
clock and of the processor, with the weights of the classifiers found anew and as they were; and
whether both ask for the same samples. On a busy machine only the processor's share means much.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parent.parent.parent
LABELS, PROBES, BATCH = 500, 50, 20
# One version's process: a line on its standard input is a session, its answer the two times.
SERVED = """
import importlib, json, os, sys, time
sys.path.insert(0, sys.argv[1])
from labeling_core.sessions.worker_client import LEARNING
for name in LEARNING:
    importlib.import_module(name)
from labeling_core.sessions import worker_jobs
job = json.loads(sys.argv[2])
for line in sys.stdin:
    if line == "new\\n" and os.path.exists(job["folder"] + "/choice.json"):
        os.unlink(job["folder"] + "/choice.json")
    wall, cpu = time.perf_counter(), time.process_time()
    worker_jobs.session(job, lambda text, share: None)
    print(time.perf_counter() - wall, time.process_time() - cpu, flush=True)
"""


class Version:
    """A process that runs sessions of one version on ``features``, in a folder of its own."""

    def __init__(self, tree: Path, folder: Path, features: np.ndarray) -> None:
        rng, total = np.random.default_rng(1), len(features)
        labeled = rng.choice(np.arange(PROBES, total), LABELS, replace=False)
        codes = ((features[:, 0] + rng.normal(0, 0.3, total)) > 0).astype(np.int64)
        pool = np.setdiff1d(np.arange(PROBES, total), labeled)
        folder.mkdir()
        np.save(folder / "features.npy", features)
        one, none = np.ones(features.shape[1], np.float32), np.zeros((0, 0), np.float32)
        # For versions that write the whole model before the queue is served.
        np.savez(folder / "scaling.npz", centre=0 * one, axes=none, factor=one)
        np.savez(
            folder / "task.npz", train=labeled, train_codes=codes[labeled],
            probes=np.arange(PROBES), probe_codes=codes[:PROBES], pool=pool,
            queryable=np.ones(len(pool), bool),
        )  # fmt: skip
        job = {
            "kind": "session", "folder": str(folder), "out": str(folder), "test": "",
            "classes": ["a", "b"], "renamed": {}, "label_column": "label", "classifier": "auto",
            "strategy": "auto", "batch": BATCH, "seed": 0,
        }  # fmt: skip
        self.scores = folder / "scores.parquet"
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVED, str(tree), json.dumps(job)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", cwd=folder,
        )  # fmt: skip

    def session(self, weights: str) -> tuple[float, float]:
        """Seconds by the clock and of the processor."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(weights + "\n")
        self._process.stdin.flush()
        wall, cpu = map(float, self._process.stdout.readline().split())
        return wall, cpu

    def asked(self) -> np.ndarray:
        """The positions of the pool in the order of asking."""
        return np.asarray(pq.read_table(self.scores, columns=["place"]).column(0))

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def compare(rows: int, columns: int, other: Path, turns: int, folder: Path) -> None:
    features = np.random.default_rng(0).standard_normal((rows, columns), dtype=np.float32)
    both = [Version(ROOT, folder / "this", features), Version(other, folder / "other", features)]
    for weights in ("new", "kept"):
        took: list[list[tuple[float, float]]] = [[], []]
        for turn in range(turns + 1):
            for number in (0, 1) if turn % 2 else (1, 0):
                took[number].append(both[number].session(weights))
        # the first of each is a warming-up
        (wall, cpu), (other_wall, other_cpu) = (
            [statistics.median(column) for column in zip(*each[1:], strict=True)] for each in took
        )
        print(
            f"{rows:>10,}  weights {weights:4}  clock {wall / other_wall:.2f} "
            f"({wall:.3f} of {other_wall:.3f} s)  processor {cpu / other_cpu:.2f} "
            f"({cpu:.3f} of {other_cpu:.3f} s)",
            flush=True,
        )
    mine, theirs = (each.asked() for each in both)
    same = "the same" if (mine[:BATCH] == theirs[:BATCH]).all() else "ANOTHER"
    print(f"{'':10}  {same} first batch; {np.mean(mine == theirs):.2%} of the queue in its place")
    for each in both:
        each.end()


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("other", type=Path)
    asked.add_argument("rows", nargs="*", type=int, default=[10**4, 10**5, 10**6])
    asked.add_argument("--turns", type=int, default=7)
    asked.add_argument("--columns", type=int, default=64)
    given = asked.parse_args()
    for rows in given.rows:
        with tempfile.TemporaryDirectory() as where:
            compare(rows, given.columns, given.other.resolve(), given.turns, Path(where))


if __name__ == "__main__":
    main()
