"""Query strategies: from class probabilities and features to an order of the pool.

Pure functions on arrays; no database, no model, no page. The three scores are those of the
Dataiku labeling plugin, with the entropy divided by log n, so that all lie in 0..1 and higher
means "ask first". For two classes the three rank alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
_ROWS = 32_768  # rows worked on at a time: small enough to stay in the processor's cache

# Of ``auto``, measured by tests/benchmarks/strategies.py:
_START = 5  # labels per category before the model's doubts are trusted
_CHOICE = 10  # batches of smallest margin among which a diverse one is chosen
_SAMPLE = 5_000  # samples looked at for the spread start: enough to see every sizable group
_CLUSTERS = 300  # at most; a larger batch is filled up by uncertainty


class Ranking(NamedTuple):
    """``order``: permutation of 0..n-1, ask first; ``uncertainty``: 0..1, aligned with the pool."""

    order: Positions
    uncertainty: Floats


class Situation(NamedTuple):
    """What a strategy may look at: see ``rank`` for shapes."""

    probabilities: NDArray[Any] | None
    features: NDArray[np.float32]
    pool: NDArray[np.integer]
    labeled: NDArray[np.integer]
    labels: NDArray[np.integer]
    batch: int
    rng: np.random.Generator


class Strategy(NamedTuple):
    """One choice in the settings: ``score`` gives the uncertainty, ``arrange`` the order.

    ``cold_start`` says that the order means something before there is a model, too.
    """

    title: str
    description: str
    score: Callable[[NDArray[Any]], Floats]
    arrange: Callable[[Situation, Floats], Positions]
    cold_start: bool = False


def _top_two(p: NDArray[Any]) -> tuple[Floats, Floats]:
    """Highest and second highest probability of every row, kept while running over the columns."""
    first, second = np.zeros(len(p)), np.zeros(len(p))
    for start in range(0, len(p), _ROWS):
        columns = np.ascontiguousarray(p[start : start + _ROWS].T)
        best, next_best = columns[0].copy(), np.zeros_like(columns[0])
        for column in columns[1:]:
            np.maximum(next_best, np.minimum(best, column), out=next_best)
            np.maximum(best, column, out=best)
        first[start : start + _ROWS], second[start : start + _ROWS] = best, next_best
    return first, second


def least_confidence(p: NDArray[Any]) -> Floats:
    """1 − p(1), the highest probability missing from certainty; ``p`` is [n, classes]."""
    return np.clip(1.0 - _top_two(p)[0], 0.0, 1.0)


def margin(p: NDArray[Any]) -> Floats:
    """1 − (p(1) − p(2)): 1 where the two likeliest classes tie; ``p`` is [n, classes]."""
    first, second = _top_two(p)
    return np.clip(1.0 - (first - second), 0.0, 1.0)


def entropy(p: NDArray[Any]) -> Floats:
    """−Σ p log p divided by log n (Shannon, normalised); ``p`` is [n, classes]."""
    total = np.zeros(len(p))
    if p.shape[1] < 2:
        return total
    for start in range(0, len(p), _ROWS):
        rows = p[start : start + _ROWS]
        # The smallest number in place of 0 keeps the logarithm finite; times 0 it counts 0.
        logs = np.log(np.maximum(rows, np.finfo(p.dtype).tiny))
        total[start : start + _ROWS] = np.einsum("ij,ij->i", rows, logs)
    return np.clip(-total / np.log(p.shape[1]), 0.0, 1.0)


def _by_uncertainty(situation: Situation, uncertainty: Floats) -> Positions:
    """Most uncertain first; equal ones in the order of a seeded shuffle."""
    shuffled = situation.rng.permutation(len(uncertainty))
    return shuffled[np.argsort(-uncertainty[shuffled])]


def _directions(features: NDArray[np.float32], rows: NDArray[np.integer]) -> NDArray[np.float32]:
    """Rows with the model's intercept, 1, appended, scaled to length 1: outliers pull less."""
    X = np.asarray(features[rows], dtype=np.float32)
    X = np.concatenate([X, np.ones((len(X), 1), dtype=np.float32)], axis=1)
    return X / np.linalg.norm(X, axis=1, keepdims=True)


