"""A Gaussian process for classes: least squares on one-hot labels, all of it in closed form.

The kernel is a linear one plus a radial one. The radius, their mix and the noise are those under
which the labels are most probable (the evidence; Rasmussen and Williams, Gaussian Processes for
Machine Learning, 2006, chapter 5). The result consists of scikit-learn's own parts, so that it
is stored and read like every other model.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.threads import one_thread

Floats = NDArray[np.float64]

RADII = (0.2, 1.0, 5.0)  # of the radial kernel, in mean squared lengths of a row
SHARES = (0.2, 0.5, 0.8)  # of the radial kernel
NOISES = np.geomspace(1e-3, 10.0, 9)
JUDGED = 150  # labels, at random, that the evidence is computed of: its work grows with their cube
CENTRES = 200  # labels, at random, that samples are compared with: beyond them inducing points
SHARPNESS = np.geomspace(2.0, 20.0, 8)  # of the softmax that makes probabilities of the means
USUAL, DOUBT = 5.0, 2.0  # the sharpness before any label, and how much evidence it takes to leave


class Kernel(NamedTuple):
    """(1 − ``share``) · x·x' / ``length`` + ``share`` · exp(−‖x − x'‖² / (2 · ``radius``))."""

    length: float
    radius: float
    share: float

    def of(self, X: Floats, others: Floats) -> Floats:
        """[n, m] for rows ``X`` [n, d] and ``others`` [m, d]."""
        return self.mix(*_compared(X, others))

    def mix(self, products: Floats, squares: Floats) -> Floats:
        """The same for the products x·x' and the squared distances ‖x - x'‖²."""
        radial = np.exp(squares / (-2 * self.radius))
        return np.asarray((1 - self.share) / self.length * products + self.share * radial)


def _compared(X: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Products and squared distances [n, m] of rows ``X`` [n, d] and ``others`` [m, d]."""
    products = X @ others.T
    squares = np.sum(X * X, axis=1)[:, None] + np.sum(others * others, axis=1) - 2 * products
    return products, np.maximum(squares, 0.0, out=squares)


def fit(X: NDArray[np.floating], y: NDArray[np.integer], seed: int) -> tuple[Any, Floats]:
    """The fitted process, an estimator with ``predict_proba``, and the probabilities [n, classes]
    that it gives every row of ``X`` [n, d] when that row is left out.

    ``y`` [n] holds class codes; the columns are its different ones, sorted.
    """
    with one_thread():
        return _fit(np.asarray(X, dtype=np.float64), y, seed)


def _fit(X: Floats, y: NDArray[np.integer], seed: int) -> tuple[Any, Floats]:
    classes, codes = np.unique(y, return_inverse=True)
    hits = np.eye(len(classes))[codes]
    shares = hits.mean(axis=0)
    drawn = np.random.default_rng(seed).permutation(len(X))
    kernel, noise = _most_probable(X[drawn[:JUDGED]], hits[drawn[:JUDGED]] - shares)
    centres = X[np.sort(drawn[:CENTRES])]
    weights, left_out = _solve(kernel, noise, X, centres, hits - shares)
    sharpness = _sharpness(shares + left_out, codes)
    model = _assemble(kernel, centres, sharpness * weights, sharpness * shares, classes)
    return model, _softmax(sharpness * (shares + left_out))


def _most_probable(X: Floats, Y: Floats) -> tuple[Kernel, float]:
    """The kernel and noise under which ``Y`` is likeliest, its amplitude being the best for each:
    a(K + noise) has an evidence of −½ Σ log(λ + noise) − ½ n log a, a = mean of y²/(λ + noise)."""
    length = float(np.mean(np.sum(X * X, axis=1))) or 1.0
    best, found = -np.inf, (Kernel(length, length, SHARES[0]), 1.0)
    compared = _compared(X, X)
    for radius, share in product(RADII, SHARES):
        kernel = Kernel(length, radius * length, share)
        values, vectors = np.linalg.eigh(kernel.mix(*compared))
        spread = np.maximum(values, 0.0) + NOISES[:, None]
        power = np.sum((vectors.T @ Y) ** 2, axis=1)
        amplitude = np.maximum(np.mean(power / spread, axis=1), 1e-12)
        evidence = -np.log(spread).mean(axis=1) - np.log(amplitude)
        if evidence.max() > best:
            best, found = evidence.max(), (kernel, float(NOISES[evidence.argmax()]))
    return found


