"""How many of 5 % flipped labels stand in the first 10 % of the Review page's rows?

Beside cleanlab, in the environment of strategies.py and with its data sets:

    peers/bin/pip install cleanlab
    PYTHONPATH=. peers/bin/python tests/benchmarks/label_errors.py --out results
    PYTHONPATH=. peers/bin/python tests/benchmarks/label_errors.py --out results --chosen

Labels drawn at random: up to 500 of each data set, then 5 % of them are flipped to another class
at random. ``--chosen``: a project as it is finished in practice, of up to 500 labels or half of
the rows: a tenth are probes, the others were asked for by ``auto`` in batches of 20, and whoever
labels errs on 5 % of the samples as they come, so that the sessions learn from the errors, too.
The ways to rank see the same labels. The ceiling is the ranking by models that learned from the
true labels of all other rows (up to 6,000). Finished runs stay in the folder ``--out``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from datasets import load

from labeling_core.learning import label_quality
from labeling_core.learning.classifier_choice import choose
from labeling_core.learning.classifiers import DEFAULT_CLASSIFIER
from labeling_core.learning.out_of_fold import out_of_fold
from labeling_core.simulation.replay import Plan, sessions

NAMES = ["australian", "digits", "led7digit", "mnist", "penbased", "pima", "satimage", "segment"]
NAMES += ["spambase", "splice", "tic-tac-toe", "vehicle", "vowel", "wdbc", "wine colour"]
LABELS, FLIPPED, LOOKED_AT = 500, 0.05, 0.1
PROBES = 0.1  # as Settings.probe_share
OURS, CEILING = "ours", "all true labels known (the ceiling)"


def flip(y: np.ndarray, seed: int) -> np.ndarray:
    """The labels with FLIPPED of them wrong."""
    rng = np.random.default_rng([seed, 1])
    classes = np.unique(y)
    flipped = np.zeros(len(y), bool)
    flipped[rng.choice(len(y), round(FLIPPED * len(y)), replace=False)] = True
    wrong = np.array([rng.choice(classes[classes != code]) for code in y])
    return np.where(flipped, wrong, y)


def drawn(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows were labeled, and the class codes given to them: drawn at random."""
    kept = np.random.default_rng(seed).choice(len(y), min(LABELS, len(y)), replace=False)
    return kept, flip(y[kept], seed)


