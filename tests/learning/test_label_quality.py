"""Which labels are likely wrong: the formulas on small arrays, and where they end."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from labeling_core.learning import classifiers, label_quality, out_of_fold, strategies


def blobs(n: int, classes: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(classes, size=n)
    X = rng.normal(size=(n, 4)) + 6 * np.eye(classes, 4)[codes]
    return X.astype(np.float32), codes


def asked_for(X, given, count):
    """The rows that the strategy auto asks for, in batches of 20, from whoever labels ``given``."""
    pool, labeled, p = np.arange(len(X)), np.zeros(0, dtype=np.intp), None
    while len(labeled) < count:
        order, _ = strategies.rank(
            "auto", probabilities=p, features=X, pool=pool, labeled=labeled,
            labels=given[labeled], batch=20, seed=len(labeled),
        )  # fmt: skip
        labeled, pool = np.concatenate([labeled, pool[order[:20]]]), np.delete(pool, order[:20])
        model = classifiers.fit("logistic_regression", X[labeled], given[labeled], 0)
        p = classifiers.predict_probabilities(model, X[pool], 10)
    return labeled


def test_wrong_labels_are_found_among_those_that_the_strategy_chose():
    X, truth = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    rng = np.random.default_rng(0)
    given = np.where(rng.random(len(X)) < 0.05, (truth + rng.integers(1, 10, len(X))) % 10, truth)
    chosen = asked_for(X, given, 200)
    wrong = set(np.flatnonzero(given[chosen] != truth[chosen]))
    found = label_quality.examine(X[chosen], given[chosen], 10, "logistic_regression", 0)
    assert len(wrong) > 5
    assert len(wrong & set(found.order[:20])) >= 0.6 * len(wrong)


def test_confident_errors_follow_the_definition_by_hand():
    codes = np.array([0, 0, 0, 1, 1])
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.45, 0.55]])
    # thresholds: class 0 has (.9 + .8 + .1) / 3 = .6, class 1 has (.7 + .55) / 2 = .625
    assert label_quality.confident_errors(p, codes).tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("classifier", ["logistic_regression", "random_forest", "auto"])
@pytest.mark.parametrize("classes", [2, 4])
def test_flipped_labels_of_separate_groups_come_first(classifier, classes):
    X, truth = blobs(200, classes)
    codes = truth.copy()
    codes[:10] = (codes[:10] + 1) % classes
    shares: list[float] = []
    found = label_quality.examine(X, codes, classes, classifier, 0, shares.append)
    assert set(found.order[:10]) == set(range(10))
    assert found.likely[:10].all()
    assert (found.suggested[:10] == truth[:10]).all()
    assert (found.prediction[:10] == truth[:10]).all()
    assert sorted(found.order) == list(range(200))
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] < 1


def test_the_only_label_of_a_class_is_not_judged_and_comes_last():
    X, codes = blobs(60, 2)
    codes[7] = 2
    found = label_quality.examine(X, codes, 3, "logistic_regression", 0)
    assert found.order[-1] == 7
    assert not found.likely[7]
    assert found.prediction[7] == 2


def test_two_labels_of_a_class_never_share_a_fold():
    codes = np.array([0] * 20 + [1, 1] + [2])
    fold_of = out_of_fold.folds(codes, 3)
    assert fold_of[20] != fold_of[21]
    assert fold_of[22] == -1
    assert set(fold_of[:20]) == set(range(out_of_fold.FOLDS))


@pytest.mark.parametrize("judge", [*classifiers.PARTS, "random_forest"])
def test_every_row_is_judged_by_a_model_that_has_not_seen_it(judge):
    # Random labels: a model that had seen a row would give its label a high probability.
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(120, 3)).astype(np.float32), rng.integers(2, size=120)
    found = label_quality.unseen(X, codes, 2, judge, 0)
    assert found.sum(axis=1) == pytest.approx(np.ones(120), abs=1e-5)
    assert np.mean(found.argmax(axis=1) == codes) < 0.7


@pytest.mark.parametrize(
    ("classifier", "judges"),
    [("logistic_regression=0.50 gaussian_process=0.30 extra_trees=0.20",
      ["logistic_regression", "gaussian_process", "extra_trees", "random_forest"]),
     ("random_forest", ["random_forest", "logistic_regression", "extra_trees"]),
     ("hist_gradient_boosting",
      ["hist_gradient_boosting", "logistic_regression", "random_forest", "extra_trees"])],
)  # fmt: skip
def test_the_project_s_own_classifier_or_its_parts_judge_first(classifier, judges):
    assert label_quality.panel(classifier) == judges


def test_the_prediction_of_a_mean_is_that_of_its_parts_by_their_weights():
    X, codes = blobs(80, 4)
    weights = {"logistic_regression": 0.2, "gaussian_process": 0.7, "extra_trees": 0.1}
    found = label_quality.examine(X, codes, 4, classifiers.mixed(weights), 0)
    own = sum(share * label_quality.unseen(X, codes, 4, part, 0) for part, share in weights.items())
    assert np.array_equal(found.prediction, own.argmax(axis=1))
    assert found.prediction_probability == pytest.approx(own.max(axis=1), abs=1e-6)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], False), ([0] * 30, False), ([0] * 30 + [1], False), ([0] * 30 + [1, 1], True),
     ([0, 0, 1, 1], False)],
)  # fmt: skip
def test_a_judgement_takes_some_labels_of_two_categories(codes, expected):
    assert label_quality.judgeable(np.array(codes, dtype=int)) is expected


def test_windows_of_one_recording_do_not_judge_one_another():
    """Each recording sounds in its own way, and a whole one has the wrong label: only a model
    that has heard no other window of it can tell."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(24) % 2, 6)
    groups = np.repeat(np.arange(24), 6)
    own = 3 * np.eye(24)[groups]  # how to tell the recording
    X = np.hstack([own, 2.0 * truth[:, None] + rng.normal(0, 0.3, (144, 1))]).astype(np.float32)
    given = np.where(groups == 5, 1 - truth, truth)
    found = label_quality.examine(X, given, 2, "logistic_regression", 0, groups=groups)
    assert found.likely[groups == 5].all() and found.likely.sum() == 6
    alone = label_quality.examine(X, given, 2, "logistic_regression", 0, groups=np.zeros(144, int))
    assert not alone.likely.any() and np.array_equal(alone.prediction, given)


def test_it_tells_how_far_it_is():
    rng = np.random.default_rng(0)
    X, codes = rng.normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2
    told: list[float] = []
    groups = np.arange(60) // 6
    label_quality.examine(X, codes, 2, "logistic_regression", 0, told.append, groups)
    assert told == sorted(told) and len(set(told)) > 20 and 0 <= told[0] <= told[-1] < 1
