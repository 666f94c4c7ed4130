"""Where a learning curve is going: a power law fitted to it, and what more labels would bring.

The inverse power law error(n) = a + b·n^-c describes learning curves of classifiers (Cortes and
others, NIPS 1993); fitting it to predict how many labels are needed follows Figueroa and others,
BMC Medical Informatics and Decision Making 12:8, 2012. NumPy only: the web server uses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.evaluation import Interval
from labeling_core.learning.measures import Taken, of_times, worth

Floats = NDArray[np.float64]
_POWERS = np.linspace(0.1, 2.0, 39)  # tried for c
REPLICATES = 400  # of the bootstrap
_Z = 1.959963984540054


class ByMeasure(NamedTuple):
    """What a curve by another ``measure`` (of MEASURES) than accuracy knows: of each session [S]
    what was ``taken`` for what, and which of these pairs each sample is, ``pairs`` [S, evaluated];
    None where that is not known."""

    measure: str
    taken: Sequence[Taken]
    pairs: NDArray[np.intp] | None


class Curve(NamedTuple):
    """Sessions measured on the same samples: ``labels`` [S] rising, ``correct`` [S] of
    ``evaluated``; ``hits`` [S, evaluated] says which ones, None where that is not known. It is one
    of accuracy, unless ``other`` tells by which measure."""

    labels: NDArray[np.int64]
    evaluated: int
    correct: NDArray[np.int64]
    hits: NDArray[np.bool_] | None
    other: ByMeasure | None = None

    @property
    def errors(self) -> Floats:
        """What each session's score lacks of 1: of accuracy the share of wrong answers."""
        if self.other is None:
            return 1 - self.correct / self.evaluated
        measure, taken = self.other.measure, self.other.taken
        return 1 - np.array([of_times(measure, each, each.times) for each in taken])

    @property
    def worth(self) -> float:
        """Of how many samples a share would be known as well."""
        return worth(self.other.measure, self.other.taken[-1]) if self.other else self.evaluated

    def thinned(self, most: int = 60) -> Curve:
        """At most so many of the sessions, evenly, the first and the last among them."""
        kept = np.unique(np.linspace(0, len(self.labels) - 1, most).round().astype(int))
        hits = None if self.hits is None else self.hits[kept]
        other = self.other
        if other is not None:
            pairs = None if other.pairs is None else other.pairs[kept]
            other = other._replace(taken=[other.taken[at] for at in kept], pairs=pairs)
        return Curve(self.labels[kept], self.evaluated, self.correct[kept], hits, other)


class Law(NamedTuple):
    """error(n) = a + b·(n / now)^-c, ``now`` being the labels of the last session: all arrays
    [k], one entry for each of k fits; b is what is still to be gained if labels never ended."""

    now: int
    a: Floats
    b: Floats
    c: Floats

    def error(self, labels: NDArray[np.floating]) -> Floats:
        """Error of every fit at every number of ``labels`` [m]: [k, m], 0..1."""
        return self.a[:, None] + self.b[:, None] * (labels / self.now) ** -self.c[:, None]

    def gain(self, more: float) -> Floats:
        """By how much ``more`` labels lower the error: [k], 0..1."""
        return self.b * (1 - (1 + more / self.now) ** -self.c)


def fit(labels: NDArray[np.integer], errors: Floats, evaluated: float) -> Law:
    """Least squares for each row of ``errors`` [k, S] over the labels [S], a and b not negative.

    Weighted by the binomial variance of the mean error of a session; c from a grid, a and b
    exactly.
    """
    mean = np.clip(errors.mean(axis=0), 0, 1)
    weight = 1 / (mean * (1 - mean) + 1 / evaluated)
    weight = weight / weight.sum()
    x = (labels / labels[-1]) ** -_POWERS[:, None]  # [grid, S]
    x_mean, y_mean = x @ weight, errors @ weight
    covariance = np.einsum("gs,ks,s->gk", x, errors, weight) - np.outer(x_mean, y_mean)
    spread = (x * x) @ weight - x_mean**2
    b = np.maximum(covariance / spread[:, None], 0.0)
    a = y_mean - b * x_mean[:, None]
    through_zero = np.einsum("gs,ks,s->gk", x, errors, weight) / ((x * x) @ weight)[:, None]
    b, a = np.where(a < 0, through_zero, b), np.maximum(a, 0.0)
    rest = errors[None] - a[..., None] - b[..., None] * x[:, None]
    best = np.einsum("gks,s->gk", rest**2, weight).argmin(axis=0)
    rows = np.arange(len(errors))
    return Law(int(labels[-1]), a[best, rows], b[best, rows], _POWERS[best])


def resampled(curve: Curve, seed: int = 0) -> Floats:
    """The errors [REPLICATES, S] of bootstrap samples of what was measured (Efron, 1979).

    Whole samples are drawn, each with its answers from all sessions: these hang together. Where
    they are not known, sessions are drawn independently, which can only widen a band.
    """
    rng, n = np.random.default_rng(seed), curve.evaluated
    if curve.other is not None:
        return _resampled_by_measure(curve.other, n, rng)
    if curve.hits is None:
        return 1 - rng.binomial(n, curve.correct / n, (REPLICATES, len(curve.labels))) / n
    drawn = rng.multinomial(n, np.full(n, 1 / n), REPLICATES)
    return 1 - (drawn @ curve.hits.T.astype(np.float64)) / n


def _resampled_by_measure(other: ByMeasure, n: int, rng: np.random.Generator) -> Floats:
    errors = np.empty((REPLICATES, len(other.taken)))
    drawn = None if other.pairs is None else rng.multinomial(n, np.full(n, 1 / n), REPLICATES)
    for session, found in enumerate(other.taken):
        if drawn is None or other.pairs is None:
            times = rng.multinomial(n, found.times / n, REPLICATES)
        else:
            which = np.arange(len(found.times)) == other.pairs[session][:, None]
            times = drawn @ which.astype(np.float64)
        errors[:, session] = 1 - of_times(other.measure, found, times)
    return errors


def gained(curve: Curve, sessions: int) -> Interval:
    """The change of the score over the last ``sessions`` sessions, with its 95 % interval.

    Of accuracy from the samples that only one of the two models gets right, half a sample added to
    each of the four cells: Agresti and Min, Statistics in Medicine 24, 2005. Of others from the
    bootstrap, and from the doubt that remains where no sample shows a change.
    """
    n, first = curve.evaluated, -1 - sessions
    if curve.other is not None:
        change = float(curve.errors[first] - curve.errors[-1])
        drawn = resampled(curve)
        half = _Z * float(np.hypot((drawn[:, first] - drawn[:, -1]).std(), 1 / curve.worth))
        return Interval(change, change - half, change + half)
    change = float(curve.correct[-1] - curve.correct[first]) / n
    if curve.hits is None:
        p = curve.correct[[first, -1]] / n
        half = _Z * float(np.sqrt((p * (1 - p)).sum() / n))
        return Interval(change, change - half, change + half)
    before, after = curve.hits[first], curve.hits[-1]
    better, worse = int((after & ~before).sum()), int((before & ~after).sum())
    centre = (better - worse) / (n + 2)
    half = _Z * float(np.sqrt(better + worse + 1 - (better - worse) ** 2 / (n + 2))) / (n + 2)
    return Interval(change, centre - half, centre + half)
