"""The process against its formulas written out, and against itself without a row."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.learning import gaussian_process
from labeling_core.learning.gaussian_process import CENTRES, Kernel, fit


def clouds(n: int, classes: int, columns: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    y = np.arange(n) % classes
    return (rng.normal(size=(n, columns)) + 1.5 * np.eye(columns)[y]).astype(np.float32), y


@pytest.mark.parametrize("classes", [2, 4])
def test_it_is_least_squares_on_one_hot_labels_under_the_kernel(classes, monkeypatch):
    X, y = clouds(40, classes)
    kernel, noise = Kernel(length=7.0, radius=6.0, share=0.4), 0.3
    monkeypatch.setattr(gaussian_process, "_most_probable", lambda X, Y: (kernel, noise))
    monkeypatch.setattr(gaussian_process, "_sharpness", lambda means, codes: 5.0)
    new = clouds(30, classes)[0]
    shares = np.eye(classes)[y].mean(axis=0)
    inner = np.linalg.inv(kernel.of(X.astype(float), X.astype(float)) + noise * np.eye(40))
    scores = 5 * (
        shares
        + kernel.of(new.astype(float), X.astype(float)) @ inner @ (np.eye(classes)[y] - shares)
    )
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert fit(X, y, 0)[0].predict_proba(new) == pytest.approx(expected, abs=1e-3)


def test_left_out_means_are_those_of_a_process_without_the_row(monkeypatch):
    X, y = clouds(30, 3)
    kernel, noise = Kernel(length=7.0, radius=6.0, share=0.4), 0.3
    hits = np.eye(3)[y] - 1 / 3
    left_out = gaussian_process._solve(kernel, noise, X.astype(float), X.astype(float), hits)[1]
    rest = np.arange(30) != 4
    inner = np.linalg.inv(
        kernel.of(X[rest].astype(float), X[rest].astype(float)) + noise * np.eye(29)
    )
    expected = kernel.of(X[4:5].astype(float), X[rest].astype(float)) @ inner @ hits[rest]
    assert left_out[4] == pytest.approx(expected[0], abs=1e-3)


@pytest.mark.parametrize("n", [2, 3, 20, CENTRES + 150])
def test_every_number_of_labels_gives_probabilities(n):
    X, y = clouds(n, 2)
    model, left_out = fit(X, y, 0)
    for found in (model.predict_proba(X), left_out):
        assert found.shape == (n, 2)
        assert found.sum(axis=1) == pytest.approx(np.ones(n), abs=1e-5)
    assert list(model.classes_) == [0, 1]


def test_rows_that_are_all_alike_tell_the_shares_of_the_classes():
    model, _ = fit(np.zeros((12, 4), np.float32), np.repeat([0, 1], [9, 3]), 0)
    assert model.predict_proba(np.zeros((1, 4), np.float32)).argmax() == 0


def test_it_follows_a_ring_that_no_line_divides():
    X = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    y = (np.linalg.norm(X, axis=1) > 1.2).astype(int)
    assert np.mean(fit(X[:200], y[:200], 0)[0].predict(X[200:]) == y[200:]) > 0.9
