"""Scoring many rows quickly says what scikit-learn's own functions say."""

from __future__ import annotations

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from labeling_core.learning import classifiers, scoring
from labeling_core.learning.classifiers import PARTS, fit, mixed, name_classes
from labeling_core.learning.threads import FEW, one_thread, threads_for


def told(classes, scale=1.0):
    rng = np.random.default_rng(classes)
    X = (rng.standard_normal((9_000, 12)) * scale).astype(np.float32)
    y = np.digitize(X[:260, 0] * X[:260, 1] / scale**2, np.linspace(-0.5, 0.5, classes - 1))
    return X, y


@pytest.mark.parametrize("name", [*PARTS, mixed(dict(zip(PARTS, (0.2, 0.5, 0.3), strict=True)))])
@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_every_part_and_their_mean_say_what_scikit_learn_says(name, classes, scale):
    X, y = told(classes, scale)
    model = fit(name, X[:260], y, 0)
    # Logits of thousands, as of rows this large, differ by their last digits.
    assert np.allclose(scoring.probabilities(model, X), model.predict_proba(X), atol=1e-4)
    if scale == 1.0:
        assert np.allclose(scoring.probabilities(model, X), model.predict_proba(X), atol=2e-6)


def test_a_class_that_the_model_never_saw_and_names_of_classes_change_nothing():
    X, y = told(3)
    model = fit(mixed(dict.fromkeys(PARTS, 1 / 3)), X[:260], y * 2, 0)  # classes 0, 2 and 4 of 6
    found = classifiers.predict_probabilities(model, X, 6)
    assert not found[:, [1, 3, 5]].any()
    assert np.allclose(found[:, [0, 2, 4]], model.predict_proba(X), atol=2e-6)
    name_classes(model, list("abcdef"))
    assert np.allclose(scoring.probabilities(model, X), found[:, [0, 2, 4]], atol=2e-6)


def test_products_take_one_thread_in_a_block_and_as_many_as_before_behind_it():
    def threads():
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    with threadpool_limits(2, "blas"):
        with one_thread():
            assert threads() == {1}
        with threads_for(FEW):
            assert threads() == {1}
        with threads_for(FEW + 1):
            assert threads() == {2}
        assert threads() == {2}
