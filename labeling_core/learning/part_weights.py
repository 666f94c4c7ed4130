"""How much each part of a mean of classifiers counts, by labels that the part has not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import classifiers, gaussian_process
from labeling_core.learning.classifiers import AUTO, EXTRA_TREES, GAUSSIAN_PROCESS, LINEAR
from labeling_core.learning.out_of_fold import folds, out_of_fold
from labeling_core.learning.threads import one_thread

JUDGED = 500  # labels, at random, that the weights are found by: more tell little more
ALIKE = 10  # labels that each part has ahead: how slowly the weights leave equality
STEPS = 100


def weigh(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    groups: NDArray[np.integer] | None = None,
) -> dict[str, float]:
    """The weights of classifiers.PARTS under which labels ``y`` [n] (class codes) of rows ``X``
    [n, d] are likeliest when they are left out, by expectation maximisation.

    Yao and others, "Using stacking to average Bayesian predictive distributions" (2018). Labels
    that are the only ones of their class cannot be left out, and do not count. ``groups`` [n] are
    left out whole: what one of them teaches judges no other.
    """
    rows = np.random.default_rng(seed).permutation(len(y))[:JUDGED]
    X, y, groups = X[rows], y[rows], None if groups is None else groups[rows]
    judged = np.flatnonzero(folds(y, seed) >= 0)
    if not len(judged):
        return classifiers.weights_of(AUTO)
    likely = _unseen(X, y, seed, groups)[:, judged]
    weights = np.full(len(likely), 1 / len(likely))
    for _ in range(STEPS):
        shares = weights[:, None] * likely
        shares /= shares.sum(axis=0)
        weights = (shares.sum(axis=1) + ALIKE) / (len(judged) + ALIKE * len(likely))
    return dict(zip(classifiers.PARTS, weights.tolist(), strict=True))


def _unseen(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    groups: NDArray[np.integer] | None,
) -> NDArray[np.float64]:
    """The probability [parts, n] of every label by each part when it has not seen that label."""
    codes = np.unique(y, return_inverse=True)[1]
    classes = int(codes.max()) + 1
    with one_thread():
        found: dict[str, NDArray[Any]] = (
            {
                LINEAR: out_of_fold(X, codes, classes, LINEAR, seed),
                GAUSSIAN_PROCESS: gaussian_process.fit(X, codes, seed)[1],
                EXTRA_TREES: classifiers.out_of_bag(
                    classifiers.forest_of(EXTRA_TREES, seed), X, codes, classes
                ),
            }
            if groups is None
            else {
                part: out_of_fold(X, codes, classes, part, seed, groups)
                for part in classifiers.PARTS
            }
        )
    rows = np.arange(len(codes))
    floor = 0.01  # one wild guess must not decide
    return np.array(
        [np.maximum(found[part][rows, codes], floor) for part in classifiers.PARTS], np.float64
    )
