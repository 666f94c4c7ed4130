"""The classifiers on offer: built, fitted on the labels, streamed over the whole pool.

Features arrive already scaled (float32), classes as integer codes. scikit-learn is imported
only when a model is built, so that the web server never pays for it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.learning import gaussian_process, scoring
from labeling_core.learning.threads import one_thread, threads_for
from labeling_core.settings import OLDER_CLASSIFIERS


class Classifier(NamedTuple):
    """One choice in the settings."""

    title: str
    description: str


def _logistic_regression(seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=1.0, max_iter=1000, random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, random_state=seed)


def _extra_trees(seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(n_estimators=50, random_state=seed)


def _hist_gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Early stopping would set labels aside, and fails where a class has a single one. The default
    # leaf of 20 samples would leave the first sessions without a single split.
    return HistGradientBoostingClassifier(
        early_stopping=False, min_samples_leaf=5, random_state=seed
    )


AUTO, LINEAR, FOREST = "auto", "logistic_regression", "random_forest"
CLASSIFIERS: dict[str, Classifier] = {
    AUTO: Classifier(
        "Automatic",
        "The mean of logistic regression, a Gaussian process and extremely randomized trees, each "
        "weighted by how well it predicts labels that it has not seen; the weights, each session "
        "tells. Needed fewest labels in our measurements.",
    ),
    LINEAR: Classifier(
        "Logistic regression",
        "Quick and steady from the first labels on, also with a million samples. "
        "Sees straight-line effects only.",
    ),
    FOREST: Classifier(
        "Random forest",
        "Finds thresholds and combinations of columns. Wants some dozens of labels, "
        "and is slow beyond 100,000 samples.",
    ),
    "hist_gradient_boosting": Classifier(
        "Gradient boosting",
        "Often the most accurate on tables once there are some hundreds of labels; "
        "the slowest to train.",
    ),
}

DEFAULT_CLASSIFIER = AUTO

# What “auto” is a mean of, in words. Lines, curves and thresholds err differently.
GAUSSIAN_PROCESS, EXTRA_TREES = "gaussian_process", "extra_trees"
PARTS = {
    LINEAR: "logistic regression",
    GAUSSIAN_PROCESS: "Gaussian process",
    EXTRA_TREES: "extremely randomized trees",
}
# By a seed, an estimator that is not fitted yet.
_BUILDERS: dict[str, Callable[[int], Any]] = {
    LINEAR: _logistic_regression,
    FOREST: _random_forest,
    "hist_gradient_boosting": _hist_gradient_boosting,
    EXTRA_TREES: _extra_trees,
}
_WEIGHT = re.compile(rf"({'|'.join(PARTS)})=([01]\.\d\d)")


def mixed(weights: Mapping[str, float]) -> str:
    """The name, for :func:`fit`, of the mean of PARTS with these weights."""
    return " ".join(f"{part}={weights[part]:.2f}" for part in PARTS)


def weights_of(name: str) -> dict[str, float]:
    """The weights of PARTS in a name that :func:`mixed` made, in a session's or a card's; those of
    ``auto`` before any labels are alike. Empty for every other classifier."""
    if name == AUTO:
        return dict.fromkeys(PARTS, 1 / len(PARTS))
    found = {part: float(weight) for part, weight in _WEIGHT.findall(name)}
    total = sum(found.values())
    return {part: weight / total for part, weight in found.items()} if total else {}


def in_full(name: str, chosen: str) -> str:
    """What is kept of a model's classifier ``name``: of ``auto`` also what it stood for."""
    return f"{name}: {chosen}" if name == AUTO else name


def is_known(name: str) -> bool:
    """Whether :func:`fit` knows a classifier of this name."""
    return name in CLASSIFIERS or name in PARTS or bool(weights_of(name))


def title(name: str) -> str:
    """What a person reads for a classifier, or for what :func:`in_full` kept of it: older versions,
    too, whose ``auto`` chose one classifier and whose ``mean`` was what ``auto`` is now."""
    kind, _, chosen = name.partition(": ")
    if not chosen or kind not in (AUTO, *OLDER_CLASSIFIERS):
        name = OLDER_CLASSIFIERS.get(name, name)
        return CLASSIFIERS[name].title if name in CLASSIFIERS else name
    shown = ", ".join(f"{weight:.0%} {PARTS[part]}" for part, weight in weights_of(chosen).items())
    if not shown:
        chosen, _, C = chosen.partition(" C=")
        shown = title(chosen).lower()
        shown += f", C = {C or 1}" if chosen == LINEAR else ""
    return f"{CLASSIFIERS[AUTO].title}: {shown}"


def description(name: str) -> str:
    """What a classifier is good for, in words."""
    if name not in CLASSIFIERS:
        return "This version of the program does not know it."
    return CLASSIFIERS[name].description


