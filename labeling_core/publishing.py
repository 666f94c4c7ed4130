"""Publishing a finished session: queries, session row and model become visible at once."""

from __future__ import annotations

import json
import platform
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core import samples
from labeling_core.database import Database, columns, literal, now, quote
from labeling_core.evaluation import Contradictions, contradictions
from labeling_core.labels import Labels
from labeling_core.queue import Queue
from labeling_core.settings import Project

COMPARED = 1_000


def publish(
    database: Database,
    project: Project,
    queue: Queue,
    session_id: int,
    folder: Path,
    out: Path,
    evaluation: dict[str, Any],
    train: Labels,
) -> None:
    """Make a finished session visible: queries, session row and model in one transaction.

    The queries table is prepared beside the old one without holding up any decision;
    what has been decided meanwhile is taken out at the end.
    """
    checks = np.load(out / "checks.npy")
    scores = f"read_parquet({literal(str(out / 'scores.parquet'))}, file_row_number = true)"
    name = project.settings.queries_table
    with database.read() as cursor:
        _prepare_queries(cursor, project, session_id, scores)
        order = cursor.execute(
            f"SELECT place FROM {scores} WHERE queryable ORDER BY file_row_number"
        ).fetchnumpy()["place"]
    with database.lock:
        with database.transaction() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS main.{quote(name)}")
            cursor.execute(f"ALTER TABLE main.{quote(_next(name))} RENAME TO {quote(name)}")
            cursor.execute(
                f"DELETE FROM main.{quote(name)} WHERE sample_id IN "
                f"(SELECT sample_id FROM main.{quote(project.settings.metadata_table)})"
            )
            changed = _contradictions(cursor, project, queue, checks)
            cursor.execute(
                "UPDATE labeling.sessions SET state = 'DONE', finished = ?, evaluation = ?, "
                "evaluated = ?, correct = ?, auc = ?, changed = ?, compared = ?, classes = ?, "
                "checks = ? WHERE project_id = ? AND session_id = ?",
                [now(), evaluation["kind"], evaluation["evaluated"], evaluation["correct"],
                 evaluation["auc"], *changed, json.dumps(project.settings.names),
                 checks.tobytes(), project.project_id, session_id],
            )  # fmt: skip
            _store_model(cursor, project, session_id, folder, out, evaluation, train)
        queue.set_order(np.asarray(order, dtype=np.int32), session_id)


def _next(name: str) -> str:
    return name + "__next"


def _prepare_queries(
    cursor: duckdb.DuckDBPyConnection, project: Project, session_id: int, scores: str
) -> None:
    """Write the pool with its scores, in the order of asking, to a table of its own."""
    settings = project.settings
    ours = {"sample_id", "uncertainty", "session_id", "prediction"}
    listed = ", ".join(
        f"s.{quote(name)}" + (f" AS {quote(name + '_source')}" if name.lower() in ours else "")
        for name, _ in columns(cursor, settings.labels_table)
        if name not in (settings.label_column, settings.label_id_column)
    )
    cursor.execute(
        f"CREATE OR REPLACE TABLE main.{quote(_next(settings.queries_table))} AS "
        f"SELECT {listed}, s.{samples.SAMPLE_ID} AS sample_id, q.uncertainty, "
        f"?::INTEGER AS session_id, q.prediction FROM {scores} AS q "
        f"JOIN {samples.table(project.project_id)} AS s ON s.{samples.PLACE} = q.place "
        "ORDER BY q.file_row_number",
        [session_id],
    )


def _contradictions(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, checks: NDArray[np.float32]
) -> Contradictions:
    row = cursor.execute(
        "SELECT classes, checks FROM labeling.sessions WHERE project_id = ? AND state = 'DONE' "
        "ORDER BY session_id DESC LIMIT 1",
        [project.project_id],
    ).fetchone()
    if row is None:
        return Contradictions(0, 0)
    before_classes = np.array(json.loads(row[0]))
    before = before_classes[
        np.frombuffer(row[1], np.float32).reshape(-1, len(before_classes)).argmax(axis=1)
    ]
    after = np.array(project.settings.names)[checks.argmax(axis=1)]
    both = min(len(before), len(after))
    return contradictions(before[:both], after[:both], ~queue.closed[:both], COMPARED)


def _store_model(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    session_id: int,
    folder: Path,
    out: Path,
    evaluation: dict[str, Any],
    train: Labels,
) -> None:
    """Keep the model of this session (only the newest is kept) with its card."""
    settings = project.settings
    names = np.array(settings.names)
    card = {
        "project": settings.title,
        "session_id": session_id,
        "trained": now().isoformat(timespec="seconds"),
        "source": settings.source,
        "label_column": settings.label_column,
        "classifier": settings.classifier,
        "strategy": settings.strategy,
        "labels": len(train.places),
        "labels_per_category": dict(Counter(names[train.codes].tolist())),
        "evaluation": evaluation,
        "python": platform.python_version(),
        "features": json.loads((folder / "features.json").read_text()),
        "label_ids": sorted(train.label_ids.tolist()),
    }
    cursor.execute("DELETE FROM labeling.models WHERE project_id = ?", [project.project_id])
    cursor.execute(
        "INSERT INTO labeling.models VALUES (?, ?, ?, ?)",
        [project.project_id, session_id, json.dumps(card, ensure_ascii=False),
         (out / "model.skops").read_bytes()],
    )  # fmt: skip
