"""The learning curve: each session's score with an honest interval, counts, labels over time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning.evaluation import ENOUGH, Interval, auc, calibration_error, wilson
from labeling_core.learning.measures import MEASURES, Taken, interval, missing, taken
from labeling_core.progress import stored_models
from labeling_core.projects.labels import Labels, below, measuring_end, read_labels, split, standing
from labeling_core.projects.renames import Rename, read_renames
from labeling_core.settings import Project


class Session(NamedTuple):
    """One session as the curve shows it; shares in 0..1, times in seconds since the epoch.

    ``kind`` says what accuracy was measured on: test table, probes or cross-validation
    ("" and None where it could not be). ``contradictions`` is the share of predictions that
    changed since the session before, out of ``compared``. ``calibration_error`` is known of
    sessions measured on probes, where there are enough of them. ``score`` is by ``measure``, that
    of the project (a key of measures.MEASURES); where ``lacking`` says in a sentence why it cannot
    be told, accuracy again.
    """

    session_id: int
    state: str
    started_by: str
    started: float
    finished: float | None
    labels: int
    classifier: str
    strategy: str
    kind: str
    evaluated: int
    accuracy: float | None
    low: float | None
    high: float | None
    auc: float | None
    contradictions: float | None
    compared: int
    reason: str | None
    calibration_error: float | None = None
    measure: str = "accuracy"
    score: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    lacking: str = ""


def sessions(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    queue: Queue | None = None,
    only: int | None = None,
) -> list[Session]:
    """All sessions of a project, first to last; or that with the session_id ``only``.

    With ``queue``, each session's model is measured anew on all probes labeled so far, so
    that the points of the curve compare like with like; without it, as at its own time. Of
    probes that the share of probes has taken in since, a model may have learned: it is not
    measured on those.
    """
    rows = cursor.execute(
        "SELECT session_id, state, started_by, epoch(started), epoch(finished), labels, "
        "classifier, strategy, evaluation, evaluated, correct, auc, changed, compared, reason, "
        "classes, checks, probe_limit, taken FROM labeling.sessions WHERE project_id = ? "
        "AND session_id = coalesce(?, session_id) ORDER BY session_id",
        [project.project_id, only],
    ).fetchall()
    measured = probes(cursor, project, queue) if queue is not None and rows else None
    renames = read_renames(cursor, project.project_id)
    return [_session(row, project, measured, renames) for row in rows]


def probes(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> Labels | None:
    """The probes labeled so far that measure; None where none are drawn."""
    pool = queue.pool
    if not pool.probe_limit:
        return None
    end = measuring_end(cursor, project, pool.closed, pool.probe_limit)
    return split(read_labels(cursor, project), pool.probe_limit, end, pool.apart)[1]


def _session(
    row: tuple[Any, ...], project: Project, probes: Labels | None, renames: Sequence[Rename]
) -> Session:
    kind, evaluated, correct, area = row[8] or "", row[9] or 0, row[10] or 0, row[11]
    classes, checks, calibration = row[15], row[16], None
    found = stored_models.counted(row[18], classes, row[3], renames)
    if probes is not None and kind != "test table" and checks is not None:
        unseen = below(probes, row[17])
        again = _measure(*stored_models.by_today(classes, checks, row[3], renames), project, unseen)
        if again is not None:
            kind, (evaluated, correct, area, calibration, found) = "probes", again
    share = wilson(correct, evaluated) if evaluated else None
    measure, score, lacking = _score(project.settings.measure, share, found)
    changed, compared = row[12] or 0, row[13] or 0
    return Session(
        *row[:8],  # type: ignore[call-arg]  # eight columns, as selected
        kind,
        evaluated,
        share.share if share else None,
        share.low if share else None,
        share.high if share else None,
        area,
        changed / compared if compared else None,
        compared,
        row[14],
        calibration,
        measure,
        *(score or (None, None, None)),
        lacking,
    )


def _score(
    wanted: str, accuracy: Interval | None, found: Taken | None
) -> tuple[str, Interval | None, str]:
    """Measure, score and what is lacking, as in Session."""
    if accuracy is None or wanted == "accuracy":
        return "accuracy", accuracy, ""
    if wanted not in MEASURES:
        lacking = f"“{wanted}” is no measure of this version of the program."
    elif found is None:
        lacking = f"Of a session of an older version {MEASURES[wanted]} is not known."
    else:
        lacking = missing(wanted, found)
    if lacking or found is None:
        return "accuracy", accuracy, lacking
    return wanted, interval(wanted, found), ""


def _measure(
    classes: Sequence[str], found: NDArray[np.float32], project: Project, probes: Labels
) -> tuple[int, int, float | None, float | None, Taken] | None:
    """(evaluated, correct, AUC, calibration error, what was taken for what) of a stored model on
    the probes that it kept.

    By today's categories; of one that the model does not know, it never finds a sample.
    """
    kept = probes.positions < len(found)
    if not kept.any():
        return None
    rows, truth = found[probes.positions[kept]], stored_models.truth(classes, project, probes)[kept]
    predicted = rows.argmax(axis=1)
    judged = taken(*stored_models.answers(classes, found, project, probes))
    correct, area = int((predicted == truth).sum()), auc(rows, truth, ENOUGH)
    return int(kept.sum()), correct, area, calibration_error(rows, truth), judged


def outdated(cursor: duckdb.DuckDBPyConnection, project: Project) -> str:
    """Why the newest model does not fit the categories any more, in a sentence; empty if it does.

    It stays until a session makes another one: its queries still order the pool.
    """
    row = cursor.execute(
        "SELECT session_id, classes FROM labeling.sessions WHERE project_id = ? "
        "AND state = 'DONE' ORDER BY session_id DESC LIMIT 1",
        [project.project_id],
    ).fetchone()
    known, wanted = (json.loads(row[1]) if row else []), project.settings.classes
    missing = [name for name in wanted if name not in known]
    extra = [name for name in known if name not in wanted]
    if row is None or not (missing or extra):
        return ""
    parts = [f"it does not know {', '.join(missing)}"] if missing else []
    parts += [f"it still tells {', '.join(extra)}"] if extra else []
    return (
        f"The model of session {row[0]} is from before the categories were changed: "
        f"{' and '.join(parts)}. The next session makes a new one."
    )


def labels_by_category(
    cursor: duckdb.DuckDBPyConnection, project: Project
) -> list[tuple[str, int]]:
    """(category, labeled samples) in the categories' order."""
    settings = project.settings
    rows = cursor.execute(
        f"SELECT label, count(*) FROM ({standing(settings)}) GROUP BY label"
    ).fetchall()
    found = dict(rows)
    return [(name, found.get(name, 0)) for name in settings.names]


