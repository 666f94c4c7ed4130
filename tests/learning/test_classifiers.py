import json
from io import BytesIO
from zipfile import ZipFile

import numpy as np
import pytest
import skops.io

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import (
    CLASSIFIERS,
    LINEAR,
    PARTS,
    fit,
    mixed,
    name_classes,
    predict_probabilities,
    quickest_part,
)
from labeling_core.models.prediction import TRUSTED


def three_clouds(per_class: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = np.repeat(np.arange(3), per_class)
    X = rng.normal(size=(len(y), 4)) + 4 * np.eye(4)[y]
    return X.astype(np.float32), y


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_every_classifier_learns_three_clouds(name):
    X, y = three_clouds(40)
    p = predict_probabilities(fit(name, X[::2], y[::2], seed=1), X, 3)
    assert np.mean(p.argmax(axis=1) == y) > 0.95


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_label_per_class_is_enough(name):
    X, y = three_clouds(1)
    p = predict_probabilities(fit(name, X, y, seed=1), X, 3)
    assert p.dtype == np.float32 and (p >= 0).all()
    assert np.allclose(p.sum(axis=1), 1, atol=1e-5)


def test_many_classes_with_one_label_each_fit_without_a_warning():
    X = np.random.default_rng(0).normal(size=(26, 4)).astype(np.float32)
    p = predict_probabilities(fit(LINEAR, X, np.arange(26), seed=1), X, 26)
    assert p.shape == (26, 26)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_class_without_labels_gets_probability_zero_in_its_own_column(name):
    X, y = three_clouds(10)
    seen = y != 1
    p = predict_probabilities(fit(name, X[seen], y[seen], seed=1), X, 5)
    assert p.shape == (30, 5)
    assert not p[:, [1, 3, 4]].any()
    assert set(p[seen].argmax(axis=1)) == {0, 2}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_chunks_change_nothing_and_a_memory_mapped_matrix_is_read_in_place(name, tmp_path):
    X, y = three_clouds(30)
    np.save(tmp_path / "features.npy", X)
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    model = fit(name, X, y, seed=1)
    told: list[float] = []
    p = predict_probabilities(model, mapped, 3, progress=told.append, chunk=40)
    assert told == [40 / 90, 80 / 90, 1.0]
    assert np.allclose(p, predict_probabilities(model, X, 3), atol=1e-6)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_the_same_seed_gives_the_same_model(name):
    X, y = three_clouds(20)
    first, second = (predict_probabilities(fit(name, X, y, seed=3), X, 3) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_stored_model_tells_names_with_the_same_probabilities(name):
    X, y = three_clouds(20)
    model = fit(name, X[y > 0], y[y > 0], 3)
    before = predict_probabilities(model, X, 3)[:, 1:]
    assert np.allclose(model.predict_proba(X), before, atol=1e-6)
    before = model.predict_proba(X)
    name_classes(model, ["a", "b", "c"])
    again = skops.io.loads(skops.io.dumps(model), trusted=TRUSTED)
    assert np.array_equal(again.predict_proba(X), before)
    assert list(again.predict(X)) == [["b", "c"][best] for best in before.argmax(axis=1)]


@pytest.mark.parametrize("classes", [2, 10])
def test_logistic_regression_over_many_blocks_is_scikit_learns(classes):
    rng = np.random.default_rng(0)
    X = rng.normal(scale=40, size=(20_000, 6)).astype(np.float32)  # some are beyond any doubt
    model = fit(LINEAR, X[:200], rng.integers(0, classes, 200), 0)
    model.coef_ *= 30
    found = predict_probabilities(model, X, classes)
    assert np.allclose(found, model.predict_proba(X), atol=2e-6)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-6) and (found == 0).any()


def test_the_mean_weighs_its_parts():
    X, y = three_clouds(20)
    weights = {"logistic_regression": 0.2, "gaussian_process": 0.7, "extra_trees": 0.1}
    found = {part: predict_probabilities(fit(part, X, y, 3), X, 3) for part in PARTS}
    expected = sum(weight * found[part] for part, weight in weights.items())
    mean = fit(mixed(weights), X, y, 3)
    assert np.allclose(predict_probabilities(mean, X, 3), expected, atol=1e-6)
    quickest = predict_probabilities(quickest_part(mean), X, 3)
    assert np.array_equal(quickest, found["logistic_regression"])
    assert quickest_part(fit("random_forest", X, y, 3)) is None
    state = json.loads(ZipFile(BytesIO(skops.io.dumps(mean))).read("schema.json"))
    assert json.dumps(state).count('"tree_": ') == 50  # each tree is stored once


def test_an_empty_pool_gives_an_empty_table():
    X, y = three_clouds(5)
    assert predict_probabilities(fit(LINEAR, X, y, 0), X[:0], 3).shape == (0, 3)


def test_one_single_class_is_told_in_a_sentence():
    X, _ = three_clouds(5)
    with pytest.raises(LabelingError, match="one category"):
        fit(LINEAR, X, np.zeros(len(X), dtype=int), seed=0)


def test_an_unknown_classifier_names_the_field_and_the_choices():
    X, y = three_clouds(5)
    with pytest.raises(LabelingError, match="logistic_regression") as error:
        fit("oracle", X, y, seed=0)
    assert error.value.field == "classifier"
