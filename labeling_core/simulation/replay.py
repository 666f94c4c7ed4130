"""Replay a labeled table: what would each query strategy have cost and gained?

The truth answers for the annotator; everything else is the loop of a real project, with the
same ``rank`` and ``fit``. Accuracy, balanced accuracy, macro-F1 and AUC are measured on a
stratified hold-out that no strategy sees, at the same label counts for all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.learning import decisions, pieces
from labeling_core.learning.classifier_choice import Choice, choose
from labeling_core.learning.classifiers import fit, predict_probabilities
from labeling_core.learning.evaluation import auc
from labeling_core.learning.measures import MEASURES, confusion, measure
from labeling_core.learning.strategies import rank

HOLDOUT = 0.35
_PATIENCE = 24 * 3600.0  # seconds until one run must have come in from a cluster


class Run(NamedTuple):
    """One learning curve, all in 0..1; ``auc`` is None if the hold-out holds one class only.

    ``aulc`` is the area under ``accuracy``. Runs of versions before 0.3.0 have no
    ``balanced_accuracy`` and ``macro_f1``.
    """

    strategy: str
    seed: int
    n_labels: list[int]
    accuracy: list[float]
    auc: list[float] | None
    aulc: float
    balanced_accuracy: list[float] | None = None
    macro_f1: list[float] | None = None


class Plan(NamedTuple):
    """What to replay; ``seeds`` repetitions, each with its own hold-out and its own luck.

    They are the seeds from ``first_seed`` on.
    """

    strategies: Sequence[str]
    batch: int
    budget: int
    seeds: int
    classifier: str
    holdout: float = HOLDOUT
    first_seed: int = 0


def simulate(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    plan: Plan,
    progress: Callable[[float], None] | None = None,
    finished: Callable[[Run], None] = lambda run: None,
    groups: NDArray[np.integer] | None = None,
) -> list[Run]:
    """Replay ``plan`` on scaled features ``X`` [n, d] and class codes ``y`` [n].

    Every strategy brings its own cold start: before the first model it is asked with no
    probabilities. ``finished`` is given each run, then ``progress`` the finished share, 0..1.
    ``groups`` [n]: samples of one group, as windows of one recording, are held out together. The
    same call gives the same runs. Raises LabelingError for a plan that cannot be carried out.
    """
    _check(y, plan)
    asked = (
        (X, y, *split(y, plan.holdout, seed, groups), strategy, seed, plan, groups)
        for seed in range(plan.first_seed, plan.first_seed + plan.seeds)
        for strategy in plan.strategies
    )
    runs: list[Run] = []
    for run in pieces.done(_replay, asked, threads=1, seconds=_PATIENCE, ordered=True):
        runs.append(run)
        finished(run)
        if progress is not None:
            progress(len(runs) / (plan.seeds * len(plan.strategies)))
    return runs


def _check(y: NDArray[np.integer], plan: Plan) -> None:
    classes = len(np.unique(y))
    if classes < 2:
        raise LabelingError("The label column holds one category only; nothing can be learned.")
    if classes > min(len(y) / 2, max(100, len(y) / 10)):  # rather a measurement than a category
        raise LabelingError(
            f"The label column holds {classes:,} categories in {len(y):,} rows: choose a column "
            "whose values repeat.",
            field="label",
        )
    check_plan(plan)


def check_plan(plan: Plan) -> None:
    """Raise LabelingError, with the field, for a plan that no data could be replayed by."""
    for field in ("batch", "budget", "seeds"):
        if getattr(plan, field) < 1:
            raise LabelingError(f"The {field} must be 1 or more.", field=field)
    if not 0 < plan.holdout < 1:
        raise LabelingError("The hold-out must lie between 0 and 1.", field="holdout")
    if not plan.strategies:
        raise LabelingError("Choose at least one query strategy.", field="strategies")


def split(
    y: NDArray[np.integer],
    holdout: float,
    seed: int,
    groups: NDArray[np.integer] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of pool and hold-out; the hold-out takes its share of every class, rounded, or at
    random as many whole ``groups`` [n] as fit into its share."""
    rng = np.random.default_rng(seed)
    if groups is not None:
        return _split_groups(len(y), holdout, rng, groups)
    pool: list[NDArray[np.intp]] = []
    test: list[NDArray[np.intp]] = []
    for code in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == code))
        cut = min(round(holdout * len(members)), len(members) - 1)
        test.append(members[:cut])
        pool.append(members[cut:])
    if not sum(map(len, test)):
        raise LabelingError("There are too few labeled rows to hold any out.", field="holdout")
    return rng.permutation(np.concatenate(pool)), rng.permutation(np.concatenate(test))


