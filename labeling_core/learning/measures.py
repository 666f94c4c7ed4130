"""Measures of how often a model is right, all from one table of who was taken for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.evaluation import ENOUGH, Interval, wilson

MEASURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro-F1",
}
WHEN = {
    "accuracy": "The share of samples that the model gets right. For when every sample counts "
    "alike; a category that is rare then counts little.",
    "balanced_accuracy": "How many of a category are found, averaged over the categories. For when "
    "a rare category counts as much as a common one, and missing it is what costs.",
    "macro_f1": "The F1 of each category, averaged over the categories: it falls when samples of a "
    "category are missed, and when others are taken for it. For when a rare category counts as "
    "much as a common one, and false alarms cost, too.",
}
RESAMPLED = 1_000  # times
Names = Sequence[str] | NDArray[np.str_]


def title(name: str) -> str:
    """What one of MEASURES is called at the beginning of a line; the name itself of another."""
    called = MEASURES.get(name, name)
    return called[0].upper() + called[1:]


def confusion(
    codes: NDArray[np.integer], predicted: NDArray[np.integer], classes: int
) -> NDArray[np.intp]:
    """How many [classes, classes] samples of class ``codes`` (rows) were taken for ``predicted``
    (columns); both [n] in 0..classes-1."""
    pairs = np.asarray(codes, np.intp) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


class Taken(NamedTuple):
    """How many ``times`` [k] the category ``truth`` [k] was taken for ``predicted`` [k], by name;
    each pair stands there once, in alphabetical order."""

    truth: NDArray[np.str_]
    predicted: NDArray[np.str_]
    times: NDArray[np.intp]


def taken(truth: Names, predicted: Names, times: Sequence[int] = ()) -> Taken:
    """Count pairs of names [n]; each stands for so many ``times`` [n] (default: once)."""
    found, place = pairs(truth, predicted)
    weights = np.asarray(times, np.float64) if len(times) else None
    return found._replace(times=np.bincount(place, weights, len(found.truth)).astype(np.intp))


def pairs(truth: Names, predicted: Names) -> tuple[Taken, NDArray[np.intp]]:
    """As :func:`taken`, and which of the pairs each of the samples is [n]."""
    if not len(truth):
        nobody = np.zeros(0, str)
        return Taken(nobody, nobody, np.zeros(0, np.intp)), np.zeros(0, np.intp)
    found, place, times = np.unique(
        [truth, predicted], axis=1, return_inverse=True, return_counts=True
    )
    return Taken(found[0], found[1], times), place.ravel()


def few(found: Taken) -> list[tuple[str, int]]:
    """The categories that occur with fewer than ENOUGH samples each, and how many these are."""
    names, place = np.unique(found.truth, return_inverse=True)
    numbers = np.bincount(place, found.times, len(names)).astype(int).tolist()
    return [
        (name, number)
        for name, number in zip(names.tolist(), numbers, strict=True)
        if number < ENOUGH
    ]


def missing(name: str, found: Taken) -> str:
    """What one of MEASURES still lacks to be told, in a sentence; "" if nothing.

    Where every category counts alike, one with hardly a sample decides by its luck.
    """
    lacking = few(found)
    if name == "accuracy" or (not lacking and len(np.unique(found.truth)) > 1):
        return ""
    named = ", ".join(f"{each} ({number})" for each, number in lacking)
    return (
        f"{title(name)} takes measured samples of two categories, and {ENOUGH} of "
        f"each that has any{': ' * bool(named)}{named}."
    )


def measure(name: str, table: NDArray[np.number]) -> NDArray[np.float64]:
    """One of MEASURES, 0..1, of tables [..., classes, classes] that :func:`confusion` made.

    ``accuracy``: the share that is right. ``balanced_accuracy``: the mean over the classes that
    occur of the share of each that is right. ``macro_f1``: the mean over the classes that occur or
    were named of 2 · right / (occurring + named). NaN without any sample.
    """
    right = np.diagonal(table, axis1=-2, axis2=-1).astype(np.float64)
    return of_sums(name, right, table.sum(axis=-1), table.sum(axis=-2))


def of_sums(
    name: str,
    right: NDArray[np.float64],
    occurring: NDArray[np.number],
    named: NDArray[np.number],
) -> NDArray[np.float64]:
    """See :func:`measure`: how many of each class [..., classes] are right, occur, are named."""
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


def of_times(name: str, found: Taken, times: NDArray[np.number]) -> NDArray[np.float64]:
    """One of MEASURES, 0..1 [...], of the pairs in ``found``, had they occurred so many ``times``
    [..., k]."""
    classes = np.unique(np.concatenate([found.truth, found.predicted]))
    truth, predicted = (
        (each[:, None] == classes).astype(np.float64) for each in (found.truth, found.predicted)
    )  # [k, classes]
    drawn = np.asarray(times, np.float64)
    return of_sums(name, drawn @ (truth * predicted), drawn @ truth, drawn @ predicted)


def worth(name: str, found: Taken) -> float:
    """Of how many samples a share would be known as well as one of MEASURES of at least one sample
    is: their number, unless categories count alike. A mean over C of them, each with n samples, has
    the variance p (1 - p) (1/n + …) / C², were all equally well found."""
    if name == "accuracy":
        return float(found.times.sum())
    names, place = np.unique(found.truth, return_inverse=True)
    return float(len(names) ** 2 / (1 / np.bincount(place, found.times)).sum())


def interval(name: str, found: Taken) -> Interval:
    """One of MEASURES of at least one sample, and its 95 % interval.

    Of accuracy Wilson's. Of the others the wider of two: the percentile bootstrap over the samples
    (B. Efron, Annals of Statistics 7, 1979), which has no doubt of what was always right, and the
    one by class, which takes the classes' mistakes for independent.
    """
    number, right = int(found.times.sum()), found.truth == found.predicted
    if name == "accuracy":
        return wilson(int(found.times[right].sum()), number)
    drawn = np.random.default_rng(0).multinomial(number, found.times / number, RESAMPLED)
    low, high = np.quantile(of_times(name, found, drawn), [0.025, 0.975])
    share, least, most = _by_class(name, found)
    return Interval(share, min(least, float(low)), max(most, float(high)))


def _by_class(name: str, found: Taken) -> Interval:
    """A mean over classes, with the interval that follows from Wilson's of each class (G. Y. Zou
    and A. Donner, Statistics in Medicine 27, 2008).

    F1 is 2 J / (1 + J) of J, the share that is right of all that are of a class or were named it.
    """
    right, each = found.truth == found.predicted, []
    for one in np.unique(np.concatenate([found.truth, found.predicted])):
        occurring, named = found.truth == one, found.predicted == one
        judged = occurring | named if name == "macro_f1" else occurring
        if judged.any():
            hits = int(found.times[occurring & right].sum())
            each.append(wilson(hits, int(found.times[judged].sum())))
    shares, lows, highs = np.array(each).T
    if name == "macro_f1":
        shares, lows, highs = (2 * some / (1 + some) for some in (shares, lows, highs))
    below, above = (
        float(np.sqrt((some**2).sum())) / len(shares) for some in (shares - lows, highs - shares)
    )
    share = float(shares.mean())
    return Interval(share, max(0.0, share - below), min(1.0, share + above))
