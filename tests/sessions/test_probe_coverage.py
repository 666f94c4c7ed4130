"""A small run of the benchmarks of probes and of stopping: the real loop against the truth."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from labeling_core.learning import stopping


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch):
    """Import a script of tests/benchmarks, for this test only: the names are no package's."""
    folder = Path(__file__).parents[1] / "benchmarks"
    monkeypatch.syspath_prepend(str(folder))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in {each.stem for each in folder.glob("*.py")} & {*sys.modules}:
        del sys.modules[name]


def test_probes_hold_the_truth_where_cross_validation_on_queried_labels_does_not(benchmark):
    coverage, replayed = benchmark("probe_coverage"), benchmark("replayed")
    plan = replayed.Plan(
        strategy="margin", every=50, budget=150, probe_share=0.2, classifier="logistic_regression"
    )
    pairs: list = []
    with threadpool_limits(1):  # tiny fits: threads only get in each other's way
        for name in ("made, 2 classes, 5 % flipped", "made, 2 classes, rare one"):
            pairs += coverage.measured(coverage.PROJECTS[name], plan, range(8))
    probes, crossed = (
        np.mean([each.low <= each.truth <= each.high for each in side])
        for side in zip(*pairs, strict=True)
    )
    assert probes >= 13 / 16
    assert crossed <= 4 / 16


def test_the_advice_stops_on_the_loops_own_evidence_once_nothing_is_gained(benchmark):
    coverage, replayed = benchmark("probe_coverage"), benchmark("replayed")
    plan = replayed.Plan(budget=200, classifier="logistic_regression")
    steps, verdicts = [], []
    for step in replayed.replay(*coverage.wine(0), plan, 0):
        steps.append(step)
        verdicts.append(stopping.advise(replayed.evidence_of(steps, plan)).verdict)
    assert verdicts[0] == "unknown"
    assert verdicts[-1] == "stop"
    at = verdicts.index("stop")
    assert steps[-1].population - steps[at].population < 0.01
