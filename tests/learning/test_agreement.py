"""Agreement between people equals what the literature works out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from labeling_core.learning import agreement
from labeling_core.learning.agreement import MISSING


def from_table(table: list[list[int]]) -> np.ndarray:
    """Pairs of decisions from a table of how often class i met class j."""
    return np.array([(i, j) for i, row in enumerate(table) for j in range(len(row))]).repeat(
        np.ravel(table), axis=0
    )


def from_counts(counts: list[list[int]]) -> np.ndarray:
    """Decisions of unnamed people from how many of them chose each class."""
    return np.array([np.arange(len(row)).repeat(row) for row in counts])


def from_lines(*lines: str) -> np.ndarray:
    """Decisions written as one line a person, one sign a sample; a dot where there is none."""
    signs = sorted(set("".join(lines)) - {".", " "})
    rows = [[signs.index(c) if c in signs else MISSING for c in line.split()] for line in lines]
    return np.array(rows).T


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # J. Cohen, Educational and Psychological Measurement 20 (1960), p. 45, N = 200
        ([[88, 14, 18], [10, 40, 10], [2, 6, 12]], 0.492),
        # ibidem, table 1, as frequencies of 100: agreement below chance
        ([[25, 13, 12], [12, 2, 16], [3, 15, 2]], -0.092),
        # the 2 x 2 examples of Wikipedia, "Cohen's kappa": 50 proposals; the same p_o, two kappas
        ([[20, 5], [10, 15]], 0.400),
        ([[45, 15], [25, 15]], 0.130),
        ([[25, 35], [5, 35]], 0.259),
    ],
)
def test_cohens_kappa_equals_published_examples(table, kappa):
    found = agreement.cohen(from_table(table))
    assert found.value == pytest.approx(kappa, abs=5e-4)
    assert found.low < kappa < found.high


# The worked example of Wikipedia, "Fleiss' kappa": 10 subjects, 14 raters, 5 categories.
FOURTEEN_RATERS = [
    [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
]  # fmt: skip
# J. L. Fleiss, Psychological Bulletin 76 (1971), table 1: 30 patients, 6 psychiatrists each;
# depression, personality disorder, schizophrenia, neurosis, other.
PSYCHIATRISTS = [
    [0, 0, 0, 6, 0], [0, 3, 0, 0, 3], [0, 1, 4, 0, 1], [0, 0, 0, 0, 6], [0, 3, 0, 3, 0],
    [2, 0, 4, 0, 0], [0, 0, 4, 0, 2], [2, 0, 3, 1, 0], [2, 0, 0, 4, 0], [0, 0, 0, 0, 6],
    [1, 0, 0, 5, 0], [1, 1, 0, 4, 0], [0, 3, 3, 0, 0], [1, 0, 0, 5, 0], [0, 2, 0, 3, 1],
    [0, 0, 5, 0, 1], [3, 0, 0, 1, 2], [5, 1, 0, 0, 0], [0, 2, 0, 4, 0], [1, 0, 2, 0, 3],
    [0, 0, 0, 0, 6], [0, 1, 0, 5, 0], [0, 2, 0, 1, 3], [2, 0, 0, 4, 0], [1, 0, 0, 4, 1],
    [0, 5, 0, 1, 0], [4, 0, 0, 0, 2], [0, 2, 0, 4, 0], [1, 0, 5, 0, 0], [0, 0, 0, 0, 6],
]  # fmt: skip


@pytest.mark.parametrize(("counts", "kappa"), [(FOURTEEN_RATERS, 0.210), (PSYCHIATRISTS, 0.430)])
def test_fleiss_kappa_equals_published_examples(counts, kappa):
    assert agreement.fleiss(from_counts(counts)).value == pytest.approx(kappa, abs=5e-4)


@pytest.mark.parametrize(
    ("lines", "alpha"),
    [
        # K. Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011), section A: binary
        # data, Meg and Owen
        (("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"), 0.095),
        # section B: nominal data, Ben and Gerry
        (("a a b b d c c c e d d a", "b a b b b c c c e d d d"), 0.692),
        # section C: four observers, twelve units, decisions missing
        (
            (
                "1 2 3 3 2 1 4 1 2 . . .",
                "1 2 3 3 2 2 4 1 2 5 . 3",
                ". 3 3 3 2 3 4 2 2 5 1 .",
                "1 2 3 3 2 4 4 1 2 5 1 .",
            ),
            0.743,
        ),
        # Wikipedia, "Krippendorff's alpha", the computational example: three coders, 15 units
        (
            (
                ". . . . . 3 4 1 2 1 1 3 3 . 3",
                "1 . 2 1 3 3 4 3 . . . . . . .",
                ". . 2 1 3 4 4 . 2 1 1 3 3 . 4",
            ),
            0.691,
        ),
    ],
)
def test_krippendorffs_alpha_equals_published_examples(lines, alpha):
    found = agreement.krippendorff(from_lines(*lines))
    assert found.value == pytest.approx(alpha, abs=5e-4)


def test_raw_agreement_is_the_share_of_agreeing_pairs():
    codes = from_lines("a a b .", "a b b a", "a b . .")
    assert agreement.raw(codes).value == pytest.approx(5 / 7)  # three, one of three, one, none


def test_alpha_of_two_people_without_gaps_comes_close_to_cohens_kappa_and_fleiss():
    rng = np.random.default_rng(0)
    first = rng.integers(3, size=5_000)
    second = np.where(rng.random(5_000) < 0.8, first, rng.integers(3, size=5_000))
    codes = np.stack([first, second], axis=1)
    values = [each(codes).value for each in (agreement.cohen, agreement.fleiss,
                                             agreement.krippendorff)]  # fmt: skip
    assert max(values) - min(values) < 0.001


def test_the_interval_covers_the_true_value_in_about_95_of_100_draws():
    covered = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        first = rng.integers(2, size=150)
        second = np.where(rng.random(150) < 0.6, first, rng.integers(2, size=150))
        found = agreement.krippendorff(np.stack([first, second], axis=1))
        covered += found.low < 0.6 < found.high  # agreement .8 with .5 by chance
    assert 180 <= covered <= 199


@pytest.mark.parametrize("what", ["raw", "cohen", "fleiss", "krippendorff"])
@pytest.mark.parametrize(
    ("lines", "defined"),
    [
        (("a a a . . .", ". . . b b b"), False),  # nobody decided on the same sample
        ((". .", ". ."), False),
        (("a a a a", "a a a a"), None),  # one category only: agreement by chance is certain
    ],
)
def test_what_is_not_defined_is_none_and_never_an_error(what, lines, defined):
    found = getattr(agreement, what)(from_lines(*lines))
    expected = 1.0 if what == "raw" and defined is None else None
    assert found == (expected, None, None)


def test_perfect_agreement_is_one_and_few_samples_have_no_interval():
    codes = from_lines("a b a b", "a b a b")
    for each in (agreement.cohen, agreement.fleiss, agreement.krippendorff):
        assert each(codes) == (1.0, None, None)


def test_fleiss_takes_the_samples_that_as_many_people_decided():
    codes = from_lines("a b a b a", "a b a b b", "a b a b .")
    assert agreement.fleiss(codes).value == 1.0


def test_the_confusion_counts_what_both_decided():
    codes = from_lines("a a b . b", "a b b b .")
    assert agreement.confusion(codes, 3).tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
