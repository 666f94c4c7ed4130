"""Publishing a finished session: queries and session row become visible at once, its model soon
after."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.queue import Queue
from labeling_core.learning.evaluation import Contradictions, contradictions
from labeling_core.progress import efficiency
from labeling_core.projects import queries
from labeling_core.projects.labels import Labels
from labeling_core.projects.renames import fold, read_renames
from labeling_core.sessions.session_run import SessionRun
from labeling_core.settings import Project, quote
from labeling_core.store.database import Database, literal, now

COMPARED = 1_000


def publish(session: SessionRun, evaluation: dict[str, Any]) -> None:
    """Make a finished session visible: queries and session row in one transaction.

    The queries are prepared beside the old ones without holding up any decision; what has
    been decided meanwhile is taken out at the end.
    """
    database, project, queue = session.database, session.project, session.queue
    checks = np.load(session.out / "checks.npy")
    prepared, order, uncertainty = _prepare(database, project, session.session_id, session.out)
    draw = efficiency.measure(uncertainty, project.settings.every)
    with database.lock:
        with database.transaction() as cursor:
            queries.replace(cursor, project, prepared)
            changed = _contradictions(cursor, project, queue, checks)
            cursor.execute(
                "UPDATE labeling.sessions SET state = 'DONE', finished = ?, evaluation = ?, "
                "evaluated = ?, correct = ?, auc = ?, changed = ?, compared = ?, classes = ?, "
                "checks = ?, asked = ?, asked_uncertainty = ?, pool = ?, pool_uncertainty = ?, "
                "pool_spread = ?, probe_limit = ?, taken = ? "
                "WHERE project_id = ? AND session_id = ?",
                [now(), evaluation["kind"], evaluation["evaluated"], evaluation["correct"],
                 evaluation["auc"], *changed, json.dumps(project.settings.classes),
                 checks.tobytes(), *draw, queue.pool.probe_limit, json.dumps(evaluation["taken"]),
                 project.project_id, session.session_id],
            )  # fmt: skip
        queue.set_order(order, session.session_id)


def publish_start(
    database: Database, project: Project, get_queue: Callable[[], Queue], out: Path
) -> None:
    """Make the order of a cold start visible, as that of session 0, unless a session was faster."""
    prepared, order, _ = _prepare(database, project, 0, out)
    with database.lock:
        queue = get_queue()
        with database.transaction() as cursor:
            if queue.pool.order is not None:
                cursor.execute(f"DROP TABLE {prepared}")
                return
            queries.replace(cursor, project, prepared)
        queue.set_order(order, 0)


def _prepare(
    database: Database, project: Project, session_id: int, out: Path
) -> tuple[str, NDArray[np.int32], NDArray[np.float64]]:
    """Load the worker's scores into a table beside the queries: its name, the queue's order, and
    the uncertainty in that order."""
    scores = literal(str(out / "scores.parquet"))
    prepared = f"labeling_pool.{quote('next_' + project.project_id)}"
    with database.read() as cursor:
        cursor.execute(
            f"CREATE OR REPLACE TABLE {prepared} AS SELECT place, "
            "uncertainty::DOUBLE AS uncertainty, prediction, ?::INTEGER AS session_id, "
            "file_row_number::INTEGER AS rank "
            f"FROM read_parquet({scores}, file_row_number = true)",
            [session_id],
        )
        # DuckDB keeps the order of a file (its setting preserve_insertion_order): sorting by what
        # is in order took three times as long.
        asked = cursor.execute(
            f"SELECT place, uncertainty::DOUBLE AS uncertainty FROM read_parquet({scores}) "
            "WHERE queryable"
        ).fetchnumpy()
    return prepared, asked["place"].astype(np.int32), asked["uncertainty"]


def _contradictions(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, checks: NDArray[np.float32]
) -> Contradictions:
    row = cursor.execute(
        "SELECT classes, checks, started FROM labeling.sessions "
        "WHERE project_id = ? AND state = 'DONE' ORDER BY session_id DESC LIMIT 1",
        [project.project_id],
    ).fetchone()
    if row is None:
        return Contradictions(0, 0)
    classes = json.loads(row[0])
    renames = read_renames(cursor, project.project_id)
    names, found = fold(
        classes,
        np.frombuffer(row[1], np.float32).reshape(-1, len(classes)),
        [each for each in renames if each.happened > row[2]],
    )
    before = np.array(names)[found.argmax(axis=1)]
    after = np.array(project.settings.classes)[checks.argmax(axis=1)]
    both = min(len(before), len(after))
    return contradictions(before[:both], after[:both], ~queue.pool.closed[:both], COMPARED)


def publish_model(session: SessionRun, evaluation: dict[str, Any], train: Labels) -> None:
    """Keep the model of a published session with its card, in place of that of an earlier one.

    A transaction of its own: nobody who waits for the queue waits for the model to be written. If
    the program ends in between, the earlier one stays, and its card names its session.
    """
    project_id, settings = session.project.project_id, session.project.settings
    names = np.array(settings.classes)
    card = {
        "project": settings.title,
        "session_id": session.session_id,
        "trained": now().isoformat(timespec="seconds"),
        "source": settings.source,
        "label_column": settings.label_column,
        "classifier": settings.classifier,
        "strategy": settings.strategy,
        "labels": len(train.positions),
        "labels_per_category": dict(Counter(names[train.codes].tolist())),
        "evaluation": {key: evaluation[key] for key in evaluation if key != "taken"},
        "python": platform.python_version(),
        "features": json.loads((session.features / "features.json").read_text("utf-8")),
        "label_ids": sorted(train.label_ids.tolist()),
    }
    model = (session.out / "model.skops").read_bytes()
    with session.database.transaction() as cursor:
        cursor.execute("DELETE FROM labeling.models WHERE project_id = ?", [project_id])
        cursor.execute(
            "INSERT INTO labeling.models VALUES (?, ?, ?, ?)",
            [project_id, session.session_id, json.dumps(card, ensure_ascii=False), model],
        )
