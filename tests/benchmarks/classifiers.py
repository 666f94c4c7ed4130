"""What the classifier ``auto`` or ``mean`` gains over plain logistic regression, and what it costs.

On the data sets of strategies.py, in the environment described there:

    PYTHONPATH=. peers/bin/python tests/benchmarks/classifiers.py random --out results
    PYTHONPATH=. peers/bin/python tests/benchmarks/classifiers.py loop --out results

``random``: accuracy on the hold-out after 50, 100 and 200 random labels. ``loop``: accuracy at the
end, and area under the curve, of the query strategy ``auto`` with batches of 10. The
settings of ``auto`` were chosen on seeds 100 to 105; these runs are on others. Finished runs stay
in the folder ``--out``; a second call goes on where the first one ended.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
from strategies import BATCH, BUDGET, NAMES, load

from labeling_core.learning.classifier_choice import choose
from labeling_core.learning.classifiers import (
    DEFAULT_CLASSIFIER,
    PARTS,
    fit,
    predict_probabilities,
    weights_of,
)
from labeling_core.simulation.replay import Plan, simulate, split

SIZES = (50, 100, 200)
FIRST_SEED = 200


def at_random(name: str, seeds: int, classifier: str) -> list[dict]:
    """Accuracy of both after so many random labels; what was chosen, and in how many seconds."""
    X, y = load(name)
    rows = []
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        pool, test = split(y, 0.35, seed)
        for size in (each for each in SIZES if each <= len(pool) // 2):
            labeled = pool[:size]
            begun = time.process_time()
            chosen = choose(classifier, X[labeled], y[labeled], seed).classifier
            seconds = time.process_time() - begun
            accuracy = {}
            for each in dict.fromkeys((DEFAULT_CLASSIFIER, chosen)):
                model = fit(each, X[labeled], y[labeled], seed)
                found = predict_probabilities(model, X[test], int(y.max()) + 1)
                accuracy[each] = float(np.mean(found.argmax(axis=1) == y[test]))
            gain = accuracy[chosen] - accuracy[DEFAULT_CLASSIFIER]
            base = accuracy[DEFAULT_CLASSIFIER]
            rows.append({"size": size, "seed": seed, "chosen": chosen, "base": base,
                         "gain": gain, "seconds": seconds})  # fmt: skip
    return rows


def in_the_loop(name: str, seeds: int, classifier: str) -> list[dict]:
    """Last accuracy and area under the curve of both, on the same hold-outs."""
    X, y = load(name)
    budget = min(BUDGET, len(y) // 3 // BATCH * BATCH)
    both = {
        each: simulate(X, y, Plan(["auto"], BATCH, budget, seeds, each))
        for each in (DEFAULT_CLASSIFIER, classifier)
    }
    return [
        {"size": size, "seed": base.seed, "base": before, "gain": after - before}
        for base, auto in zip(both[DEFAULT_CLASSIFIER], both[classifier], strict=True)
        for size, before, after in (
            ("last", base.accuracy[-1], auto.accuracy[-1]), ("AULC", base.aulc, auto.aulc)
        )
    ]  # fmt: skip


def table(found: dict[str, list[dict]]) -> str:
    """Markdown: points gained on every data set, mean ± standard error over the seeds."""
    sizes = list(dict.fromkeys(row["size"] for rows in found.values() for row in rows))
    lines = ["| data set | " + " | ".join(map(str, sizes)) + " |", "|---" * (len(sizes) + 1) + "|"]
    means: dict = {size: [] for size in sizes}
    for name, rows in found.items():
        cells = [name]
        for size in sizes:
            gains = 100 * np.array([row["gain"] for row in rows if row["size"] == size])
            if len(gains):
                means[size].append(gains.mean())
                cells.append(f"{gains.mean():+.2f} ± {error(gains):.2f}")
            else:
                cells.append("–")
        lines.append("| " + " | ".join(cells) + " |")
    told = [f"{np.mean(each):+.2f} ± {error(np.array(each)):.2f}" for each in means.values()]
    worst = [f"{min(each):+.2f}" for each in means.values()]
    lines += ["| **mean** | " + " | ".join(told) + " |", "| worst | " + " | ".join(worst) + " |"]
    return "\n".join(lines)


def error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("random", "loop"))
    parser.add_argument("--out", type=Path, required=True, help="folder for finished runs")
    parser.add_argument("--classifier", choices=("auto", "mean"), default="auto")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", action="append", choices=NAMES, help="only these data sets")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    measure = at_random if arguments.what == "random" else in_the_loop
    found = {}
    for name in arguments.data or NAMES:
        path = (
            arguments.out
            / f"{arguments.what}, {arguments.classifier}, {name}, {arguments.seeds}.json"
        )
        if not path.exists():
            path.write_text(
                json.dumps(measure(name, arguments.seeds, arguments.classifier)), encoding="utf-8"
            )
        found[name] = json.loads(path.read_text("utf-8"))
        print(name, flush=True)
    print(table(found))
    rows = [row for each in found.values() for row in each if "chosen" in row]
    if rows:
        weights = [weights_of(row["chosen"]) for row in rows]
        if weights[0]:
            print({part: round(float(np.mean([w[part] for w in weights])), 2) for part in PARTS})
        else:
            print(Counter(row["chosen"] for row in rows).most_common())
        seconds = np.array([row["seconds"] for row in rows])
        print(f"choosing: median {np.median(seconds):.2f} s, longest {seconds.max():.2f} s of CPU")


if __name__ == "__main__":
    main()
