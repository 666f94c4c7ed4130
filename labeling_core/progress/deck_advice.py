"""What the decks of a project are told about halting, with the advice of Session progress."""

from __future__ import annotations

from typing import Any

from labeling_core.labeling.queue import Queue
from labeling_core.learning import stopping
from labeling_core.progress import efficiency, learning_curve, stopping_evidence
from labeling_core.settings import Project
from labeling_core.store.database import Database


def update(database: Database, project: Project, queue: Queue) -> None:
    """Work out what is told from now on; done after each session, beside the decisions."""
    with database.read() as cursor:
        found = efficiency.read(cursor, project.project_id)
        advice = None
        if found is not None and found.resting:
            sessions = learning_curve.sessions(cursor, project, queue)
            advice = stopping.advise(stopping_evidence.read(cursor, project, queue, sessions))
    queue.halting = (None if found is None else efficiency.describe(found, advice),)


def news(database: Database, project: Project, queue: Queue) -> dict[str, Any] | None:
    """What the deck is told; None before the first session and without active learning."""
    if not project.settings.queries_table or not queue.session_id:
        return None
    if queue.halting is None:
        update(database, project, queue)
    return queue.halting[0] if queue.halting else None
