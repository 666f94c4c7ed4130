"""Sessions in the database: what an iteration needs, and publishing what it found."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.labeling.queue import Queue
from labeling_core.learning.classifiers import AUTO
from labeling_core.learning.evaluation import wilson
from labeling_core.projects.labels import Labels, measuring_end, read_labels, split
from labeling_core.projects.renames import follow, read_renames
from labeling_core.sessions.features import ensure_features
from labeling_core.sessions.publishing import publish
from labeling_core.sessions.records import fail
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project, quote
from labeling_core.store.database import Database, columns, literal


def run(
    database: Database,
    project: Project,
    queue: Queue,
    session_id: int,
    limit: int,
    worker: Worker,
    progress: Progress,
) -> str:
    """Run session ``session_id`` in the worker and publish it; returns a word on it.

    It learns from the first ``limit`` labels only: a session that catches up stands for an
    earlier moment.
    Raises LabelingError after having noted the reason in the session's row.
    """
    try:
        folder = ensure_features(database, project, lambda: queue, worker, progress)
        out = database.files(project.project_id, "session")
        task, train = _task(database, project, queue, limit)
        np.savez(out / "task.npz", **task)  # type: ignore[arg-type]  # keywords are the names
        job = _job(database, project, session_id, folder, out)
        result = worker.run(job, progress)
        project = _told_choice(database, project, session_id, result["classifier"])
        publish(database, project, queue, session_id, folder, out, result["evaluation"], train)
        shutil.rmtree(out)
    except LabelingError as error:
        fail(database, project.project_id, session_id, str(error))
        raise
    except Exception as error:
        reason = f"The session stopped on an unexpected fault ({type(error).__name__})."
        fail(database, project.project_id, session_id, reason)
        raise
    return _last_word(result["evaluation"])


def _told_choice(database: Database, project: Project, session_id: int, chosen: str) -> Project:
    """Note in the session's row what “auto” stood for; the project as the model card tells it."""
    if project.settings.classifier != AUTO:
        return project
    text = f"{AUTO}: {chosen}"
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET classifier = ? WHERE project_id = ? AND session_id = ?",
            [text, project.project_id, session_id],
        )
    return project._replace(settings=replace(project.settings, classifier=text))


def _last_word(evaluation: dict[str, Any]) -> str:
    if not evaluation["evaluated"]:
        return "finished"
    share = wilson(evaluation["correct"], evaluation["evaluated"])
    text = f"accuracy {share.share:.1%} ({share.low:.1%}–{share.high:.1%})"
    if evaluation["kind"] == "cross-validation":
        return f"{text} by cross-validation"
    number, one = evaluation["evaluated"], {"probes": "probe", "test table": "row"}
    return f"{text} on {number:,} {one[evaluation['kind']]}{'s' * (number != 1)}"


def _task(
    database: Database, project: Project, queue: Queue, limit: int
) -> tuple[dict[str, NDArray[Any]], Labels]:
    closed = queue.closed.copy()  # first: what is labeled meanwhile is only unused this time
    with database.read() as cursor:
        found, kept = read_labels(cursor, project), queue.probe_limit
        end = measuring_end(cursor, project, closed, kept)
    train, probes = split(found, kept, end)
    early = np.isin(train.label_ids, np.sort(found.label_ids)[:limit])
    if len(np.unique(train.codes[early])) > 1:
        train = Labels(*(each[early] for each in train))
    pool = np.flatnonzero(~closed)
    task = {
        "train": train.positions, "train_codes": train.codes,
        "probes": probes.positions, "probe_codes": probes.codes,
        "pool": pool, "queryable": pool >= kept,
    }  # fmt: skip
    return task, train


def _job(
    database: Database, project: Project, session_id: int, folder: Path, out: Path
) -> dict[str, Any]:
    settings = project.settings
    test, renamed = "", {}
    if settings.test_table:
        test = str(out / "test.parquet")
        with database.read() as cursor:
            renames = read_renames(cursor, project.project_id)
            renamed = {each.old: follow(renames, each.old) for each in renames}
            listed = ", ".join(
                quote(name)
                for name, _ in [*columns(cursor, settings.source), (settings.label_column, "")]
            )
            cursor.execute(
                f"COPY (SELECT {listed} FROM main.{quote(settings.test_table)}) "
                f"TO {literal(test)} (FORMAT parquet)"
            )
    return {
        "kind": "session", "folder": str(folder), "out": str(out), "test": test,
        "classes": list(settings.classes), "renamed": renamed,
        "label_column": settings.label_column,
        "classifier": settings.classifier, "strategy": settings.strategy,
        "batch": settings.every, "seed": settings.seed + session_id,
    }  # fmt: skip
