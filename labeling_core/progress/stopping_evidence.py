"""What the tables tell about when to stop: the sessions' curve, and what the models predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning.classifiers import weights_of
from labeling_core.learning.measures import of_times, pairs, taken
from labeling_core.learning.power_law import ByMeasure, Curve
from labeling_core.learning.stopping import KINDS, Evidence
from labeling_core.progress import efficiency, learning_curve, stored_models
from labeling_core.progress.learning_curve import Session
from labeling_core.projects.labels import Labels, below
from labeling_core.settings import OLDER_CLASSIFIERS, Project


def read(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, sessions: Sequence[Session]
) -> Evidence:
    """The evidence for stopping.advise; ``sessions`` as progress.sessions measures them anew."""
    chosen = comparable(sessions)
    stored, limit = stored_models.kept_models(cursor, project, [each.session_id for each in chosen])
    measure = chosen[-1].measure if chosen else "accuracy"
    changed, moved, compared = _changed(stored, queue, limit, measure)
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
        missing=chosen[-1].lacking if chosen else "",
        moved=moved,
    )


def comparable(sessions: Sequence[Session]) -> list[Session]:
    """The finished sessions that form one curve with the last: its classifier, measured on the
    same samples by the same measure, each with more labels than the one before."""
    kept: list[Session] = []
    for each in reversed([each for each in sessions if each.state == "DONE"]):
        if not kept or (_alike(each, kept[0]) and each.labels < kept[0].labels):
            kept.insert(0, each)
    return kept


def _alike(one: Session, other: Session) -> bool:
    on_the_same = one.evaluated == other.evaluated or one.kind not in KINDS
    names = [_kind(each.classifier) for each in (one, other)]
    one_measure = one.kind == other.kind and one.measure == other.measure
    return names[0] == names[1] and one_measure and on_the_same


def _kind(classifier: str) -> tuple[str, bool]:
    """Whatever weights ``auto`` found: that they change is part of the curve. That it chose one
    classifier, in older versions, is another one."""
    name = classifier.partition(":")[0]
    return OLDER_CLASSIFIERS.get(name, name), bool(weights_of(classifier))


def _changed(
    stored: list[tuple[list[str], NDArray[np.float32]]], queue: Queue, limit: int, measure: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """See ``changes``, for accuracy and for ``measure``; of the kept positions (a random draw)
    those that no model was trained on, and how many these are."""
    found = [np.asarray(classes)[rows.argmax(axis=1)] for classes, rows in stored]
    size = min(map(len, found), default=0)
    untrained = (np.arange(size) < limit) | ~queue.pool.closed[:size]
    kept = [each[:size] for each in found]
    changed = changes(kept, untrained)
    moved = changed if measure == "accuracy" else changes(kept, untrained, measure)
    return changed, moved, int(untrained.sum())


def changes(
    predictions: Sequence[NDArray[Any]], untrained: NDArray[np.bool_], measure: str = "accuracy"
) -> NDArray[np.float64]:
    """Share of the ``untrained`` positions where each session predicts another class than the last;
    by another ``measure`` (of MEASURES) what that lacks of 1, were the last session right.

    ``predictions``: an array of classes for each session, aligned. All 1 where no position is left.
    """
    if not untrained.any():
        return np.ones(len(predictions))
    if measure != "accuracy":
        last = predictions[-1][untrained].astype(str)
        found = [taken(last, each[untrained].astype(str)) for each in predictions]
        return np.array([1 - float(of_times(measure, each, each.times)) for each in found])
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
        hits = np.array([stored_models.hits(*each, project, unseen) for each in stored])
    return Curve(
        np.array([each.labels for each in chosen], dtype=np.int64),
        evaluated,
        np.array(correct, dtype=np.int64),
        hits if hits is not None and hits.shape[1] == evaluated else None,
        _other(chosen, cursor, project, stored, probes and below(probes, limit)),
    )


def _other(
    chosen: list[Session],
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    stored: list[tuple[list[str], NDArray[np.float32]]],
    probes: Labels | None,
) -> ByMeasure | None:
    """What the sessions' curve is by another measure than accuracy; None where it is accuracy."""
    measure, evaluated = chosen[-1].measure, chosen[-1].evaluated
    if measure == "accuracy":
        return None
    if probes is not None:
        found = [pairs(*stored_models.answers(*each, project, probes)) for each in stored]
        if all(len(each) == evaluated for _, each in found):
            return ByMeasure(
                measure, [each for each, _ in found], np.array([each for _, each in found])
            )
    known = stored_models.counts(cursor, project, [each.session_id for each in chosen])
    kept = [each for each in known if each is not None]
    return ByMeasure(measure, kept, None) if len(kept) == len(chosen) else None
