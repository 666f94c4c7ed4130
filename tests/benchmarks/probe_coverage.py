"""Does the 95 % interval on the progress page hold the truth in 95 of 100 projects?

    PYTHONPATH=. python tests/benchmarks/probe_coverage.py

Projects with known truth are labeled by it (replayed.py: the real queue, probes and sessions).
After so many labels the accuracy that the program shows, measured on the probes with Wilson's
interval, is compared with the true accuracy on all samples that the model was not trained on, and
on the hold-out alone ("new samples": of the pool the strategy has taken hard ones away); so is what
cross-validation on the very labels that the strategy has chosen claims, with the same interval.
The columns: how often the interval holds the one and the other, how far the estimate is off the
first on average and in absolute terms, and half the interval's width, the last three in points.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from replayed import Plan, Step, replay

from labeling_core.learning import iteration
from labeling_core.learning.evaluation import wilson
from labeling_core.simulation import labeled_data

WINE = Path(__file__).resolve().parents[2] / "data" / "wine_colour" / "answers.csv"


class Guess(NamedTuple):
    """An estimate of the accuracy beside the truth, all 0..1."""

    truth: float
    population: float
    share: float
    low: float
    high: float


def made(classes: int, **more: float) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    def make(seed: int) -> tuple[np.ndarray, np.ndarray]:
        from sklearn.datasets import make_classification

        X, y = make_classification(
            4_000, 20, n_informative=8, n_classes=classes, random_state=seed, **more
        )
        return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32), y

    return make


def digits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y


def wine(seed: int) -> tuple[np.ndarray, np.ndarray]:
    return labeled_data.read_table(WINE, "label")


PROJECTS: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "made, 2 classes, 5 % flipped": made(2, flip_y=0.05, class_sep=1.0),
    "made, 2 classes, rare one": made(2, weights=[0.9], flip_y=0.01, class_sep=1.0),
    "made, 5 classes": made(5, flip_y=0.02, class_sep=1.5),
    "digits": digits,
    "wine colour": wine,
}


def by_probes(step: Step) -> Guess:
    """What the progress page shows."""
    found = step.outcome.evaluation
    assert found.kind == "probes"
    return Guess(step.truth, step.population, *wilson(found.correct, found.evaluated))


def by_cross_validation(step: Step) -> Guess:
    """What is shown without probes: the same task, but nothing to measure on."""
    none = step.task.probes[:0]
    task = step.task._replace(probes=none, probe_codes=none)
    found = iteration.run(task, lambda text, share: None).evaluation
    return Guess(step.truth, step.population, *wilson(found.correct, found.evaluated))


def measured(
    make: Callable[[int], tuple[np.ndarray, np.ndarray]], plan: Plan, seeds: range
) -> Iterator[tuple[Guess, Guess]]:
    """Both estimates at the end of a project, for each seed."""
    for seed in seeds:
        *_, last = replay(*make(seed), plan, seed)
        yield by_probes(last), by_cross_validation(last)


def row(name: str, guesses: list[Guess]) -> str:
    found = np.array(guesses)
    truth, population, share, low, high = found.T
    inside, of_new = (((low <= each) & (each <= high)).mean() for each in (truth, population))
    off = 100 * (share - truth)
    half = 50 * (high - low).mean()
    return (
        f"| {name} | {inside:.1%} | {of_new:.1%} | {off.mean():+.1f} | {abs(off).mean():.1f} "
        f"| {half:.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--labels", type=int, default=300)
    parser.add_argument("--strategy", default="auto")
    arguments = parser.parse_args()
    plan = Plan(strategy=arguments.strategy, budget=arguments.labels)
    runs, probes, crossed = arguments.runs // len(PROJECTS), [], []
    print(
        "| project, estimate | truth in the interval | of new samples | off, mean | off, size "
        "| half width |"
    )
    print("|---" * 6 + "|")
    for name, make in PROJECTS.items():
        pairs = list(measured(make, plan, range(runs)))
        probes += [each for each, _ in pairs]
        crossed += [each for _, each in pairs]
        print(row(f"{name}: probes", probes[-runs:]), flush=True)
        print(row(f"{name}: cross-validation", crossed[-runs:]), flush=True)
    print(row(f"**all {len(probes)}: probes**", probes))
    print(row("**cross-validation**", crossed))


if __name__ == "__main__":
    main()
