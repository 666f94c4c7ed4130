"""Accuracy, balanced accuracy and macro-F1 beside scikit-learn's, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from labeling_core.learning.measures import (
    MEASURES,
    confusion,
    few,
    interval,
    measure,
    missing,
    of_times,
    taken,
)

REFERENCE = {
    "accuracy": accuracy_score,
    "balanced_accuracy": balanced_accuracy_score,
    "macro_f1": lambda codes, predicted: f1_score(codes, predicted, average="macro"),
}


def judged(n: int, classes: int, right: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = np.minimum(rng.geometric(0.5, n) - 1, classes - 1)  # the last classes are rare
    return codes, np.where(rng.random(n) < right, codes, rng.integers(0, classes, n))


def named(codes: np.ndarray, predicted: np.ndarray):
    return taken(codes.astype(str), predicted.astype(str))


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("seed", range(5))
def test_measures_are_those_of_scikit_learn(name, seed):
    codes, predicted = judged(60, 5, 0.7, seed)
    table = confusion(codes, predicted, 7)  # two classes that nobody has named
    truth = pytest.approx(REFERENCE[name](codes, predicted))
    assert measure(name, table) == truth
    found = named(codes, predicted)
    assert of_times(name, found, found.times) == truth and interval(name, found).share == truth


def test_a_class_that_is_never_found_pulls_what_counts_classes_alike():
    codes = np.repeat([0, 1], [95, 5])
    table = confusion(codes, np.zeros(100, int), 2)
    found = {name: float(measure(name, table)) for name in MEASURES}
    assert found["accuracy"] == 0.95 and found["balanced_accuracy"] == 0.5
    assert found["macro_f1"] == pytest.approx(95 / 195)


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("right", [0.8, 0.98])
def test_most_intervals_hold_the_truth_and_more_samples_narrow_them(name, right):
    truth = float(measure(name, confusion(*judged(200_000, 3, right, 99), 3)))
    found = [interval(name, named(*judged(300, 3, right, seed))) for seed in range(40)]
    assert sum(each.low <= truth <= each.high for each in found) >= 34
    wide = interval(name, named(*judged(60, 3, right, 0)))
    assert wide.high - wide.low > 1.4 * (found[0].high - found[0].low)


def test_what_was_always_right_leaves_a_doubt_as_large_as_the_rarest_category():
    # Wilson's lower limits of 5 of 5 and 95 of 95, .5655 and .9611: the means of the distances
    # to 1, squared, summed, rooted, by hand.
    found = named(np.repeat([0, 1], [5, 95]), np.repeat([0, 1], [5, 95]))
    by_hand = 1 - np.hypot(1 - 0.56552, 1 - 0.96113) / 2
    assert interval("balanced_accuracy", found) == pytest.approx((1, by_hand, 1), abs=1e-4)
    of_f1 = [2 * j / (1 + j) for j in (0.56552, 0.96113)]
    by_hand = 1 - np.hypot(1 - of_f1[0], 1 - of_f1[1]) / 2
    assert interval("macro_f1", found) == pytest.approx((1, by_hand, 1), abs=1e-4)


def test_pairs_are_counted_once_and_may_stand_for_several_samples():
    found = taken(["b", "a", "b", "b"], ["a", "a", "a", "b"])
    assert [list(each) for each in found] == [["a", "b", "b"], ["a", "a", "b"], [1, 2, 1]]
    again = taken(["b", "a", "b"], ["b", "a", "a"], [1, 1, 2])
    assert [list(each) for each in again] == [list(each) for each in found]
    assert [len(each) for each in taken([], [])] == [0, 0, 0]


def test_what_is_missing_names_the_categories_with_hardly_a_sample():
    found = taken(["a"] * 9 + ["b"] * 3, ["a"] * 12)
    assert few(found) == [("b", 3)]
    assert missing("balanced_accuracy", found) == (
        "Balanced accuracy takes measured samples of two categories, and 5 of each that has any: "
        "b (3)."
    )
    assert missing("macro_f1", taken(["a"] * 9, ["a"] * 9)).endswith("of each that has any.")
    assert (
        missing("accuracy", found) == missing("macro_f1", taken(["a", "b"] * 6, ["a"] * 12)) == ""
    )


def test_very_many_classes_are_no_fault():
    codes = np.arange(600)
    found = interval("macro_f1", named(codes, codes))
    assert found.share == found.high == 1.0
