"""Before the first session: the whole pool in the strategy's own order, for no model is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from labeling_core.labeling.queue import Queue
from labeling_core.learning import strategies
from labeling_core.projects.labels import read_labels, split
from labeling_core.sessions.publishing import publish_start
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project
from labeling_core.store.database import Database
from labeling_core.store.removal import remove


def missing(project: Project, queue: Queue) -> bool:
    """Whether samples still come in the shuffled order though the strategy has a better one."""
    settings = project.settings
    starts = bool(settings.queries_table) and strategies.named(settings.strategy).cold_start
    return starts and queue.pool.order is None


def run(
    database: Database,
    project: Project,
    get_queue: Callable[[], Queue],
    folder: Path,
    worker: Worker,
    progress: Progress,
) -> None:
    """Have the pool put in order by the worker, and serve it until the first session has run.

    ``held`` gives the queue of the moment, ``folder`` holds the features.
    Raises LabelingError with the worker's sentence.
    """
    queue = get_queue()
    if not missing(project, queue):
        return
    progress("Choosing what to ask first", 0.9)
    settings, out = project.settings, database.files(project.project_id, "start")
    closed, kept = queue.pool.closed.copy(), queue.pool.probe_limit
    with database.read() as cursor:
        train, _ = split(read_labels(cursor, project), kept, kept, queue.pool.apart)
    pool = np.flatnonzero(~closed)
    np.savez(
        out / "task.npz",
        pool=pool, queryable=~queue.pool.kept[pool], train=train.positions, train_codes=train.codes,
    )  # fmt: skip
    worker.run(
        {"kind": "start", "folder": str(folder), "out": str(out), "strategy": settings.strategy,
         "batch": settings.every, "seed": settings.seed},
        progress,
    )  # fmt: skip
    publish_start(database, project, get_queue, out)
    remove(out)
