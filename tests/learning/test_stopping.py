"""Advice on curves whose end is known."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.learning.measures import pairs
from labeling_core.learning.power_law import ByMeasure, Curve
from labeling_core.learning.stopping import FEWEST_PROBES, Evidence, advise

SESSIONS = 15


def evidence(a=0.1, b=0.05, probes=40, sessions=SESSIONS, changed=None, **more):
    """A project whose error is a + b · (labels / 300)^-0.7, and whose predictions change by
    three times what is gained."""
    labels = 20 * np.arange(1, sessions + 1)
    errors = a + b * (labels / 300) ** -0.7
    order = np.random.default_rng(0).permutation(probes)
    hits = np.array([order >= round(each * probes) for each in errors])
    curve = Curve(labels, probes, hits.sum(axis=1), hits) if probes else None
    if changed is None:
        changed = 3 * (errors - errors[-1])
    known = {"halting": "efficient", "left": 5_000, "every": 20, "probe_share": 0.1}
    kind = "probes" if probes else "cross-validation"
    return Evidence(kind, labels, curve, np.asarray(changed), 1_000, **(known | more))


def test_a_steep_curve_goes_on_with_a_forecast_near_the_truth():
    advice = advise(evidence(b=0.12, probes=400))
    assert advice.verdict == "go on"
    truth = 0.12 * (1 - 2**-0.7)
    assert advice.forecast.doubled.low < truth < advice.forecast.doubled.high
    assert advice.forecast.doubled.share == pytest.approx(truth, abs=0.02)
    needed = 300 * ((1 - 0.01 / 0.12) ** (-1 / 0.7) - 1)
    assert advice.forecast.point[0] == pytest.approx(needed, rel=0.35)
    assert "more labels for +1 point" in advice.reasons[0]
    assert advice.reasons[1].startswith("The last 3 sessions gained ")


def test_no_more_is_forecast_or_asked_for_than_there_are_samples_left():
    now = evidence(b=0.12).labels[-1]
    assert advise(evidence(b=0.12)).forecast.labels[-1] == pytest.approx(2 * now)
    assert advise(evidence(b=0.12, left=30)).forecast.labels[-1] == pytest.approx(now + 30)
    short = evidence()
    short = short._replace(labels=short.labels[:2], changed=short.changed[:2], left=15)
    assert advise(short).reasons[0].endswith("about 40 labels, and only 15 samples are left.")


def test_what_the_last_sessions_gained_is_not_told_as_a_fact_where_probes_cannot_see_it():
    calm, steep = advise(evidence(b=0.001, probes=20)), advise(evidence(b=0.5, probes=2_000))
    assert "cannot be told from nothing" in calm.reasons[1]
    assert "cannot be told" not in steep.reasons[1]


def test_a_curve_at_rest_may_stop_and_says_why():
    advice = advise(evidence(b=0.001))
    assert advice.verdict == "stop"
    assert advice.forecast.at_most < 0.01
    assert "Another whole point is unlikely" in advice.reasons[0]
    assert advice.reasons[2].startswith("Since there were 140 labels, ")


def test_few_probes_that_saw_nothing_do_not_outvote_predictions_that_still_change():
    still = evidence(b=0.001, probes=FEWEST_PROBES, changed=np.linspace(0.4, 0, SESSIONS))
    assert advise(still).verdict == "go on"


def test_a_curve_that_lately_rose_for_sure_goes_on_whatever_the_predictions_say():
    found = evidence(probes=300, changed=np.zeros(SESSIONS))
    hits = found.curve.hits.copy()
    hits[:-1, :150] = False
    hits[-1, :150] = True
    curve = found.curve._replace(hits=hits, correct=hits.sum(axis=1))
    assert advise(found._replace(curve=curve)).verdict == "go on"


@pytest.mark.parametrize(
    ("found", "needed"),
    [
        (evidence(sessions=2), "at least 4 sessions of the same classifier: 2 more, about 40"),
        (evidence(probes=0), "Set a share of probes"),
        (evidence(probes=3), "3 probes measure too little: 5 more are needed, about 50 labels."),
        (evidence(halting="early"), "too few labels of each category"),
    ],
)
def test_what_cannot_be_told_yet_names_what_is_missing(found, needed):
    advice = advise(found)
    assert advice.verdict == "unknown"
    assert advice.forecast is None
    assert needed in advice.reasons[0]


def test_a_test_table_is_judged_without_knowing_each_of_its_rows():
    for b, expected in ((0.2, "go on"), (0.0005, "stop")):
        found = evidence(b=b, probes=1_000)
        table = found._replace(kind="test table", curve=found.curve._replace(hits=None))
        advice = advise(table)
        assert advice.verdict == expected
        assert "measured on 1,000 rows of the test table" in advice.reasons[1]


def test_what_only_a_rare_class_still_gains_is_told_by_a_measure_that_counts_it():
    codes = np.repeat([0, 1], [1_140, 60])
    hits = np.ones((SESSIONS, 1_200), bool)
    for session in range(SESSIONS):  # of the rare ones 8 to 50 are found
        hits[session, 1_140 + 8 + 3 * session :] = False
    labels = 20 * np.arange(1, SESSIONS + 1)
    wrong = np.where(hits, codes, 1 - codes).astype(str)
    found = [pairs(codes.astype(str), each) for each in wrong]
    other = ByMeasure(
        "balanced_accuracy", [each for each, _ in found], np.array([place for _, place in found])
    )
    curve = Curve(labels, 1_200, hits.sum(axis=1), hits)
    changed = (hits != hits[-1]).mean(axis=1) / 3
    plain = evidence()._replace(labels=labels, curve=curve, changed=changed)
    alike = plain._replace(curve=curve._replace(other=other), moved=8 * changed)
    assert advise(plain).verdict == "stop"
    assert advise(alike).verdict == "go on"
    now = [found.forecast.score[found.forecast.past - 1] for found in map(advise, (plain, alike))]
    assert now[0] > 0.95 and 0.7 < now[1] < 0.95  # the fitted curve is by the measure


def test_where_the_measure_of_the_project_is_not_known_it_cannot_be_told():
    advice = advise(evidence(b=0.001)._replace(missing="Macro-F1 takes 5 probes: b (3)."))
    assert (advice.verdict, advice.reasons[0]) == ("unknown", "Macro-F1 takes 5 probes: b (3).")


def test_the_end_of_the_pool_ends_the_forecast():
    steep = evidence(b=0.12, probes=400)
    assert advise(steep._replace(left=0)).verdict == "stop"
    assert advise(steep._replace(left=0)).reasons[0] == "Everything is decided."
    few = advise(steep._replace(left=10))
    assert few.verdict == "stop"
    assert few.reasons[0].startswith("All 10 samples left would gain about 0.")


def test_long_curves_are_thinned_and_keep_their_ends():
    found = evidence(sessions=300, probes=20)
    thin = found.curve.thinned()
    assert len(thin.labels) == 60
    assert thin.labels[[0, -1]].tolist() == [20, 6_000]
    assert thin.hits.sum(axis=1).tolist() == thin.correct.tolist()
    assert found.curve._replace(hits=None).thinned().hits is None


def test_nothing_at_all_is_no_fault():
    nothing = Evidence("", np.zeros(0, np.int64), None, np.zeros(0), 0, "", 0, 20, 0.1)
    assert advise(nothing).verdict == "unknown"


@pytest.mark.parametrize("b", [0.0, 0.001, 0.02, 0.1, 0.4])
@pytest.mark.parametrize("probes", [8, 30, 300])
def test_a_forecast_is_finite_ordered_and_within_bounds(b, probes):
    for sessions in (4, 5, 9, 15):
        found = advise(evidence(b=b, probes=probes, sessions=sessions)).forecast
        low, high = found.doubled.low, found.doubled.high
        assert 0 <= low <= found.doubled.share <= found.at_most <= high
        assert (found.low <= found.score).all()
        assert (found.score <= found.high).all()
        assert (found.high - found.low).min() > 0.5 / probes
        assert (found.high <= 1).all()
        assert np.isfinite(found.score).all()
        assert found.labels[-1] == 2 * found.labels[found.past - 1]
        likely, least, most = found.point
        assert 0 <= least <= likely <= most


def test_a_project_that_began_with_many_labels_waits_until_they_have_grown():
    grown = evidence(b=0.001, changed=np.full(SESSIONS, 0.02))
    imported = grown._replace(labels=grown.labels + 5_000)
    imported = imported._replace(curve=imported.curve._replace(labels=imported.labels))
    assert advise(imported).verdict == "go on"  # 5 % more labels tell nothing of twice as many