def choices(name: str) -> list[str]:
    """What to choose from where ``name`` is chosen so far."""
    return list(dict.fromkeys([*CLASSIFIERS, name]))


def fit(name: str, X: NDArray[np.float32], y: NDArray[np.integer], seed: int) -> Any:
    """Fit classifier ``name`` on ``X`` [n, d] and class codes ``y`` [n], one a class is enough.

    ``name`` is one of CLASSIFIERS or PARTS, or says the weights of parts as :func:`mixed` does.
    Raises LabelingError for an unknown name and for fewer than two classes.
    """
    if not is_known(name):
        raise LabelingError(
            f"There is no classifier “{name}”; choose one of {', '.join(CLASSIFIERS)}.",
            field="classifier",
        )
    if len(np.unique(y)) < 2:
        raise LabelingError(
            "All labels so far are of one category; label at least one sample of a second one."
        )
    weights = weights_of(name)
    if weights:
        return _mean({part: fit(part, X, y, seed) for part in weights}, weights)
    if name == GAUSSIAN_PROCESS:
        return gaussian_process.fit(X, y, seed)[0]
    # Few labels: double precision costs nothing here and lets the solver converge cleanly.
    with threads_for(len(X)), warnings.catch_warnings():
        # "More classes than half the samples": usual in a first session, no mistake.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        model = _BUILDERS[name](seed).fit(np.asarray(X, dtype=np.float64), y)
    if hasattr(model, "coef_"):
        # Many samples to score: with float32 coefficients the pool is never copied to float64.
        model.coef_ = model.coef_.astype(np.float32)
        model.intercept_ = model.intercept_.astype(np.float32)
    return model


def _mean(parts: Mapping[str, Any], weights: Mapping[str, float]) -> Any:
    """The weighted mean of fitted parts, as scikit-learn's vote of their probabilities."""
    from sklearn.base import clone
    from sklearn.ensemble import VotingClassifier
    from sklearn.preprocessing import LabelEncoder

    # As scikit-learn has it, the named ones are not fitted: else skops would store all trees twice.
    named = [(name, clone(part)) for name, part in parts.items()]
    vote = VotingClassifier(named, voting="soft", weights=list(weights.values()))
    vote.estimators_ = list(parts.values())
    vote.classes_ = vote.estimators_[0].classes_
    vote.le_ = LabelEncoder().fit(vote.classes_)
    return vote


def name_classes(model: Any, names: list[str]) -> None:
    """Have a fitted model tell ``names`` in place of the class codes that are indices into them."""
    model.classes_ = np.array(names)[model.classes_]
    if hasattr(model, "le_"):  # what a mean of classifiers predicts goes through it
        model.le_.classes_ = model.classes_


def quickest_part(model: Any) -> Any | None:
    """The part of a mean of classifiers that takes least time for a sample; None of any other."""
    names = [name for name, _ in getattr(model, "estimators", ())]
    return model.estimators_[names.index(LINEAR)] if LINEAR in names else None


def predict_probabilities(
    model: Any,
    X: NDArray[np.float32],
    n_classes: int,
    progress: Callable[[float], None] | None = None,
    chunk: int = 65_536,
) -> NDArray[np.float32]:
    """Class probabilities [n, n_classes] of every row of ``X``, read ``chunk`` rows at a time.

    Column k belongs to class code k; a class the model never saw has probability 0. Rows sum
    to 1. ``progress`` is told the finished share, 0..1, after every chunk.
    """
    codes = np.asarray(model.classes_, dtype=np.intp)
    columns = slice(None) if len(codes) == n_classes else codes
    probabilities = np.zeros((len(X), n_classes), dtype=np.float32)
    with one_thread():
        for start in range(0, len(X), chunk):
            rows = slice(start, start + chunk)
            block = np.asarray(X[rows], dtype=np.float32)
            probabilities[rows, columns] = scoring.probabilities(model, block)
            if progress is not None:
                progress(min(start + chunk, len(X)) / len(X))
    return probabilities


def forest_of(name: str, seed: int) -> Any:
    """A forest or trees for :func:`out_of_bag`: each tree is given its own draw of the rows."""
    return _BUILDERS[name](seed).set_params(bootstrap=True, oob_score=True)


def out_of_bag(
    forest: Any, X: NDArray[np.float32], y: NDArray[np.integer], n_classes: int
) -> NDArray[np.float64]:
    """Class probabilities [n, n_classes] of every row by those trees that have not seen it.

    One fit of ``forest`` (unfitted, with ``oob_score``) on ``X`` [n, d] and class codes ``y`` [n]
    in place of one for each fold. Rows that every tree has seen stay 0.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        forest.fit(X, y)
    probabilities = np.zeros((len(y), n_classes))
    found = np.nan_to_num(forest.oob_decision_function_)
    probabilities[:, np.asarray(forest.classes_, dtype=np.intp)] = found
    return probabilities
