"""How far people who decide on the same samples agree. NumPy only: the web server uses it.

``codes`` [samples, people] holds class codes 0, 1, 2 …; MISSING where somebody did not decide.
A figure that the decisions do not allow (nobody overlaps, only one category was ever used, so that
agreement by chance would be certain) is None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

MISSING = -1
ROUNDS = 1_000

Codes = NDArray[np.integer]
Patterns = NDArray[np.integer]
Weights = NDArray[np.floating]


class Estimate(NamedTuple):
    """A coefficient with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


def confusion(codes: Codes, classes: int) -> NDArray[np.int64]:
    """How often the first person's class (row) met the second's (column): [classes, classes].

    ``codes`` has two columns; samples that one of them has not decided do not count.
    """
    both = codes[(codes != MISSING).all(axis=1)]
    table = np.bincount(both[:, 0] * classes + both[:, 1], minlength=classes * classes)
    return table.reshape(classes, classes)


def counts_of(codes: Codes) -> NDArray[np.int64]:
    """How many people chose each class, for the samples that at least two decided: [n, classes]."""
    classes = max(int(codes.max(initial=MISSING)) + 1, 1)
    counts = np.stack([(codes == each).sum(axis=1) for each in range(classes)], axis=1)
    return counts[counts.sum(axis=1) > 1]


def raw_of(counts: Patterns, weights: Weights) -> float | None:
    """The share of pairs of decisions on the same sample that agree.

    ``counts`` [n, classes] as of :func:`counts_of`, ``weights`` [n]: how often each row occurs.
    """
    made = counts.sum(axis=1)
    pairs = weights @ (made * (made - 1))
    return float(weights @ (counts * (counts - 1)).sum(axis=1) / pairs) if pairs else None


def cohen_of(pairs: Patterns, weights: Weights) -> float | None:
    """Cohen's kappa of two people: (p_o − p_e) / (1 − p_e), p_e from each one's own shares.

    ``pairs`` [n, 2] class codes without gaps, ``weights`` [n]: how often each row occurs.
    J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 20 (1960) 37-46.
    """
    total = weights.sum()
    if not total:
        return None
    classes = int(pairs.max(initial=0)) + 1
    first, second = (
        np.bincount(pairs[:, each], weights, minlength=classes) / total for each in (0, 1)
    )
    observed = weights @ (pairs[:, 0] == pairs[:, 1]) / total
    return _beyond_chance(float(observed), float(first @ second))


def fleiss_of(counts: Patterns, weights: Weights) -> float | None:
    """Fleiss' kappa of any number of people, the same number on every sample.

    ``counts`` [n, classes], every row with the same sum; ``weights`` [n]: how often it occurs.
    J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
    Bulletin 76 (1971) 378-382. Who decided may differ from sample to sample; where even the
    number differs it is not defined, and Krippendorff's alpha is the one to look at.
    """
    made = counts.sum(axis=1)
    total = weights.sum()
    if not total or len(set(made[weights > 0].tolist())) != 1:
        return None
    number = int(made[weights > 0][0])
    observed = weights @ ((counts * (counts - 1)).sum(axis=1) / (number * (number - 1))) / total
    shares = weights @ counts / (total * number)
    return _beyond_chance(float(observed), float(shares @ shares))


def krippendorff_of(counts: Patterns, weights: Weights) -> float | None:
    """Krippendorff's alpha for nominal data: any number of people, missing decisions allowed.

    1 − (n − 1) Σ_u (m_u² − Σ_c n_uc²) / (m_u − 1) / (n² − Σ_c n_c²), over the samples u with
    m_u ≥ 2 decisions, n of them in all. ``counts`` [n, classes] as of :func:`counts_of`,
    ``weights`` [n]: how often each row occurs.
    K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section C.
    """
    made = counts.sum(axis=1)
    total, by_class = float(weights @ made), weights @ counts
    expected = total * total - float(by_class @ by_class)
    if not expected:
        return None
    observed = weights @ ((made * made - (counts * counts).sum(axis=1)) / (made - 1))
    return float(1 - (total - 1) * observed / expected)


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected >= 1 - 1e-12 else (observed - expected) / (1 - expected)


Statistic = Callable[[Patterns, Weights], float | None]


def estimate(statistic: Statistic, rows: Patterns, seed: int = 0) -> Estimate:
    """One of the coefficients above over ``rows``, one a sample, with its 95 % interval.

    The interval is the percentile bootstrap over samples (B. Efron and R. J. Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 13; for kappa and alpha recommended by A. Zapf
    et al., BMC Medical Research Methodology 16:93, 2016). Equal rows are drawn together, so
    that it costs the same for a hundred samples and a hundred thousand. Draws for which the
    coefficient is not defined do not count; there is no interval below ten samples.
    """
    if not len(rows):
        return Estimate(None, None, None)
    patterns, numbers = np.unique(rows, axis=0, return_counts=True)
    value = statistic(patterns, numbers.astype(float))
    if value is None or len(rows) < 10:
        return Estimate(value, None, None)
    drawn = np.random.default_rng(seed).multinomial(len(rows), numbers / len(rows), ROUNDS)
    found = [statistic(patterns, each.astype(float)) for each in drawn]
    low, high = np.percentile([each for each in found if each is not None], [2.5, 97.5])
    return Estimate(value, float(low), float(high))


def raw(codes: Codes) -> Estimate:
    """The share of agreeing pairs; see :func:`raw_of`."""
    return estimate(raw_of, counts_of(codes))


def cohen(codes: Codes) -> Estimate:
    """Cohen's kappa of the two columns; see :func:`cohen_of`."""
    return estimate(cohen_of, codes[(codes != MISSING).all(axis=1)])


def fleiss(codes: Codes) -> Estimate:
    """Fleiss' kappa; see :func:`fleiss_of`. Where samples differ in how many people decided them,
    those with the commonest number count."""
    counts = counts_of(codes)
    made = counts.sum(axis=1)
    return estimate(fleiss_of, counts[made == np.bincount(made, minlength=1).argmax()])


def krippendorff(codes: Codes) -> Estimate:
    """Krippendorff's alpha; see :func:`krippendorff_of`."""
    return estimate(krippendorff_of, counts_of(codes))
