"""What models that have not seen a sample say of it: out of fold."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import classifiers

FOLDS = 5
MOST_TO_FIT = 20_000  # a model learns little more from further thousands


def out_of_fold(
    X: NDArray[np.float32],
    codes: NDArray[np.integer],
    classes: int,
    classifier: str,
    seed: int,
    groups: NDArray[np.integer] | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> NDArray[np.float32]:
    """Probabilities [n, classes] of every label's sample by a model that has not seen it, nor, with
    ``groups`` [n], another one of its group. ``progress`` is told the finished share, 0..1.

    A class with a single label is trained on in every fold, so its own row stays 0; so do rows
    without which there would be one class only.
    """
    fold_of = folds(codes, seed) if groups is None else grouped_folds(codes, groups, seed)
    rng = np.random.default_rng(seed)
    found = np.zeros((len(codes), classes), dtype=np.float32)
    for fold in range(FOLDS):
        progress(fold / FOLDS)
        held_out = np.flatnonzero(fold_of == fold)
        if not len(held_out):
            continue
        rest = np.flatnonzero(fold_of != fold)
        if groups is not None and len(np.unique(codes[rest])) < 2:
            continue
        if len(rest) > MOST_TO_FIT:
            rest = rng.choice(rest, MOST_TO_FIT, replace=False)
        model = classifiers.fit(classifier, X[rest], codes[rest], seed)
        found[held_out] = classifiers.predict_probabilities(model, X[held_out], classes)
    return found


def folds(codes: NDArray[np.integer], seed: int) -> NDArray[np.intp]:
    """A fold 0..FOLDS-1 for every label, stratified; −1 for the only label of a class.

    Two labels of one class always lie in different folds, so that no fold's model lacks a class.
    """
    rng = np.random.default_rng(seed)
    found = np.full(len(codes), -1, dtype=np.intp)
    start = 0
    for code in np.unique(codes):
        members = rng.permutation(np.flatnonzero(codes == code))
        if len(members) > 1:
            found[members] = (start + np.arange(len(members))) % FOLDS
            start += len(members)
    return found


def grouped_folds(
    codes: NDArray[np.integer], groups: NDArray[np.integer], seed: int
) -> NDArray[np.intp]:
    """A fold 0..FOLDS-1 for every label, the same for all of a group, as stratified as that allows;
    −1 for all where there is one group."""
    from sklearn.model_selection import StratifiedGroupKFold

    found = np.full(len(codes), -1, dtype=np.intp)
    number = min(FOLDS, len(np.unique(groups)))
    if number < 2:
        return found
    drawn = StratifiedGroupKFold(number, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # of classes that have fewer labels than there are folds
        warnings.simplefilter("ignore", UserWarning)
        for fold, (_, held_out) in enumerate(drawn.split(codes, codes, groups)):
            found[held_out] = fold
    return found
