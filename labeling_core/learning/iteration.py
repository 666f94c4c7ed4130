"""One iteration of the loop on arrays: fit, evaluate, score, order. Runs in the worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import classifiers, decisions, strategies
from labeling_core.learning.classifier_choice import Choice, choose
from labeling_core.learning.evaluation import ENOUGH, auc, calibration_error
from labeling_core.learning.out_of_fold import out_of_fold

Progress = Callable[[str, float], None]
MIXED = 25_000  # samples of a larger pool that every part of a mean of classifiers looks at
CHECKS = 2_000  # the first positions of the shuffle whose probabilities every session keeps


class Task(NamedTuple):
    """What an iteration works on; positions are rows of ``features`` [N, d], codes 0..classes-1.

    ``probes`` are never in ``train``; ``queryable`` says of each of ``pool`` whether the
    strategy may ask for it (probes still to come may not be asked for). ``choice`` is the one
    that ``auto`` made before, if any. ``groups`` are aligned with ``train``: samples of
    one group neither measure nor choose where another one of it was trained on. By ``measure``
    (of MEASURES) it is decided what a sample is taken for, not what is asked: see decisions.py.
    """

    features: NDArray[np.float32]
    train: NDArray[np.integer]
    train_codes: NDArray[np.integer]
    probes: NDArray[np.integer]
    probe_codes: NDArray[np.integer]
    test: NDArray[np.float32] | None
    test_codes: NDArray[np.integer]
    pool: NDArray[np.integer]
    queryable: NDArray[np.bool_]
    classes: int
    classifier: str
    strategy: str
    batch: int
    seed: int
    choice: Choice | None = None
    groups: NDArray[np.integer] | None = None
    measure: str = "accuracy"


class Evaluation(NamedTuple):
    """``correct`` of ``evaluated`` samples; ``kind`` says of which (``""``: of none).

    ``taken``: which class code was taken for which, and how often, for every pair that occurred.
    """

    kind: str
    evaluated: int
    correct: int
    auc: float | None
    calibration_error: float | None = None
    taken: Sequence[tuple[int, int, int]] = ()


class Outcome(NamedTuple):
    """``positions`` of the pool in the order of asking, with uncertainty (0..1) and prediction.

    ``queryable`` is aligned with them; ``checks`` [≤ CHECKS, classes] are the probabilities
    of the first positions, as decisions.weighed has them.
    """

    choice: Choice
    model: Any
    evaluation: Evaluation
    positions: NDArray[np.int32]
    uncertainty: NDArray[np.floating]
    prediction: NDArray[np.intp]
    queryable: NDArray[np.bool_]
    checks: NDArray[np.float32]


def run(task: Task, progress: Progress) -> Outcome:
    """Fit on the labels, evaluate, score the pool, put it in order.

    Raises LabelingError when the labels hold a single class.
    """
    progress("Training the model", 0.1)
    X = np.asarray(task.features[task.train])
    choice = choose(task.classifier, X, task.train_codes, task.seed, task.choice, task.groups)
    task = task._replace(classifier=choice.classifier)
    model = classifiers.fit(task.classifier, X, task.train_codes, task.seed)
    everything = _score(task, model, lambda share: progress("Scoring the pool", 0.2 + 0.5 * share))
    progress("Measuring its accuracy", 0.7)
    weights = decisions.weights(task.measure, everything[:CHECKS], task.train_codes)
    evaluation = _evaluate(task, model, X, weights)
    progress("Choosing what to ask next", 0.8)
    order, uncertainty = _order(task, everything.take(task.pool, axis=0))
    everything = decisions.weighed(everything, weights)
    positions = task.pool.astype(np.int32).take(order)
    return Outcome(
        choice,
        model,
        evaluation,
        positions,
        uncertainty.take(order),
        strategies.likeliest(everything).take(positions),
        task.queryable.take(order),
        everything[:CHECKS],
    )


def _score(task: Task, model: Any, progress: Callable[[float], None]) -> NDArray[np.float32]:
    """Class probabilities [N, classes] of every sample.

    A mean of several parts is too slow for a large pool: there its quickest part says of all
    samples which MIXED it is least sure of, and the whole model looks at these, and at the checks.
    """
    quickest = classifiers.quickest_part(model)
    if quickest is None or len(task.features) <= MIXED:
        return classifiers.predict_probabilities(model, task.features, task.classes, progress)
    found = classifiers.predict_probabilities(
        quickest, task.features, task.classes, lambda share: progress(share / 2)
    )
    doubt = strategies.margin(found)
    doubt[:CHECKS] = np.inf
    rows = np.sort(np.argpartition(-doubt, MIXED)[:MIXED])
    found[rows] = classifiers.predict_probabilities(
        model, task.features[rows], task.classes, lambda share: progress((1 + share) / 2)
    )
    return found


def _order(
    task: Task, probabilities: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """The pool's order, and its uncertainty in the pool's own order.

    A strategy sees only what it may ask for. Probes still to come are put where their
    uncertainty belongs behind the first batch, so that the table holds the whole pool.
    """
    chosen = np.flatnonzero(task.queryable)
    others = np.flatnonzero(~task.queryable)
    ranking = strategies.rank(
        task.strategy,
        probabilities=probabilities.take(chosen, axis=0),
        features=task.features,
        pool=task.pool[chosen],
        labeled=task.train,
        labels=task.train_codes,
        batch=task.batch,
        seed=task.seed,
    )
    uncertainty = np.empty(len(task.pool), ranking.uncertainty.dtype)
    uncertainty[chosen] = ranking.uncertainty
    uncertainty[others] = strategies.STRATEGIES[task.strategy].score(probabilities[others])
    asked = chosen[ranking.order]
    others = others[np.argsort(-uncertainty[others], kind="stable")]
    if task.strategy == "random":
        return np.concatenate([asked, others]), uncertainty
    start = 0 if _descending(uncertainty[asked]) else min(task.batch, len(asked))
    where = np.searchsorted(-uncertainty[asked[start:]], -uncertainty[others]) + start
    return np.insert(asked, where, others), uncertainty


def _descending(values: NDArray[np.floating]) -> bool:
    return bool(np.all(values[1:] <= values[:-1]))


def _evaluate(
    task: Task, model: Any, X: NDArray[np.float32], weights: NDArray[np.float32] | None
) -> Evaluation:
    """How good it is on the test table, else on the probes, else by cross-validation."""
    if task.test is not None:
        kind, codes = "test table", task.test_codes
        found = classifiers.predict_probabilities(model, task.test, task.classes)
    elif len(task.probes):
        kind, codes = "probes", task.probe_codes
        rows = np.asarray(task.features[task.probes])
        found = classifiers.predict_probabilities(model, rows, task.classes)
    else:
        kind, codes = "cross-validation", task.train_codes
        if np.bincount(codes)[np.unique(codes)].min() < 2:
            return Evaluation("", 0, 0, None)  # without its one label a class cannot be learned
        found = out_of_fold(X, codes, task.classes, task.classifier, task.seed, task.groups)
        if task.groups is not None:
            judged = found.any(axis=1)
            found, codes = found[judged], codes[judged]
            if not len(codes):
                return Evaluation("", 0, 0, None)
    predicted = decisions.weighed(found, weights).argmax(axis=1)
    area, calibration = auc(found, codes, ENOUGH), calibration_error(found, codes)
    pairs, times = np.unique([codes, predicted], axis=1, return_counts=True)
    taken = list(zip(*pairs.tolist(), times.tolist(), strict=True))
    correct = int((predicted == codes).sum())
    return Evaluation(kind, len(codes), correct, area, calibration, taken)
