"""One iteration on arrays: which model speaks of which sample."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.learning import iteration
from labeling_core.learning.classifiers import predict_probabilities, quickest_part
from labeling_core.learning.strategies import margin

SAMPLES, TRAINED = 800, 60


@pytest.fixture
def task():
    """Two classes that a ring divides; some are labeled, and all others may be asked for."""
    X = np.random.default_rng(0).normal(size=(SAMPLES, 3)).astype(np.float32)
    y = (np.linalg.norm(X[:, :2], axis=1) > 1.2).astype(int)
    train, pool = np.arange(SAMPLES - TRAINED, SAMPLES), np.arange(SAMPLES - TRAINED)
    return iteration.Task(
        features=X, train=train, train_codes=y[train], probes=pool[:0], probe_codes=y[:0],
        test=None, test_codes=y[:0], pool=pool, queryable=np.ones(len(pool), bool), classes=2,
        classifier="auto", strategy="margin", batch=10, seed=0,
    )  # fmt: skip


def test_every_part_of_a_mean_looks_at_a_small_pool(task):
    found = iteration.run(task, lambda text, share: None)
    whole = predict_probabilities(found.model, task.features[found.positions], 2)
    assert found.uncertainty == pytest.approx(margin(whole), abs=1e-6)


def test_in_a_large_pool_the_quickest_part_says_where_the_others_look(task, monkeypatch):
    monkeypatch.setattr(iteration, "MIXED", 100)
    monkeypatch.setattr(iteration, "CHECKS", 20)
    told: list[float] = []
    found = iteration.run(task, lambda text, share: told.append(share))
    whole = margin(predict_probabilities(found.model, task.features[found.positions], 2))
    quick = predict_probabilities(quickest_part(found.model), task.features[found.positions], 2)
    by_all = np.isclose(found.uncertainty, whole, atol=1e-6)
    assert by_all.sum() >= 100 - TRAINED
    assert found.uncertainty[~by_all] == pytest.approx(margin(quick)[~by_all], abs=1e-6)
    assert by_all[found.positions < 20].all()
    assert margin(quick)[~by_all].max() <= margin(quick)[by_all & (found.positions >= 20)].max()
    assert found.checks == pytest.approx(
        predict_probabilities(found.model, task.features[:20], 2), abs=1e-6
    )
    assert told == sorted(told)
