"""What a sample is taken for, by the measure of the project."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from labeling_core.learning import decisions, iteration
from labeling_core.learning.measures import MEASURES
from labeling_core.simulation import replay

SAMPLES, RARE = 1_800, 90


@pytest.fixture
def overlapping():
    """Features and codes of SAMPLES: the second class is rare, and lies within the first."""
    rng = np.random.default_rng(0)
    y = np.zeros(SAMPLES, int)
    y[rng.permutation(SAMPLES)[:RARE]] = 1
    X = rng.normal(size=(SAMPLES, 4)) + 1.2 * y[:, None]
    return X.astype(np.float32), y


def test_decisions_are_those_that_the_measure_is_expected_to_be_greatest_by():
    """Against scikit-learn: were a sample of each class by as much as is probable of it."""
    rng = np.random.default_rng(1)
    found = rng.dirichlet([6, 2, 0.6], 400)
    codes = np.repeat([0, 1, 2], [64, 16, 4])
    everything = np.tile(np.arange(3), 400)
    scores = {
        "balanced_accuracy": balanced_accuracy_score,
        "macro_f1": partial(f1_score, average="macro"),
    }
    for name, score in scores.items():
        by = {
            power: score(
                everything,
                np.repeat((found * np.array([1, 4, 16]) ** power).argmax(axis=1), 3),
                sample_weight=found.ravel(),
            )
            for power in decisions.POWERS
        }
        best = max(by, key=by.get)
        assert 0 < best <= 1
        assert decisions.weights(name, found, codes) == pytest.approx(np.array([1, 4, 16]) ** best)


def test_where_every_sample_counts_alike_the_likeliest_category_decides():
    found, codes = np.full((4, 2), 0.5), np.array([0, 0, 1])
    assert decisions.weights("accuracy", found, codes) is None
    assert decisions.weights("of a newer program", found, codes) is None
    assert {*decisions.ALIKE} < {*MEASURES}


def test_a_category_without_a_label_weighs_nothing_and_certain_ones_stay():
    found = np.eye(3)[[0, 0, 0, 1]]
    for name in decisions.ALIKE:
        assert decisions.weights(name, found, np.array([0, 0, 0, 1])).tolist() == [1, 1, 1]


def test_weighed_probabilities_sum_to_one_and_decide_for_the_rare_one():
    p = np.array([[0.6, 0.4], [0.9, 0.1], [1.0, 0.0]], np.float32)
    found = decisions.weighed(p, np.array([1, 2], np.float32))
    assert found == pytest.approx(np.array([[0.6, 0.8], [0.9, 0.2], [1, 0]]) / [[1.4], [1.1], [1]])
    assert decisions.weighed(p, None) is p


def test_a_session_asks_alike_by_every_measure_and_finds_more_of_a_rare_category(overlapping):
    X, y = overlapping
    train, probes, pool = np.split(np.arange(SAMPLES), [300, 1_050])
    task = iteration.Task(
        features=X, train=train, train_codes=y[train], probes=probes, probe_codes=y[probes],
        test=None, test_codes=y[:0], pool=pool, queryable=np.ones(len(pool), bool), classes=2,
        classifier="logistic_regression", strategy="margin", batch=10, seed=0,
    )  # fmt: skip
    plain, alike = (
        iteration.run(task._replace(measure=each), lambda text, share: None)
        for each in ("accuracy", "balanced_accuracy")
    )
    assert plain.positions.tolist() == alike.positions.tolist()
    assert plain.uncertainty.tolist() == alike.uncertainty.tolist()
    assert alike.prediction.sum() > plain.prediction.sum()

    def hits(outcome):
        return sum(n for truth, taken, n in outcome.evaluation.taken if truth == taken == 1)

    assert hits(alike) > hits(plain)
    assert alike.evaluation.auc == plain.evaluation.auc
    # What is kept of the first positions decides as the session did.
    taken = dict(zip(alike.positions.tolist(), alike.prediction.tolist(), strict=True))
    kept = alike.checks.argmax(axis=1)
    assert [kept[at] for at in pool] == [taken[at] for at in pool.tolist()]


def test_a_simulation_tells_each_measure_of_a_model_that_decides_by_it(overlapping, monkeypatch):
    X, y = overlapping
    plan = replay.Plan(["random"], 50, 300, 1, "logistic_regression")
    (found,) = replay.simulate(X, y, plan)
    monkeypatch.setattr(decisions, "POWERS", (0.0,))
    (plain,) = replay.simulate(X, y, plan)
    assert (found.accuracy, found.auc) == (plain.accuracy, plain.auc)
    assert found.balanced_accuracy[-1] > plain.balanced_accuracy[-1]
    assert found.macro_f1[-1] > plain.macro_f1[-1]
