"""The classifiers on offer: built, fitted on the labels, streamed over the whole pool.

Features arrive already scaled (float32), classes as integer codes. scikit-learn is imported
only when a model is built, so that the web server never pays for it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError


class Classifier(NamedTuple):
    """One choice in the settings; ``build(seed)`` gives an unfitted scikit-learn estimator."""

    title: str
    description: str
    build: Callable[[int], Any]


def _logistic_regression(seed: int, C: float = 1.0) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=1000, random_state=seed)


def _random_forest(seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, random_state=seed)


def _hist_gradient_boosting(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Early stopping would set labels aside, and fails where a class has a single one. The default
    # leaf of 20 samples would leave the first sessions without a single split.
    return HistGradientBoostingClassifier(
        early_stopping=False, min_samples_leaf=5, random_state=seed
    )


DEFAULT_CLASSIFIER = "logistic_regression"
AUTO = "auto"
CLASSIFIERS: dict[str, Classifier] = {
    AUTO: Classifier(
        "Automatic",
        "Logistic regression, until the labels show clearly that another strength of its "
        "regularisation or a random forest does better. Which it is, each session tells.",
        _logistic_regression,
    ),
    DEFAULT_CLASSIFIER: Classifier(
        "Logistic regression",
        "Quick and steady from the first labels on, also with a million samples. "
        "Sees straight-line effects only.",
        _logistic_regression,
    ),
    "random_forest": Classifier(
        "Random forest",
        "Finds thresholds and combinations of columns. Wants some dozens of labels, "
        "and is slow beyond 100,000 samples.",
        _random_forest,
    ),
    "hist_gradient_boosting": Classifier(
        "Gradient boosting",
        "Often the most accurate on tables once there are some hundreds of labels; "
        "the slowest to train.",
        _hist_gradient_boosting,
    ),
}


# What “auto” may choose besides the classifiers on offer, by the name that is kept of it.
VARIANTS: dict[str, Callable[[int], Any]] = {
    f"{DEFAULT_CLASSIFIER} C={C:g}": partial(_logistic_regression, C=C) for C in (0.1, 3.0, 10.0)
}


def title(name: str) -> str:
    """What a person reads for a classifier, or for ``auto: `` and what was chosen."""
    if not name.startswith(f"{AUTO}: "):
        return CLASSIFIERS[name].title if name in CLASSIFIERS else name
    chosen, _, C = name.removeprefix(f"{AUTO}: ").partition(" C=")
    shown = title(chosen).lower()
    if chosen == DEFAULT_CLASSIFIER:
        shown += f", C = {C or 1}"
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

    ``name`` is one of CLASSIFIERS (``auto`` as before any choice) or VARIANTS. Raises
    LabelingError for an unknown name and for fewer than two classes.
    """
    if name not in CLASSIFIERS and name not in VARIANTS:
        raise LabelingError(
            f"There is no classifier “{name}”; choose one of {', '.join(CLASSIFIERS)}.",
            field="classifier",
        )
    if len(np.unique(y)) < 2:
        raise LabelingError(
            "All labels so far are of one category; label at least one sample of a second one."
        )
    # Few labels: double precision costs nothing here and lets the solver converge cleanly.
    with warnings.catch_warnings():
        # "More classes than half the samples": usual in a first session, no mistake.
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        build = VARIANTS[name] if name in VARIANTS else CLASSIFIERS[name].build
        model = build(seed).fit(np.asarray(X, dtype=np.float64), y)
    if hasattr(model, "coef_"):
        # Many samples to score: with float32 coefficients the pool is never copied to float64.
        model.coef_ = model.coef_.astype(np.float32)
        model.intercept_ = model.intercept_.astype(np.float32)
    return model


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
    probabilities = np.zeros((len(X), n_classes), dtype=np.float32)
    for start in range(0, len(X), chunk):
        rows = slice(start, start + chunk)
        probabilities[rows, codes] = model.predict_proba(np.asarray(X[rows], dtype=np.float32))
        if progress is not None:
            progress(min(start + chunk, len(X)) / len(X))
    return probabilities


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
