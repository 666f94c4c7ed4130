"""How good a model is, and how sure we may be of it. NumPy only: the web server uses it too."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Samples of a class, and not of it, below which a share or an area of it says next to nothing.
ENOUGH = 5
BINS = 10  # of the calibration error, all of one width
CALIBRATED = 50  # samples below which chance alone moves a calibration error by ten points


class Interval(NamedTuple):
    """A share with its 95 % interval, all in 0..1."""

    share: float
    low: float
    high: float


def wilson(hits: float, number: float, z: float = 1.959963984540054) -> Interval:
    """Wilson's score interval of ``hits`` out of ``number`` (E. B. Wilson, JASA 22, 1927).

    Without any trial the share is unknown: (nan, 0, 1).
    """
    if number == 0:
        return Interval(float("nan"), 0.0, 1.0)
    share = hits / number
    centre = (share + z * z / (2 * number)) / (1 + z * z / number)
    half = (
        z
        / (1 + z * z / number)
        * np.sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    )
    return Interval(share, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def auc(
    probabilities: NDArray[np.floating], codes: NDArray[np.integer], least: int = 1
) -> float | None:
    """Area under the ROC curve; for more than two classes one against the rest, macro mean.

    ``probabilities`` [n, classes], ``codes`` [n] in 0..classes-1. Classes with fewer than
    ``least`` positive or negative samples do not count; None if no class does. By ranks: the
    Mann-Whitney statistic, ties counting one half.
    """
    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = []
    for column in columns:
        positive = codes == column
        n_positive, n_negative = int(positive.sum()), int((~positive).sum())
        if min(n_positive, n_negative) < least:
            continue
        _, tie, ties = np.unique(probabilities[:, column], return_inverse=True, return_counts=True)
        ranks = (np.cumsum(ties) - (ties - 1) / 2)[tie]
        above = ranks[positive].sum() - n_positive * (n_positive + 1) / 2
        areas.append(float(above) / (n_positive * n_negative))
    return float(np.mean(areas)) if areas else None


def calibration_error(
    probabilities: NDArray[np.floating], codes: NDArray[np.integer]
) -> float | None:
    """How far, 0..1, the likeliest class's probability is from the share that it is right, on
    average over BINS of that probability: the expected calibration error (C. Guo and others,
    "On calibration of modern neural networks", ICML 2017, eq. 3).

    ``probabilities`` [n, classes], ``codes`` [n]. None of fewer than CALIBRATED samples.
    """
    if len(codes) < CALIBRATED:
        return None
    confidence = probabilities.max(axis=1)
    surplus = confidence - (probabilities.argmax(axis=1) == codes)
    bins = np.clip((confidence * BINS).astype(np.intp), 0, BINS - 1)
    return float(np.abs(np.bincount(bins, surplus)).sum() / len(codes))


class Contradictions(NamedTuple):
    """How many of ``compared`` predictions changed between two consecutive models."""

    changed: int
    compared: int


def contradictions(
    before: NDArray[np.str_], after: NDArray[np.str_], comparable: NDArray[np.bool_], most: int
) -> Contradictions:
    """Compare the predicted classes of the first ``most`` comparable samples.

    All three arrays are aligned; their order is the project's seeded shuffle, so a prefix is
    a random draw.
    """
    chosen = np.flatnonzero(comparable)[:most]
    return Contradictions(int((before[chosen] != after[chosen]).sum()), len(chosen))