def _split_groups(
    count: int, holdout: float, rng: np.random.Generator, groups: NDArray[np.integer]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    names, sizes = np.unique(groups, return_counts=True)
    held, room = [], round(holdout * count)
    for at in rng.permutation(len(names)).tolist():
        if sizes[at] <= room:
            room -= sizes[at]
            held.append(names[at])
    test = np.isin(groups, held)
    if not test.any():
        raise LabelingError(
            "The labeled windows are of too few recordings to hold any out.", field="holdout"
        )
    return rng.permutation(np.flatnonzero(~test)), rng.permutation(np.flatnonzero(test))


def _replay(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    pool: NDArray[np.intp],
    test: NDArray[np.intp],
    strategy: str,
    seed: int,
    plan: Plan,
    groups: NDArray[np.integer] | None,
) -> Run:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # arrays this small: more threads spend their time on waiting
        measured = [
            (len(labeled), *_measure(model, X[test], y[test], labeled_y, int(y.max()) + 1))
            for labeled, labeled_y, model in sessions(X, y, pool, strategy, seed, plan, groups)
        ]
    counts, auc, accuracy, balanced, f1 = (list(column) for column in zip(*measured, strict=True))
    known = None if None in auc else auc
    return Run(strategy, seed, counts, accuracy, known, area(counts, accuracy), balanced, f1)


def sessions(
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    pool: NDArray[np.intp],
    strategy: str,
    seed: int,
    plan: Plan,
    groups: NDArray[np.integer] | None = None,
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.integer], Any]]:
    """The loop itself: rank, label a batch, fit; yields what is labeled, and the model or None.

    As in a project, the order of the start goes on until a second category is met: no session can
    run before.
    """
    labeled = waiting = pool[:0]
    model: Any = None
    choice: Choice | None = None
    n_classes = int(y.max()) + 1
    while len(pool) and len(labeled) < plan.budget:
        if model is not None or not len(labeled):
            order, _ = rank(
                strategy,
                probabilities=model and predict_probabilities(model, X[pool], n_classes),
                features=X,
                pool=pool,
                labeled=labeled,
                labels=y[labeled],
                batch=plan.batch,
                seed=seed * 1_000_003 + len(labeled),
                wanted=plan.batch if model is not None else plan.budget,
            )
            waiting = pool[order]
        asked = waiting[: min(plan.batch, plan.budget - len(labeled))]
        waiting = waiting[len(asked) :]
        labeled = np.concatenate([labeled, asked])
        pool = pool[~np.isin(pool, asked)]
        if len(np.unique(y[labeled])) > 1:
            known = None if groups is None else groups[labeled]
            choice = choose(plan.classifier, X[labeled], y[labeled], seed, choice, groups=known)
            model = fit(choice.classifier, X[labeled], y[labeled], seed)
        yield labeled, y[labeled], model


def _measure(
    model: Any,
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    labels: NDArray[np.integer],
    n_classes: int,
) -> tuple[float | None, float, float, float]:
    """AUC and MEASURES on the hold-out, each as the model decides where it is the measure of the
    project; without a model, of always naming the only class seen."""
    if model is None:
        probabilities = np.eye(n_classes)[np.full(len(y), labels[0])]
        area = 0.5 if len(np.unique(y)) > 1 else None
    else:
        probabilities = predict_probabilities(model, X, n_classes)
        area = auc(probabilities, y)
    accuracy, balanced, f1 = (
        float(measure(name, confusion(y, taken.argmax(axis=1), n_classes)))
        for name in MEASURES
        for by in [decisions.weights(name, probabilities, labels)]
        for taken in [decisions.weighed(probabilities, by)]
    )
    return area, accuracy, balanced, f1


def area(n_labels: Sequence[int], scores: Sequence[float]) -> float:
    """Area under the learning curve (trapezoids) divided by its width: a mean score, 0..1."""
    if len(n_labels) < 2:
        return float(scores[0])
    return float(np.trapezoid(scores, n_labels) / (n_labels[-1] - n_labels[0]))


def labels_needed(n_labels: Sequence[int], scores: Sequence[float], target: float) -> float:
    """Label count at which a curve first reaches ``target``, interpolated; infinite if never."""
    curve = np.asarray(scores)
    reached = np.flatnonzero(curve >= target)
    if not len(reached):
        return float("inf")
    at = int(reached[0])
    if at == 0:
        return float(n_labels[0])
    share = (target - curve[at - 1]) / (curve[at] - curve[at - 1])
    return float(n_labels[at - 1] + share * (n_labels[at] - n_labels[at - 1]))