def _clusters(X: NDArray[Any], k: int, situation: Situation, weights: Floats | None = None) -> Any:
    """Fitted k-means; the first batch of a project deserves more than one attempt."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    seed = int(situation.rng.integers(2**31))
    means = KMeans(min(k, len(X), _CLUSTERS), n_init=1 if len(situation.labeled) else 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters
        return means.set_params(random_state=seed).fit(X, sample_weight=weights)


def _middles(X: NDArray[Any], means: Any) -> dict[int, int]:
    """For every cluster that has one, the row of ``X`` nearest to its centre."""
    groups = means.labels_[: len(X)]
    farthest_first = np.argsort(-np.linalg.norm(X - means.cluster_centers_[groups], axis=1))
    return dict(zip(groups[farthest_first].tolist(), farthest_first.tolist(), strict=True))


def _spread(situation: Situation) -> Positions:
    """A batch from all over the pool: the middles of the largest clusters without a label.

    Looks at a random 5,000 samples of the pool, together with all that are labeled.
    """
    sample = situation.rng.permutation(len(situation.pool))[:_SAMPLE]
    rows = np.concatenate([situation.pool[sample], situation.labeled])
    X = _directions(situation.features, rows)
    means = _clusters(X, len(situation.labeled) + situation.batch, situation)
    sizes = np.bincount(means.labels_)
    labeled = np.bincount(means.labels_[len(sample) :], minlength=len(sizes))
    middles = _middles(X[: len(sample)], means)
    chosen = [middles[group] for group in np.lexsort((-sizes, labeled)) if group in middles]
    return sample[chosen[: situation.batch]]


def _diverse(situation: Situation, candidates: Positions, uncertainty: Floats) -> Positions:
    """A batch out of the candidates: the middles of clusters weighted by uncertainty."""
    X = _directions(situation.features, situation.pool[candidates])
    weights = np.maximum(uncertainty[candidates], 1e-3)
    means = _clusters(X, situation.batch, situation, weights)
    return candidates[sorted(_middles(X, means).values())]


def _at_random(situation: Situation, uncertainty: Floats) -> Positions:
    return situation.rng.permutation(len(uncertainty))


def _auto(situation: Situation, uncertainty: Floats) -> Positions:
    """A spread start, then batches both uncertain and unlike one another; the rest by uncertainty.

    Start, until there are five labels per category on average: clusters as in TypiClust (Hacohen
    and others, 2022). Then, as Zhdanov (2019): the ten batches of smallest margin, clustered with
    the uncertainty as weight. Only so many rows are clustered; a million takes no longer.
    """
    order = _by_uncertainty(situation, uncertainty)
    if len(order) <= situation.batch:
        return order
    p, labeled = situation.probabilities, len(situation.labeled)
    if p is None or labeled < _START * p.shape[1]:
        first = _spread(situation)
    else:
        first = _diverse(situation, order[: _CHOICE * situation.batch], uncertainty)
    waiting = np.ones(len(order), dtype=bool)
    waiting[first] = False
    return np.concatenate([first, order[waiting[order]]])


STRATEGIES: dict[str, Strategy] = {
    "auto": Strategy(
        "Automatic",
        "Starts with typical samples from all over the pool; then asks for samples the model is "
        "unsure about that do not resemble one another. Needed fewest labels in our measurements.",
        margin,
        _auto,
        cold_start=True,
    ),
    "confidence": Strategy(
        "Smallest confidence",
        "Asks for the samples whose likeliest category is least likely. With two categories the "
        "same as smallest margin and the quickest; with many categories often worse than random.",
        least_confidence,
        _by_uncertainty,
    ),
    "margin": Strategy(
        "Smallest margin",
        "Asks for the samples where the two likeliest categories are closest. The soundest of the "
        "three scores, but large batches may hold many samples that resemble one another.",
        margin,
        _by_uncertainty,
    ),
    "entropy": Strategy(
        "Greatest entropy",
        "Asks for the samples whose probabilities are spread most over all categories. With two "
        "categories the same as smallest margin; with many categories often worse than random.",
        entropy,
        _by_uncertainty,
    ),
    "random": Strategy(
        "Random",
        "Asks in a random order: the baseline that every other strategy is measured against.",
        margin,
        _at_random,
    ),
}


def rank(
    strategy: str,
    *,
    probabilities: NDArray[Any] | None,
    features: NDArray[np.float32],
    pool: NDArray[np.integer],
    labeled: NDArray[np.integer],
    labels: NDArray[np.integer],
    batch: int,
    seed: int,
) -> Ranking:
    """Order the pool for labeling, best first, by one of ``STRATEGIES``.

    ``probabilities`` [len(pool), classes] of the current model, or None before the first one
    (every uncertainty is then 1); ``features`` [N, d], the whole matrix, maybe memory-mapped;
    ``pool`` and ``labeled`` row positions in it; ``labels`` [len(labeled)] class codes;
    ``batch`` how many labels come before the next session. The same seed gives the same order.
    Raises LabelingError for an unknown strategy.
    """
    if strategy not in STRATEGIES:
        raise LabelingError(
            f"There is no query strategy “{strategy}”; choose one of {', '.join(STRATEGIES)}.",
            field="strategy",
        )
    chosen = STRATEGIES[strategy]
    uncertainty = np.ones(len(pool)) if probabilities is None else chosen.score(probabilities)
    situation = Situation(
        probabilities, features, pool, labeled, labels, batch, np.random.default_rng(seed)
    )
    return Ranking(chosen.arrange(situation, uncertainty), uncertainty)
