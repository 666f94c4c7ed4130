"""Is labeling still efficient? The bar in the deck, from what every session leaves in its row.

As in the later versions of the Dataiku labeling plugin: the samples asked for are compared with a
random draw, and labeling may be stopped when contradictions or AUC have come to rest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.stopping import Advice
from labeling_core.learning.strategies import STRATEGIES

SIGNIFICANT = 1.6448536269514722  # of the standard normal: one-sided, 95 %
SURE = 0.95  # a model that gives its prediction so much is certain of it
EARLY = 5  # labels per category before the model's doubts mean much
RESTING, RESTS, ENOUGH = 0.01, 3, 30  # moved less, for so many sessions, measured on so many
WORDS = {
    "early": "Too early",
    "efficient": "Efficient",
    "doubtful": "Like random",
    "certain": "Not efficient",
}
SENTENCES = {
    "early": "The model has seen too few labels of each category to be judged by its doubts.",
    "efficient": "The samples you get are clearly more uncertain than a random draw.",
    "doubtful": "The samples you get are not significantly more uncertain than a random draw.",
    "certain": "The model is certain even of the samples it asks for.",
}


class Draw(NamedTuple):
    """Uncertainty (0..1) of the next ``asked`` samples beside the whole pool they come from."""

    asked: int
    asked_mean: float
    pool: int
    pool_mean: float
    pool_std: float


class Halting(NamedTuple):
    """``state``: a key of WORDS; ``share``: 1 efficient .. 0 not at all, a third for each state
    (None when it is too early); ``resting``: what has stopped moving, "" while nothing has."""

    state: str
    share: float | None
    resting: str


def measure(uncertainty: NDArray[np.floating], batch: int) -> Draw:
    """The draw of the first ``batch`` samples; ``uncertainty`` is in the order of asking."""
    if not len(uncertainty):
        return Draw(0, 0.0, 0, 0.0, 0.0)
    first = uncertainty[:batch]
    return Draw(
        len(first),
        float(first.mean()),
        len(uncertainty),
        float(uncertainty.mean()),
        float(uncertainty.std()),
    )


def z_score(draw: Draw) -> float:
    """How far the batch's mean lies above that of a random draw of as many, in standard errors
    (sampling without replacement; 0 where nothing is left to choose among)."""
    left = (draw.pool - draw.asked) / max(draw.pool - 1, 1)
    error = draw.pool_std * np.sqrt(left / max(draw.asked, 1))
    return float((draw.asked_mean - draw.pool_mean) / error) if error > 0 else 0.0


def state(draw: Draw, strategy: str, classes: int, labels: int) -> tuple[str, float | None]:
    """A key of WORDS, and how far it is from efficient (1) to not efficient (0)."""
    sure = np.zeros((1, max(classes, 2)))
    sure[0, :2] = SURE, 1 - SURE
    certain = float(STRATEGIES[strategy].score(sure)[0])
    z = z_score(draw)
    if draw.asked_mean < certain and labels >= EARLY * classes:
        return "certain", draw.asked_mean / certain / 3
    if z > SIGNIFICANT:
        return "efficient", (2 + (draw.asked_mean - draw.pool_mean) / (1 - draw.pool_mean)) / 3
    if labels < EARLY * classes:
        return "early", None
    return "doubtful", (1 + max(z, 0.0) / SIGNIFICANT) / 3


def at_rest(values: Sequence[float | None], numbers: Sequence[int]) -> bool:
    """Whether the last RESTS moves were all below RESTING; each value measured on ``numbers``."""
    if len(values) <= RESTS or min(numbers[-RESTS - 1 :]) < ENOUGH:
        return False
    last = [np.nan if each is None else each for each in values[-RESTS - 1 :]]
    return bool(np.all(np.abs(np.diff(last)) < RESTING))


def read(cursor: duckdb.DuckDBPyConnection, project_id: str) -> Halting | None:
    """The state after the last finished session; None before it, and for one of an older version
    of the program or of a newer one's strategy."""
    rows = cursor.execute(
        "SELECT strategy, labels, classes, asked, asked_uncertainty, pool, pool_uncertainty, "
        "pool_spread, changed, compared, evaluation, evaluated, auc FROM labeling.sessions "
        "WHERE project_id = ? AND state = 'DONE' ORDER BY session_id DESC LIMIT ?",
        [project_id, RESTS + 1],
    ).fetchall()[::-1]
    if not rows or rows[-1][3] is None or rows[-1][0] not in STRATEGIES:
        return None
    strategy, labels, classes = rows[-1][:3]
    draw = Draw(*rows[-1][3:8])
    changed = [each[8] / each[9] if each[9] else None for each in rows]
    resting = []
    if at_rest(changed, [each[9] or 0 for each in rows]):
        resting.append("contradictions")
    alike = len({each[10] for each in rows}) == 1  # measured on probes all along, say
    if alike and at_rest([each[12] for each in rows], [each[11] or 0 for each in rows]):
        resting.append("AUC")
    found = state(draw, strategy, len(json.loads(classes)), labels)
    return Halting(*found, " and ".join(resting))


def describe(
    halting: Halting, advice: Advice | None = None, measure: str = "accuracy"
) -> dict[str, Any]:
    """A state as the deck shows it: a word beside the bar, and sentences behind it.

    ``advice`` is that of Session progress: what has come to rest may be stopped unless it says
    that labels would still gain; by another ``measure`` than accuracy, unless it cannot tell: what
    rests may be the common categories alone.
    """
    holds = ("go on",) if measure == "accuracy" else ("go on", "unknown")
    word, text = WORDS[halting.state], SENTENCES[halting.state]
    if halting.resting:
        moved = f"{halting.resting} moved less than {RESTING} for {RESTS} sessions"
        if advice is not None and advice.verdict in holds:
            text += (
                f" {moved[0].upper()}{moved[1:]}: by that alone labeling may be stopped. But: "
                f"{advice.reasons[0]}"
            )
        else:
            word = "May be stopped"
            text += f" Labeling may be stopped: {moved}; see Session progress."
    return {"state": halting.state, "share": halting.share, "word": word, "text": text}
