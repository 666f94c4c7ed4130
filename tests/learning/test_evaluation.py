"""The figures people will trust: compared with published and independent ones."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from labeling_core.learning.evaluation import auc, calibration_error, contradictions, wilson


@pytest.mark.parametrize(
    ("hits", "number", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3 (score, no correction)
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],  # noqa: E501
)  # fmt: skip
def test_wilson_equals_published_intervals(hits, number, low, high):
    found = wilson(hits, number)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_wilson_of_nothing_knows_nothing():
    assert wilson(0, 0)[1:] == (0.0, 1.0)


@pytest.mark.parametrize("classes", [2, 5])
def test_auc_equals_scikit_learn_with_ties(classes):
    rng = np.random.default_rng(classes)
    codes = rng.integers(classes, size=300)
    p = rng.dirichlet(np.ones(classes), size=300)
    p[np.arange(300), codes] += 0.3
    p = np.round(p / p.sum(axis=1, keepdims=True), 1)  # many ties
    if classes == 2:
        expected = roc_auc_score(codes, p[:, 1])
    else:
        each = [roc_auc_score(codes == k, p[:, k]) for k in range(classes)]
        expected = np.mean(each)
    assert auc(p, codes) == pytest.approx(expected, abs=1e-12)


def test_auc_of_a_single_class_is_unknown():
    assert auc(np.array([[0.2, 0.8], [0.4, 0.6]]), np.array([1, 1])) is None


def test_auc_leaves_out_a_class_of_which_too_little_is_known():
    p = np.array([[0.9, 0.1, 0.0], [0.1, 0.9, 0.0], [0.8, 0.2, 0.0], [0.2, 0.3, 0.5]])
    codes = np.array([0, 1, 0, 2])
    assert auc(p, codes) == 1.0
    assert auc(p, codes, least=2) == 1.0  # of the class with two samples, and two others
    assert auc(p[::-1], codes, least=2) == 0.0
    assert auc(p, codes, least=3) is None


def test_calibration_error_is_the_mean_distance_from_how_often_it_is_right():
    sure, doubtful = np.tile([0.9, 0.1], (60, 1)), np.tile([0.35, 0.65], (40, 1))
    codes = np.concatenate([np.repeat([0, 1], [48, 12]), np.repeat([1, 0], [26, 14])])
    found = calibration_error(np.concatenate([sure, doubtful]), codes)
    assert found == pytest.approx(0.6 * (0.9 - 0.8))  # 65 % are right where 65 % was said


def test_calibration_of_a_model_that_is_always_sure_and_right_is_perfect():
    codes = np.arange(60) % 3
    assert calibration_error(np.eye(3)[codes], codes) == 0.0
    assert calibration_error(np.eye(3)[codes], (codes + 1) % 3) == 1.0


def test_calibration_of_few_samples_is_unknown():
    assert calibration_error(np.eye(2)[[0] * 49], np.zeros(49, int)) is None


def test_contradictions_count_only_what_is_comparable():
    before, after = np.array(["a", "b", "a", "b"]), np.array(["a", "a", "b", "b"])
    found = contradictions(before, after, np.array([True, True, False, True]), most=2)
    assert found == (1, 2)
