import json
import re

import numpy as np
import pytest

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.learning.strategies import STRATEGIES, rank
from labeling_core.simulation.labeled_data import read_table
from labeling_core.simulation.replay import Plan, area, labels_needed, sessions, simulate, split

PLAN = Plan(["margin", "random"], batch=5, budget=23, seeds=2, classifier="logistic_regression")


def clouds(classes: int = 3, per_class: int = 50) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(np.arange(classes), per_class))
    X = rng.normal(size=(len(y), 6)) + 3 * np.eye(6)[y]
    return X.astype(np.float32), y


def test_every_strategy_and_seed_is_measured_at_the_same_label_counts():
    told: list[float] = []
    runs = simulate(*clouds(), PLAN, progress=told.append)
    assert [(run.strategy, run.seed) for run in runs] == [
        ("margin", 0),
        ("random", 0),
        ("margin", 1),
        ("random", 1),
    ]
    assert all(run.n_labels == [5, 10, 15, 20, 23] for run in runs)
    assert told == [0.25, 0.5, 0.75, 1.0]


def test_the_same_plan_gives_the_same_runs():
    assert simulate(*clouds(), PLAN) == simulate(*clouds(), PLAN)


def test_a_later_first_seed_repeats_the_runs_from_there_on():
    later = PLAN._replace(seeds=1, first_seed=1)
    assert simulate(*clouds(), later) == [r for r in simulate(*clouds(), PLAN) if r.seed == 1]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("batch", [1, 10])
def test_every_strategy_learns_easy_clouds(strategy, batch):
    plan = PLAN._replace(strategies=[strategy], batch=batch, budget=40, seeds=1)
    (run,) = simulate(*clouds(), plan)
    assert run.accuracy[-1] > 0.9 and run.auc is not None and run.auc[-1] > 0.95
    assert all(0 <= value <= 1 for value in run.accuracy + run.auc)


def test_a_budget_beyond_the_pool_ends_with_the_pool():
    X, y = clouds(per_class=10)
    (run,) = simulate(X, y, PLAN._replace(strategies=["margin"], budget=10_000, seeds=1))
    assert run.n_labels[-1] == len(y) - len(split(y, 0.35, 0)[1])


def test_a_pool_of_nearly_one_class_starts_without_a_model():
    X, y = clouds(classes=2)
    rare = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:3]])
    (run,) = simulate(X[rare], y[rare], PLAN._replace(strategies=["margin"], batch=1, seeds=1))
    assert run.accuracy[0] > 0.9 and run.auc is not None and run.auc[0] == 0.5
    assert run.balanced_accuracy[0] == 0.5  # all of the one class, nothing of the other
    assert run.macro_f1[0] == pytest.approx(run.accuracy[0] / (1 + run.accuracy[0]))


@pytest.mark.parametrize("strategy", ["auto", "margin"])
def test_until_a_second_class_is_met_the_order_of_the_start_goes_on_as_in_a_project(strategy):
    X, y = clouds(classes=2, per_class=200)
    y = np.where(np.arange(len(y)) < 3, y, 0)  # one of a hundred at most
    pool, _ = split(y, 0.35, 0)
    start = rank(
        strategy, probabilities=None, features=X, pool=pool, labeled=pool[:0], labels=y[:0],
        batch=10, seed=0,
    ).order  # fmt: skip
    plan = PLAN._replace(batch=10, budget=60)
    seen = [(labeled, model) for labeled, _, model in sessions(X, y, pool, strategy, 0, plan)]
    alone = [labeled for labeled, model in seen if model is None]
    assert len(alone) >= 2
    assert alone[-1].tolist() == pool[start[: len(alone[-1])]].tolist()


def test_the_holdout_is_stratified_and_disjoint():
    y = np.repeat([0, 1, 2], [100, 20, 1])
    pool, test = split(y, 0.35, seed=4)
    assert np.bincount(y[test], minlength=3).tolist() == [35, 7, 0]
    assert sorted([*pool, *test]) == list(range(121))


def test_what_belongs_together_is_held_out_together():
    groups = np.repeat(np.arange(30), 4)
    y = np.arange(120) % 3
    pool, test = split(y, 0.35, 1, groups)
    assert sorted([*pool, *test]) == list(range(120)) and 0.3 * 120 < len(test) <= 0.35 * 120
    assert not set(groups[pool]) & set(groups[test])
    with pytest.raises(LabelingError, match="too few recordings"):
        split(y, 0.35, 1, np.zeros(120, int))


def test_copies_of_a_sample_do_not_teach_what_they_measure():
    """Labels at random on points that come five times: only who has seen a copy knows them."""
    rng = np.random.default_rng(1)
    points, labels = rng.normal(size=(60, 8)), rng.integers(0, 2, 60)
    X, y = np.repeat(points, 5, axis=0).astype(np.float32), np.repeat(labels, 5)
    plan = Plan(["random"], 50, 150, 1, "random_forest")
    (leaking,) = simulate(X, y, plan)
    (honest,) = simulate(X, y, plan, groups=np.repeat(np.arange(60), 5))
    assert leaking.accuracy[-1] > 0.9 and honest.accuracy[-1] < 0.7


def test_the_area_of_a_straight_curve_is_its_middle():
    assert area([10, 20, 40], [0.5, 0.6, 0.8]) == pytest.approx(0.65)
    assert area([10], [0.5]) == 0.5


