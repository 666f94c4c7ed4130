"""How well the newest model knows each category, and which ones it has hardly seen."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import numpy as np

from labeling_core.labeling.queue import Queue
from labeling_core.learning.evaluation import Interval, wilson
from labeling_core.progress import learning_curve
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


def recalls(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> list[Recall]:
    """For each category that has probes, in the categories' order; empty where none measure."""
    probes = learning_curve.probes(cursor, project, queue)
    newest = cursor.execute(
        "SELECT max(session_id) FROM labeling.sessions WHERE project_id = ? AND state = 'DONE'",
        [project.project_id],
    ).fetchone()
    if probes is None or newest is None or newest[0] is None:
        return []
    [(names, found)], limit = learning_curve.kept_models(cursor, project, newest)
    probes = below(probes, min(limit, len(found)))
    predicted = np.array(names)[found[probes.positions].argmax(axis=1)]
    truth = np.array(project.settings.classes)[probes.codes]
    return [
        _recall(name, predicted[truth == name])
        for name in project.settings.classes
        if name in truth
    ]


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
