"""What the classifier ``auto`` stands for: chosen by held-out log loss, on clear evidence only. And
which weights the parts of ``mean`` have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.classifiers import (
    AUTO,
    DEFAULT_CLASSIFIER,
    FOREST,
    MEAN,
    VARIANTS,
    forest_of,
    is_known,
    mixed,
    out_of_bag,
    weights_of,
)
from labeling_core.learning.out_of_fold import out_of_fold
from labeling_core.learning.part_weights import weigh

LEAST = 75  # labels before anything is chosen: of fewer, choices were as often wrong as right
GROWTH = 1.3  # choice and weights are made anew when there are so many times the labels
FOREST_POOL = 20_000  # samples to be scored, beyond which a forest would make sessions slow
# Labels × columns × classes that are tried out; of more labels a random part.
WORK = 500_000
# A candidate has to be better by so many standard errors of its difference. With less, choices
# by chance cost up to two points of accuracy on single data sets (tests/benchmarks/classifiers.py).
CLEAR = 2.0
FLOOR = 0.02  # a probability counts as at least this much: one wild guess must not decide


class Choice(NamedTuple):
    """What was chosen (a name for ``classifiers.fit``), when there were so many ``labels``."""

    classifier: str
    labels: int


def choose(
    name: str,
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    before: Choice | None = None,
    pool: int = 0,
    groups: NDArray[np.integer] | None = None,
) -> Choice:
    """Resolve ``auto``, or the weights of ``mean``, on features ``X`` [n, d] and class codes ``y``
    [n]; other names stay.

    What was found ``before``, by the same ``name``, stays until the labels have grown by GROWTH.
    ``pool`` is the number of samples to be scored: beyond FOREST_POOL no forest is tried. Gradient
    boosting never is: one fit of it takes longer than all the rest. ``groups`` [n]: samples of one
    group, as windows of one recording, do not judge what another one of it taught. The same
    arguments give the same choice.
    """
    if name not in (AUTO, MEAN):
        return Choice(name, len(y))
    fits = before is not None and bool(weights_of(before.classifier)) == (name == MEAN)
    if before is not None and fits and len(y) < GROWTH * before.labels:
        return before
    if name == MEAN:
        return Choice(mixed(weigh(X, y, seed, groups)), len(y))
    rows = _part(X, y, seed)
    if len(rows) < LEAST or np.bincount(y[rows]).max() > len(rows) - 3:  # too few of the others
        return Choice(DEFAULT_CLASSIFIER, len(y))
    groups = None if groups is None else groups[rows]
    return Choice(_best(X[rows], y[rows], seed, pool <= FOREST_POOL, groups), len(y))


def _part(X: NDArray[np.float32], y: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """All rows, or a random part that keeps the work within WORK, but never less than 200."""
    most = max(200, WORK // (X.shape[1] * len(np.unique(y))))
    if len(y) <= most:
        return np.arange(len(y))
    return np.random.default_rng(seed).permutation(len(y))[:most]


def _best(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    forest: bool,
    groups: NDArray[np.integer] | None,
) -> str:
    """The candidate whose log loss is lowest even if it was lucky by CLEAR standard errors."""
    from threadpoolctl import threadpool_limits

    best, least = DEFAULT_CLASSIFIER, 0.0
    with threadpool_limits(1):  # arrays this small: more threads spend their time on waiting
        base = _out_of_fold(DEFAULT_CLASSIFIER, X, y, seed, groups)
        for name in [*VARIANTS, *([FOREST] if forest else [])]:
            if name == FOREST and groups is None:
                found = _out_of_bag(X, y, seed)
            else:
                found = _out_of_fold(name, X, y, seed, groups)
            difference = found - base
            bound = difference.mean() + CLEAR * difference.std(ddof=1) / np.sqrt(len(y))
            if bound < least:
                best, least = name, float(bound)
    return best


def _out_of_fold(
    name: str,
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    groups: NDArray[np.integer] | None,
) -> NDArray[np.float64]:
    """Log loss of every sample by a model that has not seen it."""
    return _loss(out_of_fold(X, y, int(y.max()) + 1, name, seed, groups), y)


def _out_of_bag(X: NDArray[np.float32], y: NDArray[np.integer], seed: int) -> NDArray[np.float64]:
    """Log loss of every sample by those trees that have not seen it: one fit in place of five."""
    return _loss(out_of_bag(forest_of(FOREST, seed), X, y, int(y.max()) + 1), y)


def _loss(p: NDArray[np.floating], codes: NDArray[np.integer]) -> NDArray[np.float64]:
    return -np.log(np.maximum(p[np.arange(len(codes)), codes], FLOOR)).astype(np.float64)


def remember(choice: Choice, path: Path) -> None:
    """Keep a choice for the next session."""
    path.write_text(json.dumps(choice), encoding="utf-8", newline="\n")


def remembered(path: Path) -> Choice | None:
    """What :func:`remember` kept; None if that is nothing, or nothing this program knows."""
    try:
        name, labels = json.loads(path.read_text(encoding="utf-8"))
        return Choice(name, int(labels)) if is_known(name) else None
    except (OSError, ValueError, TypeError):
        return None