def test_labels_needed_interpolates_and_may_be_infinite():
    assert labels_needed([10, 20, 30], [0.5, 0.7, 0.6], 0.6) == 15
    assert labels_needed([10, 20], [0.5, 0.7], 0.4) == 10
    assert labels_needed([10, 20], [0.5, 0.7], 0.8) == float("inf")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"batch": 0}, "batch"),
        ({"budget": 0}, "budget"),
        ({"seeds": 0}, "seeds"),
        ({"holdout": 1.0}, "holdout"),
        ({"holdout": 0.001}, "holdout"),
        ({"strategies": []}, "strategies"),
        ({"strategies": ["guess"]}, "strategy"),
        ({"classifier": "oracle"}, "classifier"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_names_the_field(change, field):
    with pytest.raises(LabelingError) as error:
        simulate(*clouds(), PLAN._replace(**change))
    assert error.value.field == field


def test_one_single_category_is_told_in_a_sentence():
    X, y = clouds()
    with pytest.raises(LabelingError, match="one category"):
        simulate(X, np.zeros_like(y), PLAN)


def save_arrays(folder, X, y):
    np.savez(folder / "arrays.npz", X=X, y=y)
    return str(folder / "arrays.npz")


def test_the_command_writes_every_run_as_json(tmp_path, capsys):
    X, y = clouds()
    arrays = save_arrays(tmp_path, X * 100 + 7, np.array(["ant", "bee", "fly"])[y])
    out = tmp_path / "runs.json"
    options = ["--strategy", "margin", "--strategy", "random", "--batch", "5", "--budget", "23"]
    given = ["simulate", "--features-npz", arrays, *options, "--seeds", "2", "--out", str(out)]
    assert main(given) == 0
    runs = json.loads(out.read_text("utf-8"))["runs"]
    assert [(run["strategy"], run["seed"]) for run in runs] == [
        ("margin", 0),
        ("random", 0),
        ("margin", 1),
        ("random", 1),
    ]
    assert runs[0].keys() == {
        "strategy", "seed", "n_labels", "accuracy", "auc", "aulc", "balanced_accuracy", "macro_f1",
    }  # fmt: skip
    assert all(run["n_labels"] == [5, 10, 15, 20, 23] for run in runs)
    assert runs[0]["aulc"] == area(runs[0]["n_labels"], runs[0]["accuracy"]) > 0.7
    assert "labels to reach random" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"X": np.ones((3, 2))}, "plain arrays X and y"),
        ({"X": np.ones((3, 2)), "y": np.array([0, "a", None], dtype=object)}, r"y\.astype\(str\)"),
        ({"X": np.array([[np.inf], [1.0]]), "y": np.array([0, 1])}, "infinite"),
        ({"X": np.ones((3, 2)), "y": np.array([0, 1])}, r"they are \[3, 2\] and \[2\]"),
    ],
)
def test_bad_arrays_are_told_in_one_sentence(tmp_path, capsys, arrays, sentence):
    np.savez(tmp_path / "arrays.npz", **arrays)
    assert main(["simulate", "--features-npz", str(tmp_path / "arrays.npz")]) == 2
    assert re.search(sentence, capsys.readouterr().err)


def test_a_file_that_is_no_npz_is_told_in_one_sentence(tmp_path, capsys):
    (tmp_path / "arrays.npz").write_text("a,b", "utf-8")
    assert main(["simulate", "--features-npz", str(tmp_path / "arrays.npz")]) == 2
    assert "arrays.npz" in capsys.readouterr().err


def save_table(folder):
    """Rows sorted by category, with a number, a text column and two rows without a category."""
    import duckdb

    path = folder / "wines, 'all'.csv"
    duckdb.execute(
        f"""COPY (
            SELECT i * 1.5 + cos(i) AS alcohol, sin(i) AS noise,
                   CASE WHEN i % 3 = 0 THEN 'dry' ELSE 'sweet' END AS "a taste",
                   CASE WHEN i < 60 THEN 'red' WHEN i < 120 THEN 'white' END AS "class"
            FROM range(122) AS t(i)) TO '{str(path).replace("'", "''")}' (HEADER)"""
    )
    return path


def test_a_csv_file_is_replayed_without_its_unlabeled_rows(tmp_path):
    out = tmp_path / "runs.json"
    options = ["--label", "class", "--strategy", "auto", "--budget", "30", "--seeds", "1"]
    source = ["simulate", "--data", str(save_table(tmp_path)), *options]
    assert main([*source, "--out", str(out)]) == 0
    (run,) = json.loads(out.read_text("utf-8"))["runs"]
    assert run["n_labels"] == [10, 20, 30] and run["accuracy"][-1] > 0.9


def test_a_parquet_file_gives_the_same_features_and_codes(tmp_path):
    import duckdb

    path = save_table(tmp_path)
    duckdb.execute("COPY (FROM read_csv(?)) TO '" + str(tmp_path / "t.parquet") + "'", [str(path)])
    (X, y), (again, codes) = read_table(path, "class"), read_table(tmp_path / "t.parquet", "class")
    assert len(X) == 120 and np.bincount(y).tolist() == [60, 60]
    assert np.array_equal(X, again) and np.array_equal(y, codes)


def test_a_missing_label_column_or_file_is_told_in_one_sentence(tmp_path, capsys):
    path = save_table(tmp_path)
    assert main(["simulate", "--data", str(path), "--label", "color"]) == 2
    assert "no column “color”" in capsys.readouterr().err
    assert main(["simulate", "--data", str(tmp_path / "none.csv"), "--label", "color"]) == 2
    assert "none.csv" in capsys.readouterr().err
