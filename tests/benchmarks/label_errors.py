"""How many of 5 % flipped labels stand in the first 10 % of the Review page's rows?

Beside cleanlab, in the environment of strategies.py and with its data sets:

    peers/bin/pip install cleanlab
    PYTHONPATH=. peers/bin/python tests/benchmarks/label_errors.py --out results

A finished project of up to 500 labels is drawn from each data set, at random or chosen by the
``auto`` strategy in batches of 20; 5 % of the labels are flipped to another class at random.
The ways to rank see the same labels. Finished runs stay in the folder ``--out``.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from strategies import load

from labeling_core import label_quality
from labeling_core.simulation import Plan, _sessions

NAMES = ["australian", "digits", "led7digit", "mnist", "penbased", "pima", "satimage", "segment"]
NAMES += ["spambase", "splice", "tic-tac-toe", "vehicle", "vowel", "wdbc", "wine colour"]
LABELS, FLIPPED, LOOKED_AT = 500, 0.05, 0.1
OURS = "ours"


def finished_project(name: str, seed: int, chosen: bool) -> tuple[np.ndarray, np.ndarray]:
    """Features and true class codes of the labels of a finished project."""
    X, y = load(name)
    rng = np.random.default_rng(seed)
    if chosen:
        plan = Plan(["auto"], 20, min(LABELS, len(y) // 2), 1, "logistic_regression")
        *_, (kept, _, _) = _sessions(X, y, rng.permutation(len(y)), "auto", seed, plan)
    else:
        kept = rng.choice(len(y), min(LABELS, len(y)), replace=False)
    return X[kept], y[kept]


def flip(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The labels with FLIPPED of them wrong, and which ones."""
    rng = np.random.default_rng([seed, 1])
    classes = np.unique(y)
    flipped = np.zeros(len(y), bool)
    flipped[rng.choice(len(y), round(FLIPPED * len(y)), replace=False)] = True
    wrong = np.array([rng.choice(classes[classes != code]) for code in y])
    return np.where(flipped, wrong, y), flipped


def rankings(X: np.ndarray, codes: np.ndarray, seed: int) -> dict[str, tuple[np.ndarray, float]]:
    """Each way's order of the labels, most suspicious first, and its seconds."""
    classes = int(codes.max()) + 1
    began = time.perf_counter()
    found = {OURS: label_quality.examine(X, codes, classes, "logistic_regression", seed).order}
    seconds = {OURS: time.perf_counter() - began}
    parts = {}
    for name in ("logistic_regression", "random_forest"):
        began = time.perf_counter()
        parts[name] = label_quality.out_of_fold(X, codes, classes, name, seed)
        seconds[name] = time.perf_counter() - began
    single = parts["logistic_regression"]
    both = (single + parts["random_forest"]) / 2
    for title, p in (("logistic regression, once", single), ("two classifiers, once", both)):
        quality = label_quality.judge(p, p, codes)
        found[title] = quality.order
        found[f"{title}, likely first"] = np.argsort(~quality.likely[quality.order], kind="stable")
        found[f"{title}, likely first"] = quality.order[found[f"{title}, likely first"]]
        margin = quality.given_probability - quality.suggested_probability
        found[f"{title}, by margin"] = np.argsort(margin, kind="stable")
    found |= peers(single, both, codes)
    once = seconds["logistic_regression"]
    twice = once + seconds["random_forest"]
    return {k: (v, seconds.get(k, twice if "two" in k else once)) for k, v in found.items()}


def peers(single: np.ndarray, both: np.ndarray, codes: np.ndarray) -> dict[str, np.ndarray]:
    """What cleanlab makes of the same probabilities; classes without a label are left out."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    present, packed = np.unique(codes, return_inverse=True)
    found = {}
    for title, p in (("cleanlab", single), ("cleanlab, two classifiers", both)):
        p = np.asarray(p[:, present], dtype=float) + 1e-9
        p /= p.sum(axis=1, keepdims=True)
        for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
            scores = get_label_quality_scores(packed, p, method=method)
            found[f"{title}, {method}"] = np.argsort(scores, kind="stable")
        issues = find_label_issues(packed, p, return_indices_ranked_by="self_confidence", n_jobs=1)
        rest = found[f"{title}, self_confidence"]
        rest = rest[~np.isin(rest, issues)]
        found[f"{title}, issues first"] = np.concatenate([issues, rest])
    return found


def share_found(order: np.ndarray, flipped: np.ndarray) -> float:
    """The share of the flipped labels in the first LOOKED_AT of the rows."""
    return float(flipped[order[: int(np.ceil(LOOKED_AT * len(order)))]].sum() / flipped.sum())


def measure(name: str, seed: int, chosen: bool) -> dict[str, list[float]]:
    X, y = finished_project(name, seed, chosen)
    codes, flipped = flip(y, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ranked = rankings(X, codes, seed)
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
    """Markdown: our share on every data set, ± standard error over the seeds."""
    lines = ["| data set | flips in the first 10 % | cleanlab, self_confidence |", "|---|---|---|"]
    for name, runs in found.items():
        cells = []
        for way in (OURS, "cleanlab, self_confidence"):
            shares = 100 * np.array([run[way][0] for run in runs])
            cells.append(f"{shares.mean():.1f} ± {shares.std(ddof=1) / len(shares) ** 0.5:.1f} %")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for finished runs")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--chosen", action="store_true", help="labels chosen by the auto strategy")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[dict[str, list[float]]]] = {}
    for name in NAMES:
        for seed in range(arguments.seeds):
            path = arguments.out / f"{name}, {seed}{', chosen' if arguments.chosen else ''}.json"
            if not path.exists():
                path.write_text(json.dumps(measure(name, seed, arguments.chosen)))
            found.setdefault(name, []).append(json.loads(path.read_text()))
        print(name, flush=True)
    print(table(found), "", details(found), sep="\n")


if __name__ == "__main__":
    main()
