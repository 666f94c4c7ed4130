"""Which labels are likely wrong: confident learning on class probabilities.

Every label is judged by models that have not seen it. Unlike classifiers are averaged: a logistic
regression, a random forest, extremely randomized trees, and the project's own or its parts if they
are none of these. That finds more of the errors than one of them does, above all among labels that
a strategy chose (tests/benchmarks/label_errors.py). Runs in the worker.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import classifiers, gaussian_process
from labeling_core.learning.out_of_fold import MOST_TO_FIT, out_of_fold

FEWEST = 10  # labels that have to be there for a judgement to mean anything
# Work per label is kept in bounds: many labels need no second draw of the folds, nor as many trees.
FEW, REPEATS = 2_000, 3
TREES, TREES_FOR_MANY = 500, 200
FORESTS = ("random_forest", "extra_trees")


class Quality(NamedTuple):
    """What is thought of each of n labels; arrays of n, aligned with the labels but for ``order``.

    ``order`` are their positions, most suspicious first. ``likely`` are the label errors that
    confident learning finds. ``suggested`` is the most probable other class (a code),
    ``given_probability`` and ``suggested_probability`` (0..1) what the classifiers think on
    average. ``prediction`` is what the project's own classifier says, ``prediction_probability``
    how sure it is. Labels that are the only ones of their class, or that no model has not seen,
    cannot be judged: they come last, and agree with themselves.
    """

    order: NDArray[np.intp]
    likely: NDArray[np.bool_]
    suggested: NDArray[np.intp]
    given_probability: NDArray[np.float64]
    suggested_probability: NDArray[np.float64]
    prediction: NDArray[np.intp]
    prediction_probability: NDArray[np.float64]


def examine(
    X: NDArray[np.float32],
    codes: NDArray[np.integer],
    classes: int,
    classifier: str,
    seed: int,
    progress: Callable[[float], None] = lambda share: None,
    groups: NDArray[np.integer] | None = None,
) -> Quality:
    """Judge the labels ``codes`` [n] (0..classes-1) of the rows of ``X`` [n, d].

    ``progress`` is told the finished share, 0..1. ``groups`` [n]: of samples of one group, as
    windows of one recording, none judges another. Needs two classes with two labels each: see
    :func:`judgeable`.
    """
    from threadpoolctl import threadpool_limits

    names, found = panel(classifier), {}
    # Arrays this small: more threads spend their time on waiting, above all on a busy machine.
    with threadpool_limits(1 if len(codes) <= FEW else None):
        for number, name in enumerate(names):
            tell = partial(_tell, progress, number, len(names))
            tell(0.0)
            found[name] = unseen(X, codes, classes, name, seed, groups, tell)
    weights = classifiers.weights_of(classifier) or {classifier: 1.0}
    own = np.sum([weight * found[part] for part, weight in weights.items()], axis=0)
    return judge(own, np.mean(list(found.values()), axis=0), codes)


def _tell(progress: Callable[[float], None], done: int, of: int, share: float) -> None:
    """Tell the finished share of all, from that of the next one."""
    progress((done + share) / of)


def panel(classifier: str) -> list[str]:
    """Who judges in a project with ``classifier``, that one or its parts first: lines and trees err
    differently, and so do trees that search for thresholds and trees that draw them."""
    own = classifiers.weights_of(classifier) or [classifier]
    return list(dict.fromkeys([*own, classifiers.LINEAR, *FORESTS]))


def unseen(
    X: NDArray[np.float32],
    codes: NDArray[np.integer],
    classes: int,
    name: str,
    seed: int,
    groups: NDArray[np.integer] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> NDArray[np.floating]:
    """Probabilities [n, classes] of every label's sample by models ``name`` that have not seen it;
    ``progress`` is told the finished share, 0..1.

    Forests are asked out of bag, which takes one fit, and the Gaussian process in closed form,
    unless there are ``groups``; others out of fold, logistic regression with the folds drawn
    REPEATS times.
    """
    if name in FORESTS and groups is None:
        forest = _forest(name, len(codes), seed)
        return classifiers.out_of_bag(forest, X, codes, classes)
    if name == classifiers.GAUSSIAN_PROCESS and groups is None:
        probabilities = np.zeros((len(codes), classes))
        probabilities[:, np.unique(codes)] = gaussian_process.fit(X, codes, seed)[1]
        return probabilities
    draws = REPEATS if name == classifiers.LINEAR and len(codes) <= FEW else 1
    found = [
        out_of_fold(
            X, codes, classes, name, seed + draw, groups, partial(_tell, progress, draw, draws)
        )
        for draw in range(draws)
    ]
    return np.mean(found, axis=0)


def _forest(name: str, labels: int, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

    kind = RandomForestClassifier if name == "random_forest" else ExtraTreesClassifier
    return kind(
        TREES if labels <= FEW else TREES_FOR_MANY,
        bootstrap=True,
        oob_score=True,
        max_samples=min(labels, MOST_TO_FIT),
        random_state=seed,
    )


def judgeable(codes: NDArray[np.integer]) -> bool:
    """Whether there are enough labels: FEWEST, and two classes with two labels each."""
    counts = np.bincount(codes) if len(codes) else np.zeros(1)
    return len(codes) >= FEWEST and int((counts > 1).sum()) > 1


def judge(
    own: NDArray[np.floating], average: NDArray[np.floating], codes: NDArray[np.integer]
) -> Quality:
    """The judgement on labels ``codes`` [n] with probabilities [n, classes] by models that have
    not seen them: the project's classifier (``own``), and all on average (``average``)."""
    rows = np.arange(len(codes))
    given = np.asarray(average[rows, codes], dtype=np.float64)
    others = np.array(average, dtype=np.float64)
    others[rows, codes] = -1.0
    suggested = others.argmax(axis=1)
    alone = (np.bincount(codes)[codes] < 2) | ~np.any(average, axis=1)
    likely = np.zeros(len(codes), dtype=bool)
    likely[~alone] = confident_errors(average[~alone], codes[~alone])
    prediction = np.where(alone, codes, own.argmax(axis=1))
    return Quality(
        np.lexsort((given, alone)),
        likely,
        suggested,
        given,
        others[rows, suggested],
        prediction,
        np.asarray(own[rows, prediction], dtype=np.float64),
    )


def confident_errors(
    probabilities: NDArray[np.floating], codes: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """The labels off the diagonal of the confident joint, as a mask [n].

    C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: Estimating uncertainty in
    dataset labels", JAIR 70 (2021), eq. 2 and 3: a class's threshold is the mean probability
    of the class over the labels of it; a sample counts for the most probable of the classes
    that reach their thresholds, and is an error where that is not its label.
    """
    counts = np.bincount(codes, minlength=probabilities.shape[1])
    own = probabilities[np.arange(len(codes)), codes]
    sums = np.bincount(codes, own, minlength=probabilities.shape[1])
    thresholds = np.where(counts > 1, sums / np.maximum(counts, 1), np.inf)
    reached = np.where(probabilities >= thresholds, probabilities, -1.0)
    return (reached.max(axis=1) >= 0) & (reached.argmax(axis=1) != codes)
