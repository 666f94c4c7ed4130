"""Query strategies: from class probabilities and features to an order of the pool.

Pure functions on arrays; no database, no model, no page. The three scores are those of the
Dataiku labeling plugin, with the entropy divided by log n, so that all lie in 0..1 and higher
means "ask first". For two classes the three rank alike. batches.py makes orders of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.learning import batches
from labeling_core.learning.batches import Floats, Positions, Situation

_ROWS = 32_768  # rows worked on at a time: small enough to stay in the processor's cache


class Ranking(NamedTuple):
    """``order``: permutation of 0..n-1, ask first, or its beginning; ``uncertainty``: 0..1, aligned
    with the pool."""

    order: Positions
    uncertainty: Floats


def lead(score: float, category: str, in_batch: bool) -> str:
    """A margin in words."""
    return f"{category} leads the second likeliest by {1 - score:.0%}"


class Strategy(NamedTuple):
    """One choice in the settings: ``score`` gives the uncertainty, ``arrange`` the order.

    ``why`` gives the reason in words from a sample's score, its likeliest category and whether it
    is in the next batch. ``cold_start``: the order means something before there is a model, too.
    """

    title: str
    description: str
    score: Callable[[NDArray[Any]], Floats]
    arrange: Callable[[Situation, Floats], Positions]
    why: Callable[[float, str, bool], str] = lead
    cold_start: bool = False

    @property
    def by_uncertainty(self) -> bool:
        """Whether the most uncertain sample is asked first, and so on."""
        return self.arrange is batches.by_uncertainty


def _top_two(p: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Highest and second highest probability of every row, kept while running over the columns."""
    first, second = np.empty(len(p), p.dtype), np.empty(len(p), p.dtype)
    for start in range(0, len(p), _ROWS):
        columns = np.ascontiguousarray(p[start : start + _ROWS].T)
        best, next_best = columns[0].copy(), np.zeros_like(columns[0])
        for column in columns[1:]:
            np.maximum(next_best, np.minimum(best, column), out=next_best)
            np.maximum(best, column, out=best)
        first[start : start + _ROWS], second[start : start + _ROWS] = best, next_best
    return first, second


def likeliest(p: NDArray[Any]) -> NDArray[np.intp]:
    """The column of the highest probability of every row of ``p`` [n, classes], the first of equal
    ones."""
    found = np.empty(len(p), np.intp)
    for start in range(0, len(p), _ROWS):
        found[start : start + _ROWS] = np.ascontiguousarray(p[start : start + _ROWS].T).argmax(0)
    return found


def least_confidence(p: NDArray[Any]) -> NDArray[Any]:
    """1 − p(1), the highest probability missing from certainty; ``p`` is [n, classes]."""
    first = _top_two(p)[0]
    return np.clip(np.subtract(1, first, out=first), 0, 1, out=first)


def margin(p: NDArray[Any]) -> NDArray[Any]:
    """1 − (p(1) − p(2)): 1 where the two likeliest classes tie; ``p`` is [n, classes]."""
    first, second = _top_two(p)
    first -= second
    return np.clip(np.subtract(1, first, out=first), 0, 1, out=first)


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


def _batch_is(words: str) -> Callable[[float, str, bool], str]:
    """What sets the samples of a batch apart, then their margin; behind the batch that alone."""

    def why(score: float, category: str, in_batch: bool) -> str:
        margin_in_words = lead(score, category, in_batch)
        return f"{words}; {margin_in_words}" if in_batch else margin_in_words

    return why


STRATEGIES: dict[str, Strategy] = {
    "auto": Strategy(
        "Automatic",
        "Starts with typical samples from all over the pool. As soon as samples that resemble one "
        "another have the same category, it asks for those the model is unsure about that do not "
        "resemble one another, and looks for categories that turn out to be rare. Needed fewest "
        "labels in our measurements.",
        margin,
        batches.automatic,
        _batch_is("of the next batch"),  # diverse, spread or in search of what is rare
        cold_start=True,
    ),
    "confidence": Strategy(
        "Smallest confidence",
        "Asks for the samples whose likeliest category is least likely. With two categories the "
        "same as smallest margin and the quickest; with many categories often worse than random.",
        least_confidence,
        batches.by_uncertainty,
        lambda score, category, _: f"{category} is likeliest, with only {1 - score:.0%}",
    ),
    "margin": Strategy(
        "Smallest margin",
        "Asks for the samples where the two likeliest categories are closest. The soundest of the "
        "three scores, but large batches may hold many samples that resemble one another.",
        margin,
        batches.by_uncertainty,
    ),
    "diverse_margin": Strategy(
        "Diverse margin",
        "Asks for samples with a small margin that do not resemble one another. As automatic, but "
        "without its spread start: the first batch comes at random.",
        margin,
        batches.diverse_margin,
        _batch_is("unlike the rest of its batch"),
    ),
    "margin_gumbel": Strategy(
        "Margin, drawn by lot",
        "Draws every batch at random, samples with a small margin far more often than others. "
        "Gains less than the diverse batches, but never asks for one corner of the pool only.",
        margin,
        batches.drawn_by_margin,
        _batch_is("drawn by lot"),
    ),
    "entropy": Strategy(
        "Greatest entropy",
        "Asks for the samples whose probabilities are spread most over all categories. With two "
        "categories the same as smallest margin; with many categories often worse than random.",
        entropy,
        batches.by_uncertainty,
        lambda score, category, _: (
            f"probabilities spread at {score:.0%} of the most possible; likeliest: {category}"
        ),
    ),
    "random": Strategy(
        "Random",
        "Asks in a random order: the baseline that every other strategy is measured against.",
        margin,
        batches.at_random,
        lambda score, category, _: f"drawn at random; likeliest: {category}",
    ),
}


def named(name: str) -> Strategy:
    """The strategy of that name; for one that only a newer program knows, a record that shows the
    name as it is. :func:`rank` refuses such a one."""
    return STRATEGIES.get(name) or Strategy(
        name,
        "This version of the program does not know it.",
        margin,
        batches.at_random,
        lambda score, category, _: f"asked by {name}; likeliest: {category}",
    )


def choices(name: str) -> list[str]:
    """What to choose from where ``name`` is chosen so far."""
    return list(dict.fromkeys([*STRATEGIES, name]))


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
    wanted: int | None = None,
) -> Ranking:
    """Order the pool for labeling, best first, by one of ``STRATEGIES``.

    ``probabilities`` [len(pool), classes] of the current model, or None before the first one
    (every uncertainty is then 1); ``features`` [N, d], the whole matrix, maybe memory-mapped;
    ``pool`` and ``labeled`` row positions in it; ``labels`` [len(labeled)] class codes;
    ``batch`` how many labels come before the next session. The same seed gives the same order;
    only its first ``wanted`` if that is said, which spares sorting the rest (equal ones then come
    in the order of another shuffle).
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
        probabilities, features, pool, labeled, labels, batch, np.random.default_rng(seed), wanted
    )
    return Ranking(chosen.arrange(situation, uncertainty)[:wanted], uncertainty)
