"""What the decks of a project are told about halting, with the advice of Session progress."""

from __future__ import annotations

from typing import Any

from labeling_core import evidence, halting, progress, stopping
from labeling_core.database import Database
from labeling_core.queue import Queue
from labeling_core.settings import Project


def update(database: Database, project: Project, queue: Queue) -> None:
    """Work out what is told from now on; done after each session, beside the decisions."""
    with database.read() as cursor:
        found = halting.read(cursor, project.project_id)
        advice = None
        if found is not None and found.resting:
            sessions = progress.sessions(cursor, project, queue)
            advice = stopping.advise(evidence.read(cursor, project, queue, sessions))
    queue.halting = (None if found is None else halting.describe(found, advice),)


def news(database: Database, project: Project, queue: Queue) -> dict[str, Any] | None:
    """What the deck is told; None before the first session and without active learning."""
    if not project.settings.queries_table or not queue.session_id:
        return None
    if queue.halting is None:
        update(database, project, queue)
    return queue.halting[0] if queue.halting else None
