"""What finished sessions have kept of their models, by today's names of the categories."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.measures import Taken, taken
from labeling_core.projects.labels import Labels
from labeling_core.projects.renames import Rename, fold, follow, read_renames
from labeling_core.settings import Project


def by_today(
    classes: str, checks: bytes, started: float, renames: Sequence[Rename]
) -> tuple[list[str], NDArray[np.float32]]:
    """What a session that ``started`` then has kept of its model: today's names of its classes,
    and the probabilities [positions, classes] of the first positions."""
    names = json.loads(classes)
    found: NDArray[np.float32] = np.frombuffer(checks, np.float32).reshape(-1, len(names))
    return fold(names, found, _since(started, renames))


def kept_models(
    cursor: duckdb.DuckDBPyConnection, project: Project, session_ids: Sequence[int]
) -> tuple[list[tuple[list[str], NDArray[np.float32]]], int]:
    """What these sessions have kept, in their order (see by_today), and below which
    position none of them has learned."""
    renames = read_renames(cursor, project.project_id)
    rows = _rows(cursor, project, session_ids, "classes, checks, epoch(started), probe_limit")
    kept = [by_today(classes, checks, at, renames) for classes, checks, at, _ in rows]
    return kept, min((limit for *_, limit in rows), default=0)


def counted(
    pairs: str | None, classes: str, started: float, renames: Sequence[Rename]
) -> Taken | None:
    """Which of today's categories a session that ``started`` then took for which at its own time;
    None of one of an older version."""
    if pairs is None:
        return None
    since = _since(started, renames)
    names = [follow(since, each) for each in json.loads(classes)]
    counted = json.loads(pairs)
    truth, predicted = ([names[pair[side]] for pair in counted] for side in (0, 1))
    return taken(truth, predicted, [times for *_, times in counted])


def counts(
    cursor: duckdb.DuckDBPyConnection, project: Project, session_ids: Sequence[int]
) -> list[Taken | None]:
    """See :func:`counted`, of each of these sessions."""
    renames = read_renames(cursor, project.project_id)
    rows = _rows(cursor, project, session_ids, "taken, classes, epoch(started)")
    return [counted(pairs, classes, started, renames) for pairs, classes, started in rows]


def _rows(
    cursor: duckdb.DuckDBPyConnection, project: Project, session_ids: Sequence[int], columns: str
) -> list[tuple[Any, ...]]:
    """These columns of these sessions, in their order."""
    return cursor.execute(
        f"SELECT {columns} FROM labeling.sessions "
        "WHERE project_id = ? AND session_id IN (SELECT unnest(?::INTEGER[])) ORDER BY session_id",
        [project.project_id, list(session_ids)],
    ).fetchall()


def _since(started: float, renames: Sequence[Rename]) -> list[Rename]:
    return [each for each in renames if each.happened.timestamp() > started]


def truth(classes: Sequence[str], project: Project, probes: Labels) -> NDArray[np.intp]:
    """The probes' categories as codes of a stored model; -1 for one it did not know."""
    codes = {name: code for code, name in enumerate(classes)}
    names = project.settings.classes
    return np.array([codes.get(names[code], -1) for code in probes.codes], dtype=np.intp)


def answers(
    classes: Sequence[str], found: NDArray[np.float32], project: Project, probes: Labels
) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Of each of the probes among its kept positions the category, and what a stored model (see
    by_today) takes it for."""
    kept = probes.positions < len(found)
    predicted = np.array(classes)[found[probes.positions[kept]].argmax(axis=1)]
    return np.array(project.settings.classes)[probes.codes[kept]], predicted


def hits(
    classes: Sequence[str], found: NDArray[np.float32], project: Project, probes: Labels
) -> NDArray[np.bool_]:
    """Which of the probes among its kept positions a stored model (see by_today) gets right."""
    return np.equal(*answers(classes, found, project, probes))
