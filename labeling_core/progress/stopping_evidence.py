"""What the tables tell about when to stop: the sessions' curve, and what the models predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning.classifiers import weights_of
from labeling_core.learning.power_law import Curve
from labeling_core.learning.stopping import KINDS, Evidence
from labeling_core.progress import efficiency, learning_curve
from labeling_core.progress.learning_curve import Session
from labeling_core.projects.labels import below
from labeling_core.settings import OLDER_CLASSIFIERS, Project


def read(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, sessions: Sequence[Session]
) -> Evidence:
    """The evidence for stopping.advise; ``sessions`` as progress.sessions measures them anew."""
    chosen = comparable(sessions)
    stored, limit = learning_curve.kept_models(
        cursor, project, [each.session_id for each in chosen]
    )
    changed, compared = _changed(stored, queue, limit)
    found = efficiency.read(cursor, project.project_id)
    return Evidence(
        kind=chosen[-1].kind if chosen else "",
        labels=np.array([each.labels for each in chosen], dtype=np.int64),
        curve=_curve(chosen, cursor, project, queue, stored, limit),
        changed=changed,
        compared=compared,
        halting=found.state if found else "",
        left=queue.size - queue.counts.labeled - queue.counts.skipped,
        every=project.settings.every,
        probe_share=0.0 if project.settings.test_table else project.settings.probe_share,
    )


def comparable(sessions: Sequence[Session]) -> list[Session]:
    """The finished sessions that form one curve with the last: its classifier, measured on the
    same samples, each with more labels than the one before."""
    kept: list[Session] = []
    for each in reversed([each for each in sessions if each.state == "DONE"]):
        if not kept or (_alike(each, kept[0]) and each.labels < kept[0].labels):
            kept.insert(0, each)
    return kept


def _alike(one: Session, other: Session) -> bool:
    on_the_same = one.evaluated == other.evaluated or one.kind not in KINDS
    names = [_kind(each.classifier) for each in (one, other)]
    return names[0] == names[1] and one.kind == other.kind and on_the_same


def _kind(classifier: str) -> tuple[str, bool]:
    """Whatever weights ``auto`` found: that they change is part of the curve. That it chose one
    classifier, in older versions, is another one."""
    name = classifier.partition(":")[0]
    return OLDER_CLASSIFIERS.get(name, name), bool(weights_of(classifier))


def _changed(
    stored: list[tuple[list[str], NDArray[np.float32]]], queue: Queue, limit: int
) -> tuple[NDArray[np.float64], int]:
    """See ``changes``; of the kept positions (a random draw) those that no model was trained on."""
    found = [np.asarray(classes)[rows.argmax(axis=1)] for classes, rows in stored]
    size = min(map(len, found), default=0)
    untrained = (np.arange(size) < limit) | ~queue.pool.closed[:size]
    return changes([each[:size] for each in found], untrained), int(untrained.sum())


def changes(
    predictions: Sequence[NDArray[Any]], untrained: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share of the ``untrained`` positions where each session predicts another class than the last.

    ``predictions``: an array of classes for each session, aligned. All 1 where no position is left.
    """
    if not untrained.any():
        return np.ones(len(predictions))
    return np.array([(each != predictions[-1])[untrained].mean() for each in predictions])


def _curve(
    chosen: list[Session],
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    queue: Queue,
    stored: list[tuple[list[str], NDArray[np.float32]]],
    limit: int,
) -> Curve | None:
    if not chosen or chosen[-1].kind not in KINDS:
        return None
    evaluated = chosen[-1].evaluated
    correct = [round((each.accuracy or 0.0) * evaluated) for each in chosen]
    hits = None
    probes = learning_curve.probes(cursor, project, queue) if chosen[-1].kind == "probes" else None
    if probes is not None:
        unseen = below(probes, limit)
        hits = np.array([learning_curve.hits(*each, project, unseen) for each in stored])
    return Curve(
        np.array([each.labels for each in chosen], dtype=np.int64),
        evaluated,
        np.array(correct, dtype=np.int64),
        hits if hits is not None and hits.shape[1] == evaluated else None,
    )
