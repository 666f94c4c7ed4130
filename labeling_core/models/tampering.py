"""A downloaded model before it is used: is it of the parts that our classifiers have, do their
sizes fit together, and does everything in its trees lead somewhere?

scikit-learn follows the numbers of a tree in compiled code, without looking: a child or a column
that does not exist reads any memory, or ends the process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_NODES = 50_000_000  # of one tree
LEAF = -1  # instead of a child
BITSET = 8  # words of 32 bits: the categories of a column that go to the left
# Where the classifiers on offer come from, and the columns and scales before them. skops trusts
# all of scikit-learn; the rest has other compiled code, with other numbers that it believes.
ROOMS = (
    "sklearn._loss.", "sklearn.compose.", "sklearn.decomposition._pca.",
    "sklearn.decomposition._truncated_svd.", "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._hist_gradient_boosting.", "sklearn.ensemble._voting.VotingClassifier",
    "sklearn.feature_extraction.text.", "sklearn.impute._base.",
    "sklearn.kernel_approximation.Nystroem", "sklearn.linear_model._logistic.",
    "sklearn.pipeline.", "sklearn.preprocessing.", "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.ExtraTreeClassifier", "sklearn.tree._tree.Tree", "sklearn.utils.",
)  # fmt: skip
TREES = {  # of a forest → its trees
    "RandomForestClassifier": "sklearn.tree._classes.DecisionTreeClassifier",
    "ExtraTreesClassifier": "sklearn.tree._classes.ExtraTreeClassifier",
}


class TamperedError(ValueError):
    """The model is not as this program makes them."""


def check(model: Any) -> None:
    """Raise TamperedError unless the model can be used without harm; it is not run for that."""
    try:
        for part in _parts(model):
            _check_part(part)
    except (AttributeError, TypeError, ValueError, OverflowError, KeyError) as error:
        raise TamperedError("the model is not as this program makes them") from error


def _check_part(part: Any) -> None:
    kind = _name(part)
    _require(kind.startswith(ROOMS))
    if kind.endswith(tuple(TREES)):
        for each in getattr(part, "estimators_", ()):  # one that is not fitted predicts nothing
            _require(_name(each) == TREES[kind.rpartition(".")[2]])
            # What the forest is given goes to its trees without being looked at again.
            _require(int(each.n_features_in_) == int(part.n_features_in_))
            _check_tree(each)
    elif kind in TREES.values() and hasattr(part, "tree_"):
        _check_tree(part)
    elif kind.endswith("VotingClassifier"):
        _check_mean(part)
    elif kind.endswith("Nystroem") and hasattr(part, "components_"):
        _check_kernel(part)
    elif kind.endswith("HistGradientBoostingClassifier"):
        _require(len(part._bin_mapper.is_categorical_) == int(part.n_features_in_))
        for each in (tree for trees in part._predictors for tree in trees):
            _check_predictor(each, np.asarray(part._bin_mapper.is_categorical_, bool))


def _require(holds: Any) -> None:
    if not holds:
        raise TamperedError("numbers that do not fit together")


def _check_mean(mean: Any) -> None:
    """A weight for each part, and parts that tell the same classes."""
    weights, parts = np.asarray(mean.weights, dtype=np.float64), mean.estimators_
    _require(mean.voting == "soft" and weights.shape == (len(parts),) and len(parts) > 0)
    _require(np.isfinite(weights).all() and (weights >= 0).all() and weights.sum() > 0)
    for each in parts:
        _require(len(each.classes_) == len(mean.classes_))


def _check_kernel(kernel: Any) -> None:
    """The radial kernel only: others take their arguments as they come."""
    centres, weights = kernel.components_, kernel.normalization_
    _require(kernel.kernel == "rbf" and kernel.kernel_params is None)
    for each in (centres, weights):
        _require(isinstance(each, np.ndarray) and each.dtype == np.float32 and each.ndim == 2)
        _require(np.isfinite(each).all())
    _require(centres.shape == (weights.shape[1], int(kernel.n_features_in_)))
    _require(np.isfinite(float(kernel.gamma)) and float(kernel.gamma) >= 0)


def _check_tree(estimator: Any) -> None:
    _require(_name(estimator) in TREES.values())
    tree, outputs = estimator.tree_, int(estimator.n_outputs_)
    columns, classes = int(estimator.n_features_in_), int(estimator.n_classes_)
    _require(_name(tree) == "sklearn.tree._tree.Tree")
    _require(0 < tree.node_count <= MOST_NODES and tree.n_features == columns and outputs == 1)
    _require(tree.value.shape == (tree.node_count, 1, classes))
    _require(tree.max_n_classes == classes == len(estimator.classes_))
    left, right = tree.children_left, tree.children_right
    leaf = left == LEAF
    _require((leaf == (right == LEAF)).all())
    _check_nodes(left, right, leaf, tree.feature, columns)


def _check_predictor(predictor: Any, categorical: NDArray[Any]) -> None:
    """``categorical`` says of each column whether it holds categories."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    _require(_name(predictor).endswith("predictor.TreePredictor"))
    nodes, bitsets = predictor.nodes, predictor.raw_left_cat_bitsets
    _require(isinstance(nodes, np.ndarray) and nodes.dtype == PREDICTOR_RECORD_DTYPE)
    _require(nodes.ndim == 1 and 0 < len(nodes) <= MOST_NODES)
    for each in (bitsets, predictor.binned_left_cat_bitsets):
        _require(isinstance(each, np.ndarray) and each.dtype == np.uint32)
        _require(each.ndim == 2 and each.shape[1] == BITSET)
    leaf = nodes["is_leaf"].astype(bool)
    _check_nodes(nodes["left"], nodes["right"], leaf, nodes["feature_idx"], len(categorical))
    by_category = nodes["is_categorical"].astype(bool) & ~leaf
    _require((nodes["bitset_idx"][by_category] < len(bitsets)).all())
    _require(categorical[nodes["feature_idx"][by_category]].all())


def _check_nodes(
    left: NDArray[Any], right: NDArray[Any], leaf: NDArray[Any], column: NDArray[Any], columns: int
) -> None:
    """Each node leads to two others behind it, so that every way ends, by a column that exists."""
    places = np.arange(len(leaf))[~leaf]
    for child in (left[~leaf].astype(np.int64), right[~leaf].astype(np.int64)):
        _require(((child > places) & (child < len(leaf))).all())
    _require(((column[~leaf] >= 0) & (column[~leaf] < columns)).all())


def _name(part: Any) -> str:
    return f"{type(part).__module__}.{type(part).__qualname__}"


def _parts(model: Any) -> Iterator[Any]:
    """Everything of scikit-learn's that the model consists of."""
    seen: set[int] = set()
    left = [model]
    while left:
        part = left.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if _name(part).startswith("sklearn."):
            yield part
        left.extend(_inside(part))


def _inside(part: Any) -> list[Any]:
    if isinstance(part, dict):
        return [*part.keys(), *part.values()]
    if isinstance(part, (list, tuple, set, frozenset)):
        return list(part)
    if isinstance(part, np.ndarray):
        return part.ravel().tolist() if part.dtype == object else []
    if isinstance(part, type) or not hasattr(part, "__dict__"):
        return []
    return list(vars(part).values())
