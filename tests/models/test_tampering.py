"""A model that somebody has changed is not used: what its trees say is looked at before."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.svm import SVC
from sklearn.tree._tree import Tree

from labeling_core.learning.classifiers import CLASSIFIERS, fit
from labeling_core.models.prediction import TRUSTED
from labeling_core.models.tampering import TamperedError, check

GENERATOR = np.random.default_rng(7)
ROWS = GENERATOR.normal(size=(120, 5))
CLASSES = np.array(["a", "b", "c"])[(ROWS[:, 0] > 0).astype(int) + (ROWS[:, 1] > 0.5)]


def stored(pipeline):
    """As it comes out of a file."""
    return skops.io.loads(skops.io.dumps(pipeline), trusted=TRUSTED)


def fitted(classifier):
    return stored(make_pipeline(MinMaxScaler(), classifier).fit(ROWS, CLASSES))


def of_project(name):
    """A classifier on offer, as a worker puts it together."""
    scaler = MinMaxScaler().fit(ROWS)
    codes = np.unique(CLASSES, return_inverse=True)[1]
    return stored(
        Pipeline([("scaler", scaler), ("classifier", fit(name, scaler.transform(ROWS), codes, 1))])
    )


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_on_offer_is_as_it_should_be(name):
    check(of_project(name))


@pytest.mark.parametrize("other", [KNeighborsClassifier(), SVC()])
def test_what_no_classifier_here_consists_of_is_refused(other):
    with pytest.raises(TamperedError):
        check(make_pipeline(MinMaxScaler(), other).fit(ROWS, CLASSES))


def forest(change, kind=RandomForestClassifier):
    """A forest whose first tree has been changed; ``change`` is given its nodes and state."""
    pipeline = fitted(kind(3, random_state=1))
    tree = pipeline[-1].estimators_[0].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    change(state["nodes"], state)
    other = Tree(tree.n_features, np.asarray(tree.n_classes, np.intp), 1)
    other.__setstate__(state)
    pipeline[-1].estimators_[0].tree_ = other
    return pipeline


def boosting(change):
    pipeline = fitted(HistGradientBoostingClassifier(max_iter=2, random_state=1))
    predictor = pipeline[-1]._predictors[0][0]
    predictor.nodes = predictor.nodes.copy()
    change(predictor.nodes, predictor)
    return pipeline


def put(field, value):
    return lambda nodes, _: nodes[field].__setitem__(0, value)


@pytest.mark.parametrize("value", [10**9, -2, 0])
@pytest.mark.parametrize("field", ["left_child", "right_child"])
def test_a_child_that_is_not_there_or_leads_back_is_refused(field, value):
    with pytest.raises(TamperedError):
        check(forest(put(field, value)))


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("value", [5, 10**9, -1])
def test_a_column_that_is_not_there_is_refused(value, kind):
    with pytest.raises(TamperedError):
        check(forest(put("feature", value), kind))


def test_a_tree_within_the_mean_is_looked_at_as_well():
    model = of_project("auto")
    tree = next(each for each in model[-1].estimators_ if hasattr(each, "estimators_")).estimators_[
        0
    ]
    tree.tree_ = forest(put("left_child", 10**9), ExtraTreesClassifier)[-1].estimators_[0].tree_
    with pytest.raises(TamperedError):
        check(model)


def kernel_of(model):
    process = next(each for each in model[-1].estimators_ if hasattr(each, "steps"))
    return dict(process.named_steps["kernel"].transformer_list)["radial"]


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model[-1], "weights", [1.0, 2.0]),
        lambda model: setattr(model[-1], "weights", [1.0, 2.0, float("nan")]),
        lambda model: setattr(model[-1], "weights", [0.0, 0.0, 0.0]),
        lambda model: setattr(model[-1], "voting", "hard"),
        lambda model: setattr(model[-1], "estimators_", model[-1].estimators_[:2]),
        lambda model: setattr(model[-1], "estimators_", []),
        lambda model: setattr(model[-1], "classes_", np.array(["a", "b"])),
        lambda model: setattr(kernel_of(model), "kernel", "precomputed"),
        lambda model: setattr(kernel_of(model), "kernel_params", {"degree": 10**9}),
        lambda model: setattr(kernel_of(model), "gamma", float("nan")),
        lambda model: setattr(kernel_of(model), "components_", kernel_of(model).components_[:3]),
        lambda model: setattr(kernel_of(model), "normalization_", "x"),
    ],
)
def test_parts_of_a_mean_that_do_not_fit_together_are_refused(change):
    model = of_project("auto")
    change(model)
    with pytest.raises(TamperedError):
        check(model)


@pytest.mark.parametrize(
    ("field", "value"),
    [("left", 2**32 - 1), ("right", 0), ("feature_idx", 5), ("feature_idx", -1),
     ("is_categorical", 1)],
)  # fmt: skip
def test_the_same_holds_for_boosted_trees(field, value):
    with pytest.raises(TamperedError):
        check(boosting(put(field, value)))


def test_types_and_numbers_that_do_not_fit_together_are_refused():
    pipeline = fitted(RandomForestClassifier(3, random_state=1))
    pipeline[-1].n_features_in_ = 3  # its trees look at five
    with pytest.raises(TamperedError):
        check(pipeline)
    pipeline = fitted(RandomForestClassifier(3, random_state=1))
    pipeline[-1].estimators_[0].n_classes_ = 200
    with pytest.raises(TamperedError):
        check(pipeline)
    with pytest.raises(TamperedError):
        check(boosting(lambda nodes, each: setattr(each, "nodes", nodes["value"])))
    with pytest.raises(TamperedError):
        check(boosting(lambda nodes, each: setattr(each, "raw_left_cat_bitsets", "x")))
    pipeline = fitted(HistGradientBoostingClassifier(max_iter=2, random_state=1))
    del pipeline[-1]._bin_mapper
    with pytest.raises(TamperedError):
        check(pipeline)


def test_whatever_is_changed_is_refused_or_harmless():
    generator = np.random.default_rng(11)

    def scramble(nodes, _):
        field = generator.choice(nodes.dtype.names)
        raw = nodes.view(np.uint8).reshape(len(nodes), -1)
        offset, size = nodes.dtype.fields[field][1], nodes.dtype.fields[field][0].itemsize
        row = generator.integers(len(nodes))
        raw[row, offset : offset + size] = generator.integers(0, 256, size, np.uint8)

    used = 0
    for make in (forest, boosting):
        for _ in range(60):
            model = make(scramble)
            try:
                check(model)
            except TamperedError:
                continue
            assert copy.copy(model).predict_proba(ROWS).shape == (len(ROWS), 3)
            used += 1
    assert 0 < used < 120  # some changes do no harm, and some are found
