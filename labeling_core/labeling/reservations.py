"""Reservations in the database: who has which sample, so that a restart does not forget it."""

from __future__ import annotations

import time
from typing import NamedTuple

import duckdb

from labeling_core.access.tokens import LIFETIME
from labeling_core.settings import Project


class Reservation(NamedTuple):
    """A sample handed to one browser; ``until`` is in seconds since the epoch."""

    position: int
    sample_id: str
    annotator: str
    client: str
    origin: str
    session_id: int
    until: float


def write_reservations(
    cursor: duckdb.DuckDBPyConnection, project_id: str, taken: list[Reservation]
) -> None:
    """Keep reservations, so that they survive a restart; of a sample and a person, the last."""
    cursor.execute(
        "DELETE FROM labeling.reservations WHERE project_id = ? AND (sample_id, annotator) IN "
        "(SELECT (unnest(?::VARCHAR[]), unnest(?::VARCHAR[])))",
        [
            project_id,
            [each.sample_id for each in taken],
            [each.annotator for each in taken],
        ],
    )
    cursor.execute(
        "INSERT INTO labeling.reservations SELECT ?, unnest(?::INTEGER[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::INTEGER[]), to_timestamp(unnest(?::DOUBLE[]))",
        [
            project_id,
            [each.position for each in taken],
            [each.sample_id for each in taken],
            [each.annotator for each in taken],
            [each.client for each in taken],
            [each.origin for each in taken],
            [each.session_id for each in taken],
            [each.until for each in taken],
        ],
    )


def drop_old_reservations(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Forget reservations of samples that are decided by now, and of browsers that left
    without a word so long ago that their token is no longer good for a decision.

    Done when samples are handed out and not with every decision: until then they do no harm. A
    sample for several people may be decided by one and still be reserved for another.
    """
    decided = "(sample_id, annotator)" if project.settings.overlap_share else "sample_id"
    cursor.execute(
        "DELETE FROM labeling.reservations WHERE project_id = ? AND (until < to_timestamp(?) "
        f"OR {decided} IN (SELECT {decided} FROM {project.tables.metadata}))",
        [project.project_id, time.time() - LIFETIME],
    )
