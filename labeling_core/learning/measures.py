"""Measures of how often a model is right, all from one table of who was taken for whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.evaluation import Interval

MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
}
RESAMPLED = 1_000  # times; of very many classes fewer, for the memory that they take


def confusion(
    codes: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.intp]:
    """How many [classes, classes] samples of class ``codes`` (rows) were taken for ``predicted``
    (columns); both [n] in 0..classes-1."""
    pairs = np.asarray(codes, np.intp) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def measure(name: str, table: NDArray[np.number]) -> NDArray[np.float64]:
    """One of MEASURES, 0..1, of tables [..., classes, classes] that :func:`confusion` made.

    ``accuracy``: the share that is right. ``balanced_accuracy``: the mean over the classes that
    occur of the share of each that is right. ``macro_f1``: the mean over the classes that occur or
    were named of 2 · right / (occurring + named). NaN without any sample.
    """
    right = np.diagonal(table, axis1=-2, axis2=-1).astype(np.float64)
    occurring, named = table.sum(axis=-1), table.sum(axis=-2)
    with np.errstate(invalid="ignore", divide="ignore"):
        if name == "accuracy":
            return np.asarray(right.sum(axis=-1) / occurring.sum(axis=-1))
        if name == "balanced_accuracy":
            shares, counted = right / occurring, occurring > 0
        elif name == "macro_f1":
            shares, counted = 2 * right / (occurring + named), (occurring + named) > 0
        else:
            raise ValueError(f"There is no measure “{name}”.")
        return np.where(counted, shares, 0.0).sum(axis=-1) / counted.sum(axis=-1)


def resampled(name: str, table: NDArray[np.integer]) -> Interval:
    """One of MEASURES of a ``table`` with at least one sample, and its 95 % interval by the
    percentile bootstrap over the samples (B. Efron, Annals of Statistics 7, 1979)."""
    number = int(table.sum())
    times = int(np.clip(5_000_000 / table.size, 100, RESAMPLED))
    drawn = np.random.default_rng(0).multinomial(number, table.ravel() / number, times)
    values = measure(name, drawn.reshape(times, *table.shape))
    low, high = np.quantile(values, [0.025, 0.975])
    share = float(measure(name, table))
    return Interval(share, min(share, float(low)), max(share, float(high)))
