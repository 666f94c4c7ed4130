"""What the runs of a simulation say: mean curves with bands, a table, one sentence. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.measures import MEASURES
from labeling_core.simulation.replay import Run, area, labels_needed

BASELINE = "random"
# Two-sided 95 % points of Student's t at 1..30 degrees of freedom, then the normal one.
_T95 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


class Curve(NamedTuple):
    """The mean over the seeds at each label count, and its standard error (0 with one seed)."""

    strategy: str
    n_labels: list[int]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    seeds: int


class Row(NamedTuple):
    """A line of the table, by one measure: ``aulc`` and the ``last`` score; ``needed`` labels to
    reach random's last one (infinite: never).

    ``share`` is ``needed`` as a share of random's labels, None where random was not replayed.
    """

    strategy: str
    aulc: float
    aulc_error: float
    last: float
    last_error: float
    needed: float | None
    share: float | None


def whole_seeds(runs: Sequence[Run], strategies: int) -> list[Run]:
    """The runs of those seeds that every strategy has finished, so that like meets like."""
    seeds = [run.seed for run in runs]
    return [run for run in runs if seeds.count(run.seed) == strategies]


def curves(runs: Sequence[Run], measure: str) -> list[Curve]:
    """One curve per strategy; of label counts that not every seed reached, none."""
    found = []
    for strategy in dict.fromkeys(run.strategy for run in runs):
        own = [run for run in runs if run.strategy == strategy]
        values = [getattr(run, measure) for run in own]
        if None in values:
            continue
        length = min(len(each) for each in values)
        table = np.array([each[:length] for each in values])
        found.append(
            Curve(
                strategy, own[0].n_labels[:length], table.mean(axis=0), _errors(table), len(table)
            )
        )
    return found


def band(curve: Curve, interval: bool) -> NDArray[np.float64]:
    """Half the width of the band: one standard error, or the 95 % interval (Student's t)."""
    return curve.error * (student(curve.seeds) if interval else 1.0)


def student(number: int) -> float:
    """Half width of the 95 % interval of a mean of ``number`` values, in standard errors."""
    return _T95[min(number - 2, len(_T95) - 1)] if 2 <= number <= 60 else 1.96


def _errors(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard error of the mean of each column."""
    if len(table) < 2:
        return np.zeros(table.shape[1])
    return table.std(axis=0, ddof=1) / np.sqrt(len(table))


def measured(runs: Sequence[Run]) -> list[str]:
    """Those of MEASURES that all runs have: of versions before 0.3.0 accuracy alone."""
    return [name for name in MEASURES if all(getattr(run, name) for run in runs)]


def aulc(run: Run, measure: str) -> float:
    """The area under a run's curve by one of MEASURES, 0..1."""
    return area(run.n_labels, getattr(run, measure))


def rows(runs: Sequence[Run], measure: str = "accuracy") -> list[Row]:
    """The table by one of MEASURES, in the order of the strategies."""
    by_strategy = {each.strategy: each for each in curves(runs, measure)}
    base = by_strategy.get(BASELINE)
    found = []
    for name, curve in by_strategy.items():
        areas = np.array([[aulc(run, measure)] for run in runs if run.strategy == name])
        needed = share = None
        if base is not None:
            needed = labels_needed(curve.n_labels, curve.mean.tolist(), float(base.mean[-1]))
            share = needed / base.n_labels[-1]
        found.append(
            Row(
                name,
                float(areas.mean()),
                float(_errors(areas)[0]),
                float(curve.mean[-1]),
                float(curve.error[-1]),
                needed,
                share,
            )
        )
    return found


def gain(runs: Sequence[Run], strategy: str, measure: str = "accuracy") -> tuple[float, float]:
    """Area over random's, seed by seed: the mean difference and its standard error."""
    own = {run.seed: aulc(run, measure) for run in runs if run.strategy == strategy}
    base = {run.seed: aulc(run, measure) for run in runs if run.strategy == BASELINE}
    differences = np.array([[own[seed] - base[seed]] for seed in own if seed in base])
    return float(differences.mean()), float(_errors(differences)[0])


def verdict(runs: Sequence[Run], titles: dict[str, str], measure: str = "accuracy") -> str:
    """Whether active learning would have helped, in one sentence; empty without a comparison.

    It helped if the best strategy's area lies above random's by more than its 95 % interval.
    """
    table = {row.strategy: row for row in rows(runs, measure)}
    others = [name for name in table if name != BASELINE]
    if BASELINE not in table or not others:
        return ""
    best = max(others, key=lambda name: table[name].aulc)
    points, error = gain(runs, best, measure)
    by = "" if measure == "accuracy" else f" by {MEASURES[measure]}"
    more, less = ("better", "worse") if by else ("more accurate", "less accurate")
    seeds = sum(run.strategy == best for run in runs)
    half = student(seeds) * error
    title = titles.get(best, best)
    difference = f"{100 * abs(points):.1f} ± {100 * half:.1f} points"
    if seeds < 2:
        return "One seed is too few for an answer: repeat it with several."
    if points - half > 0:
        saved = _saved(table[best], table[BASELINE], MEASURES[measure])
        return f"Yes: “{title}” was {difference} {more} than random{by} on average{saved}."
    if points + half < 0:
        return f"No: even the best, “{title}”, was {difference} {less} than random{by} on average."
    return (
        f"It cannot be told: “{title}” was {difference} {more if points >= 0 else less} than "
        f"random{by} on average, which may be luck."
    )


def _saved(best: Row, base: Row, measure: str) -> str:
    if best.needed is None or best.share is None or not np.isfinite(best.needed):
        return ""
    return (
        f", and reached random’s final {measure} of {base.last:.1%} with {best.needed:.0f} labels "
        f"in place of {best.needed / best.share:.0f}"
    )


def as_json(runs: Sequence[Run], measure: str = "accuracy") -> dict[str, Any]:
    """The form of the command line: what `simulate --json` prints; ``aulc`` is by the measure."""
    told = [run._asdict() | {"aulc": aulc(run, measure)} for run in runs]
    return {"measure": measure, "runs": told}


def as_text(runs: Sequence[Run], measure: str = "accuracy") -> str:
    """The table by one of MEASURES, for a terminal."""
    lines = [f"{'strategy':<12}{'AULC':>16}{'last':>8}{'labels to reach random':>25}"]
    if measure != "accuracy":
        lines.insert(0, f"By {MEASURES[measure]}:")
    for row in rows(runs, measure):
        area = f"{row.aulc:.3f} ± {row.aulc_error:.3f}"
        lines.append(f"{row.strategy:<12}{area:>16}{row.last:>8.3f}{_needed(row):>25}")
    return "\n".join(lines)


def _needed(row: Row) -> str:
    if row.needed is None or row.share is None:
        return "-"
    return f"{row.needed:.0f} ({row.share:.0%})" if np.isfinite(row.needed) else "not reached"