def labels_over_time(
    cursor: duckdb.DuckDBPyConnection, project: Project, points: int = 400
) -> list[tuple[str, float, int]]:
    """(annotator, seconds since the epoch, labels so far), at most ``points`` of each one; without
    imported labels, whose times are those of another tool."""
    return cursor.execute(
        "WITH each AS (SELECT annotator, epoch(labeled_at) AS moment, row_number() OVER "
        "(PARTITION BY annotator ORDER BY labeled_at) AS number, count(*) OVER "
        f"(PARTITION BY annotator) AS total FROM {project.tables.metadata} "
        "WHERE status = 'LABELED' AND origin <> 'import') SELECT annotator, moment, number "
        "FROM each WHERE number = total OR number % greatest(1, total // ?) = 0 ORDER BY 1, 3",
        [points],
    ).fetchall()


def imported(cursor: duckdb.DuckDBPyConnection, project: Project) -> int:
    """How many decisions were brought in from elsewhere."""
    row = cursor.execute(
        f"SELECT count(*) FROM {project.tables.metadata} WHERE origin = 'import'"
    ).fetchone()
    return int(row[0]) if row else 0


def unused(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> str:
    """A sentence on labeled windows that teach and measure nothing; "" if there are none."""
    apart = queue.pool.apart
    number = int(apart[read_labels(cursor, project).positions].sum()) if apart.any() else 0
    if not number:
        return ""
    return (
        f"Of {number:,} labeled windows nothing is learned: they belong to recordings, or parts of "
        "them, that measure accuracy. They do not measure it either, because they were added or "
        "imported later, or lie too close to what is learned from."
    )


def last_measured(found: Sequence[Session]) -> Session | None:
    """The newest finished session whose accuracy is known: the one that is told wherever a single
    figure is."""
    known = [each for each in found if each.state == "DONE" and each.accuracy is not None]
    return known[-1] if known else None


class Summary(NamedTuple):
    """One project at a glance: its ``last`` finished session, and the last that was measured."""

    labeled: int
    skipped: int
    total: int
    last: Session | None
    measured: Session | None


def summary(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> Summary:
    """Counts of a project and its last finished session."""
    done = [each for each in sessions(cursor, project, queue) if each.state == "DONE"]
    counts = queue.counts
    return Summary(
        counts.labeled, counts.skipped, queue.size, done[-1] if done else None, last_measured(done)
    )
