"""A project labeled by the truth: the real loop's queue, probes and sessions, without a database.

Shared by probe_coverage.py and stopping.py. The queue hands the samples out, labels.split says
which of them measure and which train, iteration.run trains, measures and puts the pool in a new
order: only the tables and the worker process are left out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning import classifiers, decisions, iteration, measures
from labeling_core.learning.measures import confusion, measure
from labeling_core.learning.power_law import ByMeasure, Curve
from labeling_core.learning.stopping import Evidence
from labeling_core.progress import efficiency, stopping_evidence
from labeling_core.projects.labels import Labels, first_open, split

HOLDOUT = 0.35


class Plan(NamedTuple):
    """How a project is labeled: ``every`` labels a session, up to ``budget`` of them in all."""

    strategy: str = "auto"
    every: int = 20
    budget: int = 400
    probe_share: float = 0.1
    classifier: str = classifiers.DEFAULT_CLASSIFIER
    measure: str = "accuracy"


class Step(NamedTuple):
    """After one session. ``truth`` is its score by the plan's measure on every sample it was not
    trained on, be it of the pool or of the hold-out, ``population`` on the hold-out alone.

    ``closed`` [samples]: what has been decided; places below ``limit`` are kept for probes;
    ``codes``: the truth of every place.
    """

    labels: int
    task: iteration.Task
    outcome: iteration.Outcome
    truth: float
    population: float
    closed: NDArray[np.bool_]
    limit: int
    codes: NDArray[np.int64]


def replay(X: NDArray[np.float32], y: NDArray[np.integer], plan: Plan, seed: int) -> Iterator[Step]:
    """Label a project by the truth ``y`` [n]; ``X`` [n, d] scaled. A step for every session."""
    shuffle = np.random.default_rng(seed).permutation(len(y))
    size = len(y) - round(HOLDOUT * len(y))
    features, codes = np.ascontiguousarray(X[shuffle]), y[shuffle].astype(np.int64)
    limit = round(plan.probe_share * size)
    queue = Queue(size, limit, plan.probe_share, seed, hold_seconds=1e9)
    session = 0
    while queue.counts.labeled < min(plan.budget, size):
        _label(queue, min(plan.every, plan.budget - queue.counts.labeled))
        task = _task(features, codes, queue, plan, seed + session + 1)
        if len(np.unique(task.train_codes)) < 2:
            continue
        session += 1
        outcome = iteration.run(task, lambda text, share: None)
        queue.set_order(outcome.positions[outcome.queryable], session)
        found = classifiers.predict_probabilities(outcome.model, features, task.classes)
        by = decisions.weights(plan.measure, found[: iteration.CHECKS], task.train_codes)
        predicted = decisions.weighed(found, by)
        trained = np.zeros(len(y), bool)
        trained[task.train] = True
        truth, population = (
            _score(plan.measure, codes[some], predicted[some].argmax(axis=1), task.classes)
            for some in (~trained, slice(size, None))
        )
        closed = queue.pool.closed.copy()
        yield Step(queue.counts.labeled, task, outcome, truth, population, closed, limit, codes)


def _label(queue: Queue, number: int) -> None:
    for each in queue.take(number, "truth", "browser", time.time()):
        queue.close(each.position, str(each.position), "truth")
        queue.counts.labeled += 1


def _task(
    features: NDArray[np.float32], codes: NDArray[np.int64], queue: Queue, plan: Plan, seed: int
) -> iteration.Task:
    places = np.flatnonzero(queue.pool.closed)
    found = Labels(places, codes[places], places, places < 0)
    opened = first_open(queue.pool.closed, queue.pool.probe_limit)
    train, probes = split(found, queue.pool.probe_limit, opened, queue.pool.apart)
    pool = np.flatnonzero(~queue.pool.closed)
    return iteration.Task(
        features=features[: queue.total], train=train.positions, train_codes=train.codes,
        probes=probes.positions, probe_codes=probes.codes, test=None, test_codes=codes[:0],
        pool=pool, queryable=pool >= queue.pool.probe_limit, classes=int(codes.max()) + 1,
        classifier=plan.classifier, strategy=plan.strategy, batch=plan.every, seed=seed,
        measure=plan.measure,
    )  # fmt: skip


def _score(name: str, codes: NDArray[np.int64], predicted: NDArray[np.intp], classes: int) -> float:
    return float(measure(name, confusion(codes, predicted, classes)))


def evidence_of(steps: list[Step], plan: Plan) -> Evidence:
    """What the progress page would read from the tables after the last of these sessions."""
    last = steps[-1]
    labels = np.array([each.labels for each in steps])
    predictions = [each.outcome.checks.argmax(axis=1) for each in steps]
    places = np.arange(len(predictions[-1]))
    untrained = (places < last.limit) | ~last.closed[: len(places)]
    probes = last.task.probes[last.task.probes < len(places)]
    hits = np.array([each[probes] == last.codes[probes] for each in predictions])
    other, missing = _by_measure(
        plan.measure, last.codes[probes], [each[probes] for each in predictions]
    )
    curve = Curve(labels, len(probes), hits.sum(axis=1), hits, other) if len(probes) else None
    asked = last.outcome.uncertainty[last.outcome.queryable]
    draw = efficiency.measure(asked, plan.every)
    state = efficiency.state(draw, plan.strategy, last.task.classes, last.labels)[0]
    return Evidence(
        kind="probes" if curve else "", labels=labels, curve=curve,
        changed=stopping_evidence.changes(predictions, untrained), compared=int(untrained.sum()),
        halting=state, left=int((~last.closed).sum()), every=plan.every,
        probe_share=plan.probe_share, missing=missing,
        moved=stopping_evidence.changes(predictions, untrained, plan.measure),
    )  # fmt: skip


def _by_measure(
    name: str, codes: NDArray[np.int64], predictions: list[NDArray[np.intp]]
) -> tuple[ByMeasure | None, str]:
    """What the curve is by another measure than accuracy, or what is missing to tell it."""
    if name == "accuracy":
        return None, ""
    found = [measures.pairs(codes.astype(str), each.astype(str)) for each in predictions]
    if lacking := measures.missing(name, found[-1][0]):
        return None, lacking
    return ByMeasure(name, [one for one, _ in found], np.array([place for _, place in found])), ""
