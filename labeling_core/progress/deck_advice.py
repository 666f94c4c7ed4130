"""What the decks of a project are told about halting, with the advice of Session progress."""

from __future__ import annotations

from typing import Any

from labeling_core.labeling.queue import Queue
from labeling_core.learning import stopping
from labeling_core.progress import efficiency, learning_curve, stopping_evidence
from labeling_core.settings import Project
from labeling_core.store.database import Database


def read(database: Database, project: Project, queue: Queue) -> dict[str, Any] | None:
    """What they are told after the last session; None before the first."""
    with database.read() as cursor:
        found = efficiency.read(cursor, project.project_id)
        if found is None:
            return None
        advice = None
        if found.resting:
            sessions = learning_curve.sessions(cursor, project, queue)
            advice = stopping.advise(stopping_evidence.read(cursor, project, queue, sessions))
    return efficiency.describe(found, advice, project.settings.measure)
