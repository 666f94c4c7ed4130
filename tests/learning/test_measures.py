"""Accuracy, balanced accuracy and macro-F1 beside scikit-learn's, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from labeling_core.learning.measures import MEASURES, confusion, measure, resampled

REFERENCE = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "macro_f1": lambda codes, predicted: f1_score(codes, predicted, average="macro"),
}


def judged(n: int, classes: int, right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.5, n) - 1, classes - 1)  # the last classes are rare
    return codes, np.where(rng.random(n) < right, codes, rng.integers(0, classes, n))


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_scikit_learn(name, seed):
    codes, predicted = judged(60, 5, 0.7, seed)
    table = confusion(codes, predicted, 7)  # two classes that nobody has named
    assert measure(name, table) == pytest.approx(REFERENCE[name](codes, predicted))


def test_a_class_that_is_never_found_pulls_what_counts_classes_alike():
    codes = np.repeat([0, 1], [95, 5])
    table = confusion(codes, np.zeros(100, int), 2)
    found = {name: float(measure(name, table)) for name in MEASURES}
    assert found["accuracy"] == 0.95 and found["balanced_accuracy"] == 0.5
    assert found["macro_f1"] == pytest.approx(95 / 195)


@pytest.mark.parametrize("name", MEASURES)
def test_most_intervals_hold_the_truth_and_more_samples_narrow_them(name):
    truth = float(measure(name, confusion(*judged(200_000, 3, 0.8, 99), 3)))
    found = [resampled(name, confusion(*judged(300, 3, 0.8, seed), 3)) for seed in range(40)]
    assert sum(each.low <= truth <= each.high for each in found) >= 34
    wide = resampled(name, confusion(*judged(60, 3, 0.8, 0), 3))
    assert wide.high - wide.low > 1.4 * (found[0].high - found[0].low)


def test_very_many_classes_are_resampled_within_bounds():
    codes = np.arange(600)
    found = resampled("macro_f1", confusion(codes, codes, 600))
    assert found.share == found.high == 1.0
