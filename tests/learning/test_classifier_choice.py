"""What “auto” stands for: arrays in, a name out; and how a session tells of it."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from annotating import rows

from labeling_core.learning.classifier_choice import (
    GROWTH,
    Choice,
    choose,
    remember,
    remembered,
)
from labeling_core.learning.classifiers import CLASSIFIERS, mixed, title, weights_of
from labeling_core.settings import Settings


def rings(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no straight line divides."""
    X = np.random.default_rng(0).normal(size=(n, 3)).astype(np.float32)
    return X, (np.linalg.norm(X[:, :2], axis=1) > 1.2).astype(int)


def line(n: int, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes on both sides of a plane, a share of them turned round."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 8)).astype(np.float32)
    return X, ((X[:, 0] > 0) ^ (rng.random(n) < noise)).astype(int)


def test_other_names_stay_as_they_are():
    assert choose("random_forest", *line(200), seed=0) == Choice("random_forest", 200)


def test_the_same_labels_and_seed_give_the_same_choice():
    X, y = line(120, noise=0.1)
    assert choose("auto", X, y, 5) == choose("auto", X, y, 5)


@pytest.mark.parametrize("rare", [1, 2, 3, 5])
def test_classes_of_very_few_labels_do_no_harm(rare):
    X, y = line(100)
    y = np.where(np.arange(100) < rare, 3, y)
    assert choose("auto", X, y, 0).labels == 100
    alone = np.where(np.arange(100) < rare, 1, 0)
    assert choose("auto", X, alone, 0).labels == 100


def test_many_classes_and_many_labels_are_tried_on_a_part():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 100)).astype(np.float32)
    assert choose("auto", X, rng.integers(0, 30, 3000), 0).labels == 3000


def test_a_choice_is_remembered_and_rubbish_is_not(tmp_path):
    path = tmp_path / "choice.json"
    assert remembered(path) is None
    for name in (*CLASSIFIERS, mixed(weights_of("auto"))):
        remember(Choice(name, 40), path)
        assert remembered(path) == Choice(name, 40)
    for rubbish in ("", "[1]", '["oracle", 4]', "{}", "null", '[["a"], 3]'):
        path.write_text(rubbish, "utf-8")
        assert remembered(path) is None


def test_titles_tell_what_was_chosen_and_what_older_versions_chose():
    assert title("auto") == title("mean") == "Automatic"
    assert title("random_forest") == "Random forest"
    assert title("auto: logistic_regression") == "Automatic: logistic regression, C = 1"
    assert title("auto: logistic_regression C=0.1") == "Automatic: logistic regression, C = 0.1"
    assert title("auto: random_forest") == "Automatic: random forest"


def test_an_older_project_s_mean_is_what_automatic_is_now():
    assert Settings.from_json('{"classifier": "mean"}').classifier == "auto"
    assert Settings.from_json('{"classifier": "random_forest"}').classifier == "random_forest"
    assert Settings.from_json('{"classifier": "of tomorrow"}').classifier == "of tomorrow"


def test_a_part_that_predicts_unseen_labels_better_counts_more():
    curved, straight = (
        weights_of(choose("auto", *each, 0).classifier) for each in (rings(300), line(300))
    )
    assert curved["logistic_regression"] < 0.1
    assert straight["logistic_regression"] > 1.5 * straight["extra_trees"]
    for weights in (curved, straight):
        assert sum(weights.values()) == pytest.approx(1.0)


def test_few_labels_leave_the_weights_nearly_alike():
    weights = weights_of(choose("auto", *rings(8), seed=0).classifier)
    assert all(weight == pytest.approx(1 / 3, abs=0.1) for weight in weights.values())


def test_one_label_a_class_leaves_them_alike():
    found = choose("auto", line(2)[0], np.array([0, 1]), 0).classifier
    assert found == mixed(weights_of("auto"))


def test_the_weights_stay_until_the_labels_have_grown_by_a_third():
    X, y = rings(200)
    before = Choice(mixed(weights_of("auto")), 150)
    assert choose("auto", X[:190], y[:190], 0, before) == before
    grown = int(GROWTH * 150) + 1
    assert choose("auto", X[:grown], y[:grown], 0, before).labels == grown
    of_older = Choice("random_forest", 40)  # one classifier, as “auto” chose it in older versions
    assert weights_of(choose("auto", X[:40], y[:40], 0, of_older).classifier)


def test_the_title_of_a_mean_tells_the_weights():
    weights = {"logistic_regression": 0.5, "gaussian_process": 0.3, "extra_trees": 0.2}
    shown = "50% logistic regression, 30% Gaussian process, 20% extremely randomized trees"
    for kind in ("auto", "mean"):
        assert title(f"{kind}: {mixed(weights)}") == f"Automatic: {shown}"


def test_a_session_and_the_model_card_tell_the_weights(workspace, make_project, annotator):
    project = make_project(classifier="auto", every=1000, probe_share=0.0)
    annotator(project).label_truly(90)
    workspace.loop.start_session(project, "hand")
    end = time.monotonic() + 1200
    while workspace.loop.trainer.running(project.project_id):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert workspace.loop.trainer.status[project.project_id].state == "idle"
    ((told,),) = rows(workspace.database, "SELECT classifier FROM labeling.sessions")
    ((card,),) = rows(workspace.database, "SELECT card FROM labeling.models")
    assert told == json.loads(card)["classifier"]
    assert told.startswith("auto: ") and sum(weights_of(told).values()) == pytest.approx(1.0)
    assert workspace.project(project.project_id).settings.classifier == "auto"


def test_the_weights_of_a_mean_do_not_favour_who_learns_copies_by_heart():
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(60, 8)), rng.integers(0, 2, 60)
    X, y = np.repeat(points, 5, axis=0).astype(np.float32), np.repeat(labels, 5)
    groups = np.repeat(np.arange(60), 5)
    leaking = weights_of(choose("auto", X, y, seed=0).classifier)
    honest = weights_of(choose("auto", X, y, seed=0, groups=groups).classifier)
    assert leaking["logistic_regression"] < 0.1 < honest["logistic_regression"]
