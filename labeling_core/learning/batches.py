"""From uncertainties to an order of the pool whose first samples make a good batch.

The model learns nothing between two sessions, so that the most uncertain samples alone may be
ten times the same one. Only some thousand rows are ever clustered; a million takes no longer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]  # in the precision of the probabilities
Positions = NDArray[np.intp]

# Measured by tests/benchmarks/strategies.py:
_START = 3  # labels per category named right by a neighbour before a model's doubts are trusted
_LONGEST_START = 10  # labels per category after which they are trusted in any case
_MOST_START = 60  # labels after which they are: 10 each of 36 categories would be all there are
_FEW, _SOUGHT = 5, 10  # labels below which a category is rare; one sample in so many seeks it
SPREAD = 10  # samples at the start that are typical ones, however small the batch
_UNLIKE = 200  # samples behind them that are drawn for being unlike them
_FARTHER = 4  # power of the distance by which they are drawn
_CHOICE = 10  # batches of smallest margin among which a diverse one is chosen
_SAMPLE = 5_000  # samples looked at for the spread start: enough to see every sizable group
_CLUSTERS = 300  # at most; a larger batch is filled up by uncertainty
_POWER = 3  # of the uncertainty, when it decides by lot


class Situation(NamedTuple):
    """What a strategy may look at: see ``strategies.rank`` for shapes."""

    probabilities: NDArray[Any] | None
    features: NDArray[np.float32]
    pool: NDArray[np.integer]
    labeled: NDArray[np.integer]
    labels: NDArray[np.integer]
    batch: int
    rng: np.random.Generator
    wanted: int | None = None

    @property
    def sorted_ones(self) -> int:
        """How many have to be in order by uncertainty, for a batch to be chosen of them too."""
        wanted = len(self.pool) if self.wanted is None else self.wanted
        return max(wanted, _CHOICE * self.batch)


def by_uncertainty(situation: Situation, uncertainty: Floats) -> Positions:
    """Most uncertain first; equal ones in the order of a seeded shuffle. Only so many as are
    wanted: the others are compared with the last of them, and neither shuffled nor sorted."""
    cut = len(uncertainty) - situation.sorted_ones
    asked: Any = len(uncertainty)
    if cut > 0:
        asked = np.flatnonzero(uncertainty >= np.partition(uncertainty, cut)[cut])
    shuffled = situation.rng.permutation(asked)
    order = shuffled.take(np.argsort(-uncertainty.take(shuffled)))
    return order[: situation.sorted_ones]


def at_random(situation: Situation, uncertainty: Floats) -> Positions:
    """A seeded shuffle."""
    return situation.rng.permutation(len(uncertainty))


def automatic(situation: Situation, uncertainty: Floats) -> Positions:
    """A spread start, then batches both uncertain and unlike one another.

    Start: clusters as in TypiClust (Hacohen and others, 2022), and behind the very first batch
    samples unlike it. Then: ``diverse_margin``, with the likeliest samples of categories that have
    turned out to be rare.
    """
    if situation.probabilities is None:
        return _batch_first(situation, uncertainty, _without_model)
    if not _started(situation):
        return _batch_first(situation, uncertainty, _spread)
    return _batch_first(situation, uncertainty, _diverse_with_rare)


def diverse_margin(situation: Situation, uncertainty: Floats) -> Positions:
    """Out of the ten batches of smallest margin, clustered with the uncertainty as weight, the
    middles (Zhdanov, 2019: Diverse mini-batch active learning); at random before the first model.
    """
    if situation.probabilities is None:
        return by_uncertainty(situation, uncertainty)
    return _batch_first(situation, uncertainty, _diverse)


def drawn_by_margin(situation: Situation, uncertainty: Floats) -> Positions:
    """A batch drawn without replacement, each sample by the third power of its uncertainty.

    Adding Gumbel noise to β log s and taking the largest makes such a draw (Kirsch and others,
    2023: Stochastic batch acquisition, "power").
    """
    return _batch_first(situation, uncertainty, _drawn)


Choose = Callable[[Situation, Floats, Positions], Positions]


def _batch_first(situation: Situation, uncertainty: Floats, choose: Choose) -> Positions:
    """The batch that ``choose`` takes, then the rest by uncertainty."""
    order = by_uncertainty(situation, uncertainty)
    if len(order) <= situation.batch:
        return order
    first = choose(situation, uncertainty, order)
    waiting = np.ones(len(uncertainty), dtype=bool)
    waiting[first] = False
    return np.concatenate([first, order[waiting.take(order)]])


def _started(situation: Situation) -> bool:
    """Whether there are three labels per category that their nearest labeled one names right.

    Where categories are easy to tell apart that is soon, where they are not the model's doubts
    mean little for longer. Looks at no more than 5,000 labels.
    """
    assert situation.probabilities is not None
    n, classes = len(situation.labeled), situation.probabilities.shape[1]
    least, most = (min(each * classes, _MOST_START) for each in (_START, _LONGEST_START))
    if not least <= n < most:
        return n >= least
    seen = situation.rng.permutation(n)[:_SAMPLE] if n > _SAMPLE else np.arange(n)
    X, labels = _directions(situation.features, situation.labeled[seen]), situation.labels[seen]
    likeness = X @ X.T
    np.fill_diagonal(likeness, -np.inf)
    right = np.count_nonzero(labels[likeness.argmax(axis=1)] == labels)
    return right * n >= _START * classes * len(seen)


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


def _spread(situation: Situation, uncertainty: Floats, order: Positions) -> Positions:
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


def _without_model(situation: Situation, uncertainty: Floats, order: Positions) -> Positions:
    """The spread batch, ten samples at least, and behind it samples unlike it: where all of the
    batch is of one category no model can be trained, and the order goes on until another one is
    met."""
    first = _spread(situation, uncertainty, order)
    if len(first) < SPREAD:
        known = np.concatenate([situation.labeled, situation.pool[first]])
        more = situation._replace(labeled=known, batch=SPREAD - len(first))
        second = _spread(more, uncertainty, order)
        first = np.concatenate([first, np.setdiff1d(second, first, assume_unique=True)])
    return np.concatenate([first, _unlike(situation, first)])


def _unlike(situation: Situation, first: Positions) -> Positions:
    """Up to 200 samples out of a random 5,000 of the pool, drawn one by one by the fourth power of
    their distance from the nearest one in ``first`` or drawn before.

    As the seeds of k-means++ (D. Arthur and S. Vassilvitskii, 2007), which are drawn by the second
    power. Of 23 data sets with a category thinned to 3 % (batches of 10, 24 seeds) its first label
    came after 24.2 labels, by the second power after 27.2, at random after 32.9; of nine with a
    category of 2 to 6 % after 20.8, 24.0 and 30.2.
    """
    sample = situation.rng.permutation(len(situation.pool))[:_SAMPLE]
    X = np.asarray(situation.features[situation.pool[sample]], np.float32)
    square = np.full(len(X), np.inf, np.float32)
    for row in situation.features[situation.pool[first]]:
        np.minimum(square, ((X - row) ** 2).sum(axis=1), out=square)
    drawn: list[int] = []
    while len(drawn) < _UNLIKE and square.any():
        weights = (square / square.max()).astype(np.float64) ** (_FARTHER / 2)
        drawn.append(int(situation.rng.choice(len(X), p=weights / weights.sum())))
        np.minimum(square, ((X - X[drawn[-1]]) ** 2).sum(axis=1), out=square)
    return sample[drawn]


def _diverse(situation: Situation, uncertainty: Floats, order: Positions) -> Positions:
    """The middles of clusters, weighted by uncertainty, of the ten most uncertain batches."""
    candidates = order[: _CHOICE * situation.batch]
    X = _directions(situation.features, situation.pool[candidates])
    weights = np.maximum(uncertainty[candidates], 1e-3)
    means = _clusters(X, situation.batch, situation, weights)
    return candidates[sorted(_middles(X, means).values())]


def _diverse_with_rare(situation: Situation, uncertainty: Floats, order: Positions) -> Positions:
    """A diverse batch; while a category is rare, its likeliest samples and else the most uncertain
    ones, of which more are rare: with two categories a small margin says little else by then.

    Of nine data sets with a category of 2 to 6 % (16 seeds) its fifth label came after 45.8 labels,
    with a diverse batch beside the likeliest after 49.2, with margin after 53.8.
    """
    sought = _likely_rare(situation)
    others = order[: situation.batch] if len(sought) else _diverse(situation, uncertainty, order)
    return np.concatenate([sought, np.setdiff1d(others, sought, assume_unique=True)])[
        : situation.batch
    ]


def _likely_rare(situation: Situation) -> Positions:
    """One sample in ten of a batch, at least one: the likeliest ones of categories that have one
    to four labels where ten could be expected; none if there is no such category.

    In 10 data sets with a fifth of the categories thinned to 2 % the rarest had its five labels
    60 ± 17 labels sooner; the area under the learning curve changed by -.09 ± .06 points.
    """
    p = situation.probabilities
    assert p is not None
    labels = np.bincount(situation.labels, minlength=p.shape[1])
    rare = [code for code in np.argsort(labels, kind="stable") if 0 < labels[code] < _FEW]
    if not rare or len(situation.labels) < _LONGEST_START * p.shape[1]:
        return np.empty(0, np.intp)
    chosen: list[int] = []
    for number in range(max(1, situation.batch // _SOUGHT)):
        likely = p[:, rare[number % len(rare)]].copy()
        likely[chosen] = -1.0
        chosen.append(int(likely.argmax()))
    return np.array(chosen)


def _drawn(situation: Situation, uncertainty: Floats, order: Positions) -> Positions:
    # The smallest number in place of 0 keeps the logarithm finite: drawn only when all else is.
    logs = np.log(np.maximum(uncertainty, np.finfo(np.float64).tiny))
    lots = _POWER * logs + situation.rng.gumbel(size=len(logs))
    drawn = np.argpartition(-lots, situation.batch)[: situation.batch]
    return drawn[np.argsort(-lots[drawn])]
