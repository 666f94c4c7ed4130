"""Which category a sample is taken for, by the measure of its project.

For accuracy it is the likeliest one. Where a measure counts categories alike, a rare one has to be
found although another one is likelier nearly everywhere: there it needs less probability.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.measures import of_sums

ALIKE = ("balanced_accuracy", "macro_f1")  # measures that count categories alike
POWERS = tuple(power / 8 for power in range(9))  # 0: the likeliest; 1: by likelihood ratios


def weights(
    measure: str, found: NDArray[np.floating], codes: NDArray[np.integer]
) -> NDArray[np.float32] | None:
    """What the probability of each class [classes] is multiplied by before the largest one decides;
    None where it decides as it is, as for accuracy.

    ``found`` [n, classes] are the model's probabilities of a random draw of samples, whose labels
    nobody needs to know; ``codes`` [m] the labels that it has learned from. For the measures in
    ALIKE a class weighs how much rarer its labels are than those of the most frequent one, to the
    one of POWERS by which ``measure`` is greatest if the probabilities hold (as F1 is made largest
    by Ye and others, "Optimizing F-measures: a tale of two approaches", 2012). Rarity to the power
    of 1 is best for balanced accuracy where labels are a random draw (Menon and others, "Long-tail
    learning via logit adjustment", 2021).
    """
    if measure not in ALIKE:
        return None
    labels = np.bincount(codes, minlength=found.shape[1])
    rarity = np.where(labels > 0, labels.max() / np.maximum(labels, 1), 1.0)
    best = max(POWERS, key=lambda power: _expected(measure, found, rarity**power))
    return (rarity**best).astype(np.float32)


def _expected(measure: str, found: NDArray[np.floating], by: NDArray[np.float64]) -> float:
    """The measure, 0..1, of decisions weighed ``by`` if ``found`` are the true probabilities."""
    taken = (found * by).argmax(axis=1)
    classes = found.shape[1]
    right = np.bincount(taken, found[np.arange(len(found)), taken], classes)
    occurring, named = found.sum(axis=0, dtype=np.float64), np.bincount(taken, minlength=classes)
    return float(of_sums(measure, right.astype(np.float64), occurring, named))


def weighed(probabilities: NDArray[Any], by: NDArray[np.float32] | None) -> NDArray[Any]:
    """Probabilities [n, classes] weighed ``by`` those of :func:`weights`; rows sum to 1 again."""
    if by is None:
        return probabilities
    found = probabilities * by
    total: NDArray[Any] = found.sum(axis=1, keepdims=True)
    return found / np.maximum(total, np.finfo(np.float32).tiny)
