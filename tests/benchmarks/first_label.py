"""After how many labels a rare category is met, before there is any model.

On the data sets of datasets.py with a category of 2 to 6 %, and on the 23 others with one category,
drawn anew for each seed, thinned to 3 % of at most 2,000 rows of the rest: the start of *automatic*
with batches of 10, for several powers of the distance by which it draws what is unlike its first
samples, against what is to be expected at random. Needs the environment of strategies.py.

    PYTHONPATH=. peers/bin/python tests/benchmarks/first_label.py [seeds] [processes]
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from functools import lru_cache

import numpy as np
from datasets import RARE, SETS, load

from labeling_core.learning import batches
from labeling_core.learning.strategies import rank
from labeling_core.simulation.replay import HOLDOUT, split

POWERS = (1, 2, 4, 8, 16)
SHARE, REST = 0.03, 2_000

_loaded = lru_cache(maxsize=2)(load)


def thinned(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, and whether a row is of the thinned category."""
    X, y = _loaded(name)
    rng = np.random.default_rng(seed)
    chosen = y == rng.integers(y.max() + 1)
    rest = rng.permutation(np.flatnonzero(~chosen))[:REST]
    rare = rng.permutation(np.flatnonzero(chosen))[: max(8, int(SHARE * len(rest)))]
    rows = rng.permutation(np.concatenate([rare, rest]))
    return np.ascontiguousarray(X[rows]), chosen[rows].astype(int)


def rarest(name: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, and whether a row is of the rarest category."""
    X, y = _loaded(name)
    return X, (y == np.bincount(y).argmin()).astype(int)


def met(name: str, seed: int) -> list[float]:
    """The label with which the rare category is met, for each of POWERS and as expected at
    random."""
    X, y = (rarest if name in RARE else thinned)(name, seed)
    pool, _ = split(y, HOLDOUT, seed)
    nobody, found = pool[:0], []
    for power in POWERS:
        batches._FARTHER = power
        order = rank(
            "auto", probabilities=None, features=X, pool=pool, labeled=nobody, labels=nobody,
            batch=10, seed=seed,
        ).order  # fmt: skip
        found.append(float(np.flatnonzero(y[pool[order]])[0] + 1))
    return [*found, (len(pool) + 1) / (int(y[pool].sum()) + 1)]


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 24)
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else os.cpu_count()
    with multiprocessing.get_context("fork").Pool(processes, os.nice, [5]) as pool:
        print("| data set | " + " | ".join(f"power {each}" for each in POWERS) + " | random |")
        print("|---" * (len(POWERS) + 2) + "|")
        for title, names in (("one category thinned", SETS), ("rare ones", RARE)):
            means = [
                np.mean(pool.starmap(met, [(name, seed) for seed in seeds]), axis=0)
                for name in names
            ]
            for name, mean in [*zip(names, means, strict=True), (title, np.mean(means, axis=0))]:
                print(
                    f"| {name} | " + " | ".join(f"{each:.1f}" for each in mean) + " |", flush=True
                )


if __name__ == "__main__":
    main()
