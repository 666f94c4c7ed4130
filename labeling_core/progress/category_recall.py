"""How well the newest model knows each category, and which ones it has hardly seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning.evaluation import ENOUGH, Interval, wilson
from labeling_core.learning.measures import MEASURES, few, interval, taken
from labeling_core.progress import learning_curve, stored_models
from labeling_core.progress.efficiency import EARLY
from labeling_core.projects.labels import below
from labeling_core.settings import Project


class Recall(NamedTuple):
    """Of the ``probes`` of a category, how many the newest model finds (``share``, 0..1).

    ``taken_for`` is what it takes most of the others for, ``times`` so often; "" and 0 without.
    """

    category: str
    probes: int
    share: Interval
    taken_for: str
    times: int


class Judged(NamedTuple):
    """Of each probe that measures the newest model the category (``truth`` [n]), and the one that
    the model says (``predicted`` [n])."""

    truth: NDArray[np.str_]
    predicted: NDArray[np.str_]


def judged(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> Judged:
    """What the newest model says of the probes; empty where none measure."""
    probes = learning_curve.probes(cursor, project, queue)
    newest = cursor.execute(
        "SELECT max(session_id) FROM labeling.sessions WHERE project_id = ? AND state = 'DONE'",
        [project.project_id],
    ).fetchone()
    if probes is None or newest is None or newest[0] is None:
        return Judged(np.array([], str), np.array([], str))
    [(names, found)], limit = stored_models.kept_models(cursor, project, newest)
    return Judged(*stored_models.answers(names, found, project, below(probes, limit)))


def recalls(found: Judged, categories: Sequence[str]) -> list[Recall]:
    """For each of the ``categories`` that has probes, in their order."""
    truth, predicted = found
    return [_recall(name, predicted[truth == name]) for name in categories if name in truth]


def by_category(found: Judged, categories: Sequence[str]) -> str:
    """What the newest model reaches where every category counts alike, in a sentence with 95 %
    intervals, or what is missing to tell it; "" where no probes measure. Which of ``categories``
    no probe is of is said as well."""
    truth, predicted = found
    if not len(truth):
        return ""
    counted = taken(truth, predicted)
    hardly = [f"{name} ({number})" for name, number in few(counted)]
    if hardly or len(np.unique(truth)) < 2:
        missing = f": {', '.join(hardly)}" if hardly else ""
        return (
            "Balanced accuracy and macro-F1, by which rare categories count as much as common "
            f"ones, take probes of two categories and {ENOUGH} of each that has any{missing}."
        )
    told = []
    for name in ("balanced_accuracy", "macro_f1"):
        share, low, high = interval(name, counted)
        told.append(f"{MEASURES[name]} {share:.1%} ({low:.1%} – {high:.1%})")
    unseen = [name for name in categories if name not in truth]
    left = f" No probe is of {', '.join(unseen)}: not counted." if unseen else ""
    return (
        f"With every category counting alike: {', '.join(told)}; 95 % intervals of "
        f"{len(truth):,} probes.{left}"
    )


def _recall(name: str, predicted: np.ndarray) -> Recall:
    others, times = np.unique(predicted[predicted != name], return_counts=True)
    most = int(times.argmax()) if len(times) else None
    return Recall(
        name,
        len(predicted),
        wilson(int((predicted == name).sum()), len(predicted)),
        "" if most is None else str(others[most]),
        0 if most is None else int(times[most]),
    )


def hardly_known(project: Project, labels: list[tuple[str, int]]) -> str:
    """A sentence on offered categories with fewer than EARLY ``labels``; "" if there are none."""
    offered = {each.name for each in project.settings.offered}
    few = [f"{name} ({number})" for name, number in labels if name in offered and number < EARLY]
    if not few:
        return ""
    return (
        f"The model can hardly know a category with fewer than {EARLY} labels: {', '.join(few)}. "
        "Label more of it, or merge it into another one."
    )
