"""What the runs say: curves, bands, a table, one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.simulation.figure import learning_curves
from labeling_core.simulation.replay import Run, area
from labeling_core.simulation.summary import (
    as_json,
    as_text,
    band,
    curves,
    measured,
    rows,
    student,
    verdict,
    whole_seeds,
)

COUNTS = [10, 20, 30, 40]
TITLES = {"margin": "Smallest margin", "random": "Random"}


def run(strategy: str, seed: int, accuracy: list[float], auc: list[float] | None = None) -> Run:
    counts = COUNTS[: len(accuracy)]
    return Run(strategy, seed, counts, accuracy, auc, area(counts, accuracy))


def some(margin: float, luck: float, seeds: int = 10) -> list[Run]:
    """Random at 0.6..0.9, margin by so much above it, both moved by luck seed by seed."""
    rng = np.random.default_rng(0)
    found = []
    for seed in range(seeds):
        for strategy, above in (("margin", margin), ("random", 0.0)):
            moved = above + luck * float(rng.normal())
            found.append(run(strategy, seed, [a + moved for a in (0.6, 0.7, 0.8, 0.85)]))
    return found


def test_a_curve_is_the_mean_with_its_standard_error():
    (curve,) = curves([run("margin", 0, [0.5, 0.7]), run("margin", 1, [0.7, 0.8])], "accuracy")
    assert curve.n_labels == [10, 20] and curve.seeds == 2
    assert curve.mean.tolist() == pytest.approx([0.6, 0.75])
    assert curve.error.tolist() == pytest.approx([0.1, 0.05])
    assert band(curve, interval=False).tolist() == pytest.approx([0.1, 0.05])
    assert band(curve, interval=True).tolist() == pytest.approx([1.2706, 0.6353])


def test_one_seed_has_no_band_and_a_missing_auc_no_curve():
    (curve,) = curves([run("margin", 0, [0.5, 0.7])], "accuracy")
    assert curve.error.tolist() == [0, 0]
    assert curves([run("margin", 0, [0.5, 0.7])], "auc") == []


@pytest.mark.parametrize(("number", "factor"), [(2, 12.706), (10, 2.262), (31, 2.042), (99, 1.96)])
def test_the_interval_is_that_of_students_t(number, factor):
    assert student(number) == factor


def test_the_table_tells_what_random_would_have_cost():
    runs = [run("margin", 0, [0.6, 0.8, 0.9, 0.9]), run("random", 0, [0.5, 0.6, 0.7, 0.8])]
    margin, random = rows(runs)
    assert (margin.needed, margin.share) == (20, 0.5)
    assert (random.needed, random.share) == (40, 1.0)
    assert margin.last == 0.9 and margin.aulc == pytest.approx(area(COUNTS, [0.6, 0.8, 0.9, 0.9]))
    assert rows(runs[:1])[0].needed is None
    assert "20 (50%)" in as_text(runs) and "-" in as_text(runs[:1])


def test_the_sentence_says_yes_no_or_that_it_cannot_be_told():
    yes = verdict(some(0.05, 0.01), TITLES)
    assert yes.startswith("Yes: “Smallest margin” was 4.7 ± 0.6") and "in place of 40" in yes
    assert verdict(some(-0.05, 0.01), TITLES).startswith("No: ")
    assert verdict(some(0.01, 0.1), TITLES).startswith("It cannot be told")
    assert verdict(some(0.05, 0.01, seeds=1), TITLES).startswith("One seed is too few")
    assert verdict([run("margin", 0, [0.5])], TITLES) == ""


def test_a_strategy_that_never_gets_there_is_told_so():
    runs = [run("margin", 0, [0.5, 0.6]), run("random", 0, [0.7, 0.8])]
    assert rows(runs)[0].needed == float("inf")
    assert "not reached" in as_text(runs)


def test_only_seeds_that_all_strategies_have_finished_are_compared():
    runs = some(0.1, 0.0, seeds=3)[:-1]
    assert {each.seed for each in whole_seeds(runs, 2)} == {0, 1}


def test_the_figure_holds_a_line_and_a_band_for_each_strategy():
    found = curves(some(0.05, 0.01), "accuracy")
    figure = learning_curves(found, "Accuracy", True, TITLES)
    names = [each.name for each in figure.data if each.name]
    assert names == ["Smallest margin", "Random"] and len(figure.data) == 4
    assert figure.data[3].line.dash == "dash"
    assert learning_curves([], "Accuracy", True, TITLES).data == ()


def test_table_answer_and_json_are_by_the_measure_that_is_asked_for():
    runs = [
        each._replace(balanced_accuracy=[1 - value for value in each.accuracy], macro_f1=[0.5] * 4)
        for each in some(0.05, 0.01)
    ]
    margin, random = rows(runs, "balanced_accuracy")
    assert margin.aulc == pytest.approx(1 - rows(runs)[0].aulc)
    assert random.last == pytest.approx(1 - rows(runs)[1].last)
    said = verdict(runs, TITLES, "balanced_accuracy")
    assert said.startswith("No: even the best, “Smallest margin”, was 4.7 ± 0.6 points worse than ")
    assert "random by balanced accuracy on average" in said
    assert "It cannot be told" in verdict(runs, TITLES, "macro_f1")
    assert as_text(runs, "balanced_accuracy").startswith("By balanced accuracy:\nstrategy")
    told = as_json(runs, "macro_f1")
    assert told["measure"] == "macro_f1" and {each["aulc"] for each in told["runs"]} == {0.5}
    assert measured(runs) == ["accuracy", "balanced_accuracy", "macro_f1"]


def test_runs_of_an_older_version_know_accuracy_alone():
    assert measured(some(0.05, 0.01)) == ["accuracy"]
