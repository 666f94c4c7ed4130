"""The power law finds what made a curve; intervals are those of the papers."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.learning.measures import pairs
from labeling_core.learning.power_law import ByMeasure, Curve, fit, gained, resampled

LABELS = np.arange(20, 420, 20)


def curve(errors, n=400, hits=None):
    correct = np.round((1 - np.asarray(errors)) * n).astype(np.int64)
    return Curve(LABELS[: len(correct)], n, correct, hits)


@pytest.mark.parametrize(("a", "b", "c"), [(0.05, 0.1, 0.5), (0.0, 0.2, 0.9), (0.1, 0.02, 1.5)])
def test_a_power_law_is_found_again(a, b, c):
    errors = a + b * (LABELS / LABELS[-1]) ** -c
    found = fit(LABELS, errors[None], 10_000)
    assert np.allclose(found.error(LABELS.astype(float))[0], errors, atol=1e-3)
    assert found.gain(400.0)[0] == pytest.approx(b * (1 - 2**-c), abs=2e-3)


def test_a_curve_that_falls_or_stands_still_promises_nothing():
    for errors in (np.full(20, 0.2), np.linspace(0.1, 0.3, 20)):
        found = fit(LABELS, errors[None], 100)
        assert found.b[0] == pytest.approx(0, abs=1e-9)
        assert found.gain(1e6)[0] == pytest.approx(0, abs=1e-9)


def test_no_fit_has_a_negative_error_however_long_one_labels():
    rng = np.random.default_rng(0)
    errors = np.clip(0.3 - 0.0012 * LABELS + 0.05 * rng.normal(size=(50, 20)), 0, 1)
    found = fit(LABELS, errors, 30)
    assert (found.a >= 0).all() and (found.b >= 0).all()
    assert (found.error(np.array([1e9])) >= 0).all()


def test_a_bootstrap_draws_the_same_samples_for_every_session():
    rng = np.random.default_rng(1)
    right = rng.random(60) < 0.8
    hits = np.array([right, right, right])
    drawn = resampled(Curve(LABELS[:3], 60, hits.sum(axis=1), hits))
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert drawn[:, 0].std() == pytest.approx(np.sqrt(0.8 * 0.2 / 60), rel=0.2)


def test_the_paired_gain_knows_less_than_nothing_of_what_no_sample_shows():
    hits = np.ones((4, 50), bool)
    low, high = gained(Curve(LABELS[:4], 50, hits.sum(axis=1), hits), 3)[1:]
    assert -0.05 < low < 0 < high < 0.05
    hits[0, :12] = False
    hits[3, 48:] = False  # 12 got better, 2 got worse
    change, low, high = gained(Curve(LABELS[:4], 50, hits.sum(axis=1), hits), 3)
    assert change == pytest.approx(0.2)
    # Agresti and Min: (12 - 2) / 52 -+ 1.96 sqrt(15 - 100 / 52) / 52
    assert (low, high) == pytest.approx((0.0560, 0.3286), abs=1e-4)


def test_pairs_make_a_narrower_interval_than_two_sessions_by_themselves():
    rng = np.random.default_rng(2)
    hits = np.tile(rng.random(200) < 0.85, (4, 1))
    hits[3, :4] = True
    paired = gained(Curve(LABELS[:4], 200, hits.sum(axis=1), hits), 3)
    single = gained(Curve(LABELS[:4], 200, hits.sum(axis=1), None), 3)
    assert paired.share == pytest.approx(single.share)
    assert paired.high - paired.low < 0.5 * (single.high - single.low)


def by_measure(hits, codes, measure="balanced_accuracy", known=True):
    """A curve of two classes: what a session does not hit it takes for the other one."""
    truth = codes.astype(str)
    found = [pairs(truth, np.where(each, codes, 1 - codes).astype(str)) for each in hits]
    each_pair = np.array([place for _, place in found]) if known else None
    other = ByMeasure(measure, [each for each, _ in found], each_pair)
    return Curve(LABELS[: len(hits)], len(codes), hits.sum(axis=1), hits, other)


def test_a_curve_by_balanced_accuracy_counts_the_rare_class_as_much():
    codes = np.repeat([0, 1], [90, 10])
    hits = np.ones((2, 100), bool)
    hits[0, 90:96] = False  # of 10 rare ones 4 are found, then all but 1
    hits[1, 90] = False
    found = by_measure(hits, codes)
    assert found.errors == pytest.approx([0.3, 0.05])
    assert found.worth == pytest.approx(4 / (1 / 90 + 1 / 10))  # as 36 samples of a share
    assert by_measure(hits, codes, "macro_f1").errors[0] == pytest.approx(
        1 - (2 * 90 / 186 + 2 * 4 / 14) / 2
    )
    assert found.thinned(1).errors == pytest.approx([0.3])
    assert found.thinned(1).other.pairs.shape == (1, 100)


def test_its_bootstrap_is_as_wide_as_the_rare_class_is_uncertain():
    codes = np.repeat([0, 1], [90, 10])
    hits = np.ones((3, 100), bool)
    hits[:, 90:95] = False
    paired, single = (resampled(by_measure(hits, codes, known=each)) for each in (True, False))
    deviation = np.sqrt(0.5 * 0.5 / 10) / 2  # of half the share of ten
    assert paired[:, 0].std() == pytest.approx(deviation, rel=0.15)
    assert (paired[:, 0] == paired[:, 2]).all() and (single[:, 0] != single[:, 2]).any()
    change, low, high = gained(by_measure(hits, codes), 2)
    assert change == 0 and -0.06 < low < -0.05 and 0.05 < high < 0.06  # 1.96 / 36


def test_a_gain_in_the_rare_class_alone_is_seen():
    codes = np.repeat([0, 1], [200, 40])
    hits = np.ones((4, 240), bool)
    hits[0, 200:225] = False
    change, low, high = gained(by_measure(hits, codes), 3)
    assert change == pytest.approx(25 / 40 / 2)
    assert 0.2 < low < change < high < 0.45
