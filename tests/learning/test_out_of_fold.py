"""Folds that keep a group together: neighbouring windows are not judged by one another."""

from __future__ import annotations

import numpy as np

from labeling_core.learning.out_of_fold import FOLDS, folds, grouped_folds, out_of_fold


def test_a_group_lies_in_one_fold_and_classes_are_spread() -> None:
    groups = np.repeat(np.arange(30), 4)
    codes = np.repeat(np.arange(30) % 3, 4)
    found = grouped_folds(codes, groups, seed=0)
    assert {len(set(found[groups == each])) for each in range(30)} == {1}
    assert set(found) == set(range(FOLDS))
    assert all(set(codes[found == fold]) == {0, 1, 2} for fold in range(FOLDS))
    assert np.array_equal(found, grouped_folds(codes, groups, seed=0))


def test_what_one_group_holds_is_not_judged() -> None:
    assert set(grouped_folds(np.array([0, 1, 0]), np.zeros(3, int), 0)) == {-1}
    groups, codes = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    X = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    assert not out_of_fold(X, codes, 2, "logistic_regression", 0, groups).any()


def test_copies_of_a_sample_tell_nothing_when_they_are_grouped() -> None:
    """Labels at random on points that come five times: only a leak can know them."""
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(120, 30)), rng.integers(0, 2, 120)
    X, codes = np.repeat(points, 5, axis=0).astype(np.float32), np.repeat(labels, 5)
    groups = np.repeat(np.arange(120), 5)
    leaking = out_of_fold(X, codes, 2, "random_forest", 0).argmax(axis=1)
    honest = out_of_fold(X, codes, 2, "random_forest", 0, groups).argmax(axis=1)
    assert (leaking == codes).mean() > 0.95 and (honest == codes).mean() < 0.75
    assert set(folds(codes, 0)) == set(range(FOLDS))
