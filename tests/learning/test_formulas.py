"""The formulas once more by libraries that others have checked; the program does without them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import krippendorff
import numpy as np
import pytest
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from labeling_core.learning import agreement
from labeling_core.learning.evaluation import wilson

ROOT = Path(__file__).parents[2]
FOR_TESTS_ONLY = ("statsmodels", "krippendorff")


def decisions(seed: int, people: int, classes: int, missing: float = 0.0) -> np.ndarray:
    """What people say of 60 samples: mostly the truth, else anything, or nothing."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=(60, 1))
    said = np.where(random.random((60, people)) < 0.7, truth, random.integers(classes, size=(60, people)))  # fmt: skip  # noqa: E501
    return np.where(random.random(said.shape) < missing, agreement.MISSING, said)


def test_wilsons_interval_equals_that_of_statsmodels():
    for number in (1, 2, 7, 50, 1_000, 123_456):
        for hits in {0, 1, number // 3, number // 2, number - 1, number}:
            low, high = proportion_confint(hits, number, alpha=0.05, method="wilson")
            found = wilson(hits, number)
            assert (found.low, found.high) == pytest.approx((low, high), abs=1e-12)
            for z, alpha in ((1.0, 0.31731050786291415), (2.5758293035489004, 0.01)):
                expected = proportion_confint(hits, number, alpha=alpha, method="wilson")
                assert wilson(hits, number, z)[1:] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("people", "classes"), [(2, 2), (3, 4), (6, 5), (14, 10)])
@pytest.mark.parametrize("seed", range(5))
def test_fleiss_kappa_equals_that_of_statsmodels(seed, people, classes):
    codes = decisions(seed, people, classes)
    expected = fleiss_kappa(aggregate_raters(codes)[0], method="fleiss")
    assert agreement.fleiss(codes).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("seed", range(5))
def test_cohens_kappa_equals_that_of_statsmodels(seed, classes):
    codes = decisions(seed, 2, classes)
    expected = cohens_kappa(agreement.confusion(codes, classes)).kappa
    assert agreement.cohen(codes).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("missing", [0.0, 0.2, 0.6])
@pytest.mark.parametrize(("people", "classes"), [(2, 2), (3, 4), (6, 5), (14, 10)])
@pytest.mark.parametrize("seed", range(5))
def test_krippendorffs_alpha_equals_that_of_krippendorff(seed, people, classes, missing):
    codes = decisions(seed, people, classes, missing)
    known = np.where(codes == agreement.MISSING, np.nan, codes).T
    expected = krippendorff.alpha(known, level_of_measurement="nominal")
    assert agreement.krippendorff(codes).value == pytest.approx(expected, abs=1e-12)


def test_the_program_never_imports_what_only_tests_need():
    code = (
        "import importlib, pkgutil, sys, labeling_core\n"
        "for each in pkgutil.walk_packages(labeling_core.__path__, 'labeling_core.'):\n"
        "    importlib.import_module(each.name)\n"
        f"print([each for each in {FOR_TESTS_ONLY} if each in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=ROOT, check=True
    )
    assert found.stdout.strip() == "[]"
    for path in (*ROOT.glob("labeling_core/**/*.py"), *ROOT.glob("pages/**/*.py")):
        for name in FOR_TESTS_ONLY:  # none imported later, inside a function
            assert not re.search(rf"^\s*(import|from) {name}\b", path.read_text("utf-8"), re.M)
    assert not set(FOR_TESTS_ONLY) & set((ROOT / "requirements.txt").read_text("utf-8").split())