def finished_project(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows were labeled, and the class codes given to them: probes, and chosen."""
    order = np.random.default_rng(seed).permutation(len(y))
    labels = min(LABELS, len(y) // 2)
    probes = round(PROBES * labels)
    given = flip(y, seed)
    plan = Plan(["auto"], 20, labels - probes, 1, DEFAULT_CLASSIFIER)
    *_, (chosen, _, _) = sessions(X, given, order[probes:], "auto", seed, plan)
    kept = np.concatenate([order[:probes], chosen])
    return kept, given[kept]


@cache
def ceiling(name: str) -> np.ndarray:
    """Class probabilities of all rows by models that know the true labels of the others."""
    X, y = load(name)
    classes = int(y.max()) + 1
    names = label_quality.panel(DEFAULT_CLASSIFIER)
    return np.mean([label_quality.unseen(X, y, classes, each, 0) for each in names], axis=0)


def rankings(X: np.ndarray, codes: np.ndarray, seed: int) -> dict[str, tuple[np.ndarray, float]]:
    """Each way's order of the labels, most suspicious first, and its seconds."""
    classes = int(codes.max()) + 1
    began = time.perf_counter()
    chosen = choose(DEFAULT_CLASSIFIER, X, codes, seed).classifier
    ours = label_quality.examine(X, codes, classes, chosen, seed).order
    found = {OURS: (ours, time.perf_counter() - began)}
    ways = {"logistic regression": out_of_fold, "random forest": label_quality.unseen}
    for title, way in ways.items():
        began = time.perf_counter()
        p = way(X, codes, classes, title.replace(" ", "_"), seed)
        seconds = time.perf_counter() - began
        found |= {f"{k}, {title}": (v, seconds) for k, v in peers(p, codes).items()}
    return found


def peers(p: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
    """What cleanlab makes of probabilities; classes without a label are left out."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    present, packed = np.unique(codes, return_inverse=True)
    p = np.asarray(p[:, present], dtype=float) + 1e-9
    p /= p.sum(axis=1, keepdims=True)
    found = {}
    for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
        scores = get_label_quality_scores(packed, p, method=method)
        found[f"cleanlab, {method}"] = np.argsort(scores, kind="stable")
    issues = find_label_issues(packed, p, return_indices_ranked_by="self_confidence", n_jobs=1)
    rest = found["cleanlab, self_confidence"]
    found["cleanlab, issues first"] = np.concatenate([issues, rest[~np.isin(rest, issues)]])
    return found


def share_found(order: np.ndarray, flipped: np.ndarray) -> float:
    """The share of the flipped labels in the first LOOKED_AT of the rows."""
    return float(flipped[order[: int(np.ceil(LOOKED_AT * len(order)))]].sum() / flipped.sum())


def measure(name: str, seed: int, chosen: bool) -> dict[str, list[float]]:
    X, y = load(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept, codes = finished_project(X, y, seed) if chosen else drawn(y, seed)
        ranked = rankings(X[kept], codes, seed)
        known = ceiling(name)[kept, codes]
    ranked[CEILING] = np.argsort(known, kind="stable"), 0.0
    flipped = codes != y[kept]
    return {way: [share_found(order, flipped), secs] for way, (order, secs) in ranked.items()}


def table(found: dict[str, list[dict[str, list[float]]]]) -> str:
    """Markdown: mean share over the data sets ± standard error over them, the worst set, sets
    above 60 %, seconds."""
    ways = next(iter(found.values()))[0]
    lines = ["| ranking | flips in the first 10 % | worst set | sets ≥ 60 % | s |"]
    lines.append("|---|---|---|---|---|")
    rows = []
    for way in ways:
        means = np.array([np.mean([run[way][0] for run in runs]) for runs in found.values()])
        seconds = np.median([run[way][1] for runs in found.values() for run in runs])
        error = 100 * means.std(ddof=1) / len(means) ** 0.5
        row = f"| {way} | {100 * means.mean():.1f} ± {error:.1f} % | {100 * means.min():.0f} % "
        row += f"| {(means >= 0.6).sum()}/{len(means)} | {seconds:.2f} |"
        rows.append((means.mean(), row))
    return "\n".join(lines + [row for _, row in sorted(rows, reverse=True)])


def details(found: dict[str, list[dict[str, list[float]]]]) -> str:
    """Markdown: shares found on every data set, ± standard error over the seeds."""
    shown = [OURS, *(way for way in next(iter(found.values()))[0] if "self_confidence" in way)]
    shown.append(CEILING)
    lines = [f"| data set | {' | '.join(shown)} |", "|---" * (len(shown) + 1) + "|"]
    for name, runs in found.items():
        cells = []
        for way in shown:
            shares = 100 * np.array([run[way][0] for run in runs])
            cells.append(f"{shares.mean():.1f} ± {shares.std(ddof=1) / len(shares) ** 0.5:.1f} %")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for finished runs")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--chosen", action="store_true", help="a project of auto and probes")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[dict[str, list[float]]]] = {}
    for name in NAMES:
        for seed in range(arguments.seeds):
            path = arguments.out / f"{name}, {seed}{', chosen' if arguments.chosen else ''}.json"
            if not path.exists():
                path.write_text(json.dumps(measure(name, seed, arguments.chosen)), encoding="utf-8")
            found.setdefault(name, []).append(json.loads(path.read_text("utf-8")))
        print(name, flush=True)
    print(table(found), "", details(found), sep="\n")


if __name__ == "__main__":
    main()
