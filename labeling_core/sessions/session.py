"""Sessions in the database: what an iteration needs, and publishing what it found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import in_full
from labeling_core.learning.out_of_fold import FOLDS
from labeling_core.projects.labels import Labels, groups, measuring_end, read_labels, split
from labeling_core.projects.renames import follow, read_renames
from labeling_core.projects.samples import kept_columns
from labeling_core.sessions.features import ensure_features
from labeling_core.sessions.publishing import publish, publish_model
from labeling_core.sessions.records import fail
from labeling_core.sessions.session_run import SessionRun
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import quote
from labeling_core.store.database import literal
from labeling_core.store.removal import remove

FINISHED = "finished"  # what is said of a session that worked, until its accuracy is known


class Published(NamedTuple):
    """A session whose queue is served, and what its model, which is not kept yet, comes from: the
    worker's ``job``, the ``classifier`` that it chose, the labels to ``train`` on."""

    session: SessionRun
    job: dict[str, Any]
    classifier: str
    evaluation: dict[str, Any]
    train: Labels


def run(session: SessionRun, worker: Worker, progress: Progress) -> Published:
    """Run a session in the worker and publish it, all but its model.

    Raises LabelingError after having noted the reason in the session's row.
    """
    database, project_id = session.database, session.project.project_id
    try:
        ensure_features(database, session.project, lambda: session.queue, worker, progress)
        task, train = _task(session)
        np.savez(session.out / "task.npz", **task)  # type: ignore[arg-type]  # keywords are names
        job = _job(session)
        result = worker.run(job, progress)
        session = _with_choice(session, result["classifier"])
        publish(session, result["evaluation"])
    except LabelingError as error:
        fail(database, project_id, session.session_id, str(error))
        raise
    except Exception as error:
        reason = f"The session stopped on an unexpected fault ({type(error).__name__})."
        fail(database, project_id, session.session_id, reason)
        raise
    return Published(session, job, result["classifier"], result["evaluation"], train)


def keep_model(published: Published, worker: Worker, progress: Progress) -> str:
    """Have the model of a published session written, and keep it; returns a word on the session.

    It takes as long as finding the queue of a small pool does, which is served meanwhile.
    """
    session = published.session
    progress("Keeping the model", 0.95)
    try:
        worker.run(published.job | {"kind": "model", "classifier": published.classifier}, progress)
    except LabelingError as error:
        return f"Session {session.session_id} is done, but its model could not be kept: {error}"
    publish_model(session, published.evaluation, published.train)
    remove(session.out)
    return FINISHED


def _with_choice(session: SessionRun, chosen: str) -> SessionRun:
    """Note in the session's row what “auto” stood for; the session with it."""
    project = session.project
    text = in_full(project.settings.classifier, chosen)
    if text == project.settings.classifier:
        return session
    with session.database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET classifier = ? WHERE project_id = ? AND session_id = ?",
            [text, project.project_id, session.session_id],
        )
    settings = replace(project.settings, classifier=text)
    return session._replace(project=project._replace(settings=settings))


def _task(session: SessionRun) -> tuple[dict[str, NDArray[Any]], Labels]:
    project, queue = session.project, session.queue
    closed = queue.pool.closed.copy()  # first: what is labeled meanwhile is only unused this time
    with session.database.read() as cursor:
        found, kept = read_labels(cursor, project), queue.pool.probe_limit
        end = measuring_end(cursor, project, closed, kept)
    train, probes = split(found, kept, end, queue.pool.apart)
    early = np.isin(train.label_ids, np.sort(found.label_ids)[: session.limit])
    if len(np.unique(train.codes[early])) > 1:
        train = train.where(early)
    with session.database.read() as cursor:
        belongs = groups(cursor, project, train, FOLDS)
    pool = np.flatnonzero(~closed)
    task = {
        "train": train.positions, "train_codes": train.codes,
        "probes": probes.positions, "probe_codes": probes.codes,
        "pool": pool, "queryable": ~queue.pool.kept[pool],
    }  # fmt: skip
    return task if belongs is None else task | {"groups": belongs}, train


def _job(session: SessionRun) -> dict[str, Any]:
    settings, out = session.project.settings, session.out
    project_id, test, renamed = session.project.project_id, "", {}
    if settings.test_table:
        test = str(out / "test.parquet")
        with session.database.read() as cursor:
            renames = read_renames(cursor, project_id)
            renamed = {each.old: follow(renames, each.old) for each in renames}
            listed = ", ".join(
                quote(name)
                for name, _ in [*kept_columns(cursor, project_id), (settings.label_column, "")]
            )
            cursor.execute(
                f"COPY (SELECT {listed} FROM main.{quote(settings.test_table)}) "
                f"TO {literal(test)} (FORMAT parquet)"
            )
    return {
        "kind": "session", "folder": str(session.features), "out": str(out), "test": test,
        "classes": list(settings.classes), "renamed": renamed,
        "label_column": settings.label_column,
        "classifier": settings.classifier, "strategy": settings.strategy,
        "batch": settings.every, "seed": settings.seed + session.session_id,
        "measure": settings.measure,
    }  # fmt: skip