def _solve(
    kernel: Kernel, noise: float, X: Floats, centres: Floats, Y: Floats
) -> tuple[Floats, Floats]:
    """Weights [m, classes] of the centres, and the means [n, classes] without each row itself.
    With all rows as centres that is the process, with fewer its subset of regressors."""
    from scipy.linalg import cho_factor, cho_solve, solve_triangular

    among = kernel.of(centres, centres)
    among[np.diag_indices_from(among)] += 1e-6 * np.trace(among) / len(among)
    root = np.linalg.cholesky(among)
    known = solve_triangular(root, kernel.of(X, centres).T, lower=True)  # [m, n]
    inverse = cho_factor(known @ known.T + noise * np.eye(len(known)))
    solved = cho_solve(inverse, known)
    means = solved.T @ (known @ Y)
    own = np.clip(np.einsum("ij,ij->j", known, solved), 0.0, 0.999)[:, None]
    weights = solve_triangular(root, cho_solve(inverse, known @ Y), lower=True, trans=1)
    return weights, Y - (Y - means) / (1 - own)


def _sharpness(means: Floats, codes: NDArray[np.integer]) -> float:
    """How sharp a softmax of the means makes the left-out labels likeliest; few of them leave it
    near the usual one."""
    rows = np.arange(len(codes))
    doubt = DOUBT * np.log(SHARPNESS / USUAL) ** 2
    losses = [-np.log(_softmax(each * means)[rows, codes] + 1e-9).sum() for each in SHARPNESS]
    return float(SHARPNESS[int(np.argmin(losses + doubt))])


def _softmax(scores: Floats) -> Floats:
    found = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _assemble(
    kernel: Kernel, centres: Floats, weights: Floats, bias: Floats, classes: NDArray[Any]
) -> Any:
    """The process as a pipeline: the columns as they are beside the radial kernel's part of every
    class's score, and a softmax of their sums."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

    slopes = (1 - kernel.share) / kernel.length * (centres.T @ weights)  # [d, classes]
    weights, ones = kernel.share * weights, np.eye(len(classes))
    if len(classes) == 2:  # a softmax of two scores is a logistic function of their difference
        slopes, weights, bias, ones = (
            (each[..., 1:] - each[..., :1]) for each in (slopes, weights, bias, ones)
        )
        ones = ones[1:]
    radial = Nystroem(kernel="rbf", gamma=0.5 / kernel.radius, n_components=len(centres))
    radial.components_ = centres.astype(np.float32)
    radial.normalization_ = weights.T.astype(np.float32)
    radial.component_indices_ = np.arange(len(centres))
    radial.n_features_in_ = centres.shape[1]
    softmax = LogisticRegression()
    softmax.classes_, softmax.n_features_in_ = classes, len(slopes) + len(ones)
    softmax.coef_ = np.concatenate([slopes, ones]).T.astype(np.float32)
    softmax.intercept_ = np.atleast_1d(bias).astype(np.float32)
    softmax.n_iter_ = np.zeros(1, dtype=np.int32)
    union = FeatureUnion([("columns", "passthrough"), ("radial", radial)])
    return Pipeline([("kernel", union), ("softmax", softmax)])


def is_process(model: Any) -> bool:
    """Whether a fitted model is what :func:`fit` makes."""
    return "kernel" in getattr(model, "named_steps", ())


def radial_of(union: Any) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """The radial kernel's columns of rows in float32, for the first step of a process: as by its
    ``transform``, which takes three times as long for its checks and copies."""
    radial = union.transformer_list[-1][1]
    centres, weights = radial.components_, radial.normalization_.T
    lengths, gamma = np.sum(centres * centres, axis=1), np.float32(radial.gamma)

    def columns(rows: NDArray[np.float32]) -> NDArray[np.float32]:
        near = rows @ (2 * centres.T)
        near -= lengths
        near -= np.sum(rows * rows, axis=1)[:, None]
        near *= gamma
        np.exp(np.minimum(near, 0, out=near), out=near)  # of minus the squared distances
        return np.asarray(near @ weights)

    return columns
