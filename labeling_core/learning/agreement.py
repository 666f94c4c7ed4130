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


class Coefficient(NamedTuple):
    """A measure that depends on the samples only through sums: ``terms`` [n, k] of the rows, and
    ``value`` of their sums [k]. So any number of samples can be drawn anew at little cost."""

    terms: Callable[[NDArray[np.integer]], NDArray[np.floating]]
    value: Callable[[NDArray[np.floating]], float | None]


def _raw_terms(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    made = counts.sum(axis=1)
    return np.stack([made * (made - 1), (counts * (counts - 1)).sum(axis=1)], axis=1).astype(float)


def _raw_value(sums: NDArray[np.floating]) -> float | None:
    return float(sums[1] / sums[0]) if sums[0] else None


def _cohen_terms(pairs: NDArray[np.integer]) -> NDArray[np.floating]:
    classes = np.arange(int(pairs.max(initial=0)) + 1)
    equal = pairs[:, :1] == pairs[:, 1:]
    return np.hstack([equal, pairs[:, :1] == classes, pairs[:, 1:] == classes]).astype(float)


def _cohen_value(sums: NDArray[np.floating]) -> float | None:
    first, second = np.split(sums[1:], 2)
    total = first.sum()
    return _beyond_chance(sums[0] / total, first @ second / total**2) if total else None


def _fleiss_terms(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    made = counts.sum(axis=1, keepdims=True)
    equal = (counts * (counts - 1)).sum(axis=1, keepdims=True) / (made * (made - 1))
    return np.hstack([equal, counts / made])


def _fleiss_value(sums: NDArray[np.floating]) -> float | None:
    total = sums[1:].sum()
    return _beyond_chance(sums[0] / total, sums[1:] @ sums[1:] / total**2) if total else None


def _krippendorff_terms(counts: NDArray[np.integer]) -> NDArray[np.floating]:
    made = counts.sum(axis=1, keepdims=True)
    return np.hstack([(made**2 - (counts**2).sum(axis=1, keepdims=True)) / (made - 1), counts])


def _krippendorff_value(sums: NDArray[np.floating]) -> float | None:
    total = sums[1:].sum()
    expected = total**2 - sums[1:] @ sums[1:]
    return float(1 - (total - 1) * sums[0] / expected) if expected else None


def _beyond_chance(observed: float, expected: float) -> float | None:
    return None if expected >= 1 - 1e-12 else float((observed - expected) / (1 - expected))


# The share of pairs of decisions on the same sample that agree; of rows as of counts_of.
RAW = Coefficient(_raw_terms, _raw_value)
# Cohen's kappa of two people, (p_o - p_e) / (1 - p_e) with p_e from each one's own shares; of rows
# of two class codes. J. Cohen, "A coefficient of agreement for nominal scales", Educational and
# Psychological Measurement 20 (1960) 37-46.
COHEN = Coefficient(_cohen_terms, _cohen_value)
# Fleiss' kappa, of rows as of counts_of with equal sums; who decided may differ from sample to
# sample. J. L. Fleiss, "Measuring nominal scale agreement among many raters", Psychological
# Bulletin 76 (1971) 378-382.
FLEISS = Coefficient(_fleiss_terms, _fleiss_value)
# Krippendorff's alpha for nominal data, of rows as of counts_of; decisions may be missing:
# 1 - (n - 1) sum_u (m_u^2 - sum_c n_uc^2) / (m_u - 1) / (n^2 - sum_c n_c^2), over samples u with
# m_u >= 2 decisions, n of them in all. K. Krippendorff, "Computing Krippendorff's
# Alpha-Reliability" (2011), section C.
KRIPPENDORFF = Coefficient(_krippendorff_terms, _krippendorff_value)


def value(coefficient: Coefficient, rows: NDArray[np.integer]) -> float | None:
    """A coefficient over ``rows``, one a sample; None where it is not defined."""
    return coefficient.value(coefficient.terms(rows).sum(axis=0)) if len(rows) else None


def estimate(coefficient: Coefficient, rows: NDArray[np.integer], seed: int = 0) -> Estimate:
    """A coefficient over ``rows``, one a sample, with its 95 % interval.

    The interval is the percentile bootstrap over samples (B. Efron and R. J. Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 13; for kappa and alpha recommended by A. Zapf
    et al., BMC Medical Research Methodology 16:93, 2016). Equal rows are drawn together; of more
    than 2,000 different ones fewer draws are made. Draws for which the coefficient is not defined
    do not count; there is no interval below ten samples.
    """
    found = value(coefficient, rows)
    if found is None or len(rows) < 10:
        return Estimate(found, None, None)
    patterns, numbers = np.unique(rows, axis=0, return_counts=True)
    terms, random = coefficient.terms(patterns), np.random.default_rng(seed)
    sums = [
        random.multinomial(len(rows), numbers / len(rows)) @ terms
        for _ in range(ROUNDS if len(patterns) <= 2_000 else ROUNDS // 5)
    ]
    drawn = [each for each in map(coefficient.value, sums) if each is not None]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Estimate(found, float(low), float(high))


def raw(codes: Codes) -> Estimate:
    """The share of agreeing pairs; see RAW."""
    return estimate(RAW, counts_of(codes))


def cohen(codes: Codes) -> Estimate:
    """Cohen's kappa of the two columns; see COHEN."""
    return estimate(COHEN, codes[(codes != MISSING).all(axis=1)])


def fleiss(codes: Codes) -> Estimate:
    """Fleiss' kappa; see FLEISS. Where samples differ in how many people decided them,
    those with the commonest number count."""
    counts = counts_of(codes)
    made = counts.sum(axis=1)
    return estimate(FLEISS, counts[made == np.bincount(made, minlength=1).argmax()])


def krippendorff(codes: Codes) -> Estimate:
    """Krippendorff's alpha; see KRIPPENDORFF."""
    return estimate(KRIPPENDORFF, counts_of(codes))
