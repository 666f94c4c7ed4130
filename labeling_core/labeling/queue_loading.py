"""The queue of a project, rebuilt from its tables."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import numpy as np

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue
from labeling_core.labeling.reservations import Reservation
from labeling_core.projects import final_labels, labels, queries, samples
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project
from labeling_core.store import events


def load(cursor: duckdb.DuckDBPyConnection, project: Project, moment: float) -> Queue:
    """Rebuild the queue of a project from its tables; ``moment`` in seconds since the epoch."""
    settings = project.settings
    queue = Queue(
        total=project.samples,
        probe_limit=0 if settings.test_table else project.probe_limit,
        probe_share=0.0 if settings.test_table else settings.probe_share,
        seed=settings.seed,
        hold_seconds=30.0 * max(settings.every, 20),
        settings=settings,
    )
    queue.pool.set_apart(labels.set_apart(cursor, project))
    _load_decisions(cursor, project, queue)
    _load_order(cursor, project, queue)
    rows = cursor.execute(
        "SELECT place, sample_id, annotator, client, origin, session_id "
        "FROM labeling.reservations WHERE project_id = ? ORDER BY until",
        [project.project_id],
    ).fetchall()
    for position, sample_id, annotator, client, origin, session_id in rows:
        until = moment + queue.reservations.seconds
        known = Reservation(position, sample_id, annotator, client, origin, session_id, until)
        if queue.reservations.is_wanted(known, known.annotator):
            queue.reservations.take(known)
    _load_clients(cursor, project, queue)
    return queue


def _load_clients(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> None:
    senders = events.senders(cursor, project.project_id)
    queue.sequences.last = {Browser(each.annotator, each.client): each.last_seq for each in senders}
    put_back = events.last_put_back(cursor)
    if put_back is not None:
        since = [each for each in senders if each.last_event > put_back]
        queue.sequences.heard = {Browser(each.annotator, each.client) for each in since}


def _load_decisions(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> None:
    keys, metadata = samples.keys(project.project_id), project.tables.metadata
    found = cursor.execute(
        f"SELECT {samples.PLACE} AS place, "
        f"{samples.SAMPLE_ID} IN (SELECT sample_id FROM {metadata}) AS decided, "
        f"NOT {samples.PRESENT} OR {samples.SAMPLE_ID} IN (SELECT sample_id FROM labeling.broken "
        f"WHERE project_id = ?) AS gone FROM {keys} WHERE decided OR gone",
        [project.project_id],
    ).fetchnumpy()
    positions = np.asarray(found["place"], dtype=np.int64)
    queue.pool.closed[positions] = True
    queue.counts.aside = int((~np.asarray(found["decided"], dtype=bool)).sum())
    rows = cursor.execute(
        f"SELECT status, {project.tables.label}, annotator, count(*) FROM {metadata} "
        "WHERE origin <> ? GROUP BY ALL",
        [ADJUDICATION],
    ).fetchall()
    for status, name, annotator, number in rows:
        queue.counts.decided(annotator, name if status == "LABELED" else None, number)
        queue.counts.stands((status, name), number)
    _load_shared(cursor, project, queue, set(positions[np.asarray(found["gone"], bool)].tolist()))
    row = cursor.execute(
        f"SELECT coalesce(max({project.tables.label_id}), 0) FROM {metadata}"
    ).fetchone()
    used = events.highest_label_id(cursor, project.project_id)
    queue.next_label_id = max(int(row[0]) if row else 0, used) + 1


def _load_shared(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, gone: set[int]
) -> None:
    """Samples for several people count by how they stand, not by each decision on them."""
    final_labels.load(cursor, project, queue.overlap)
    for each in list(queue.overlap.shared.values()):
        for vote in each.votes.values():
            queue.counts.stands((vote.status, vote.category), -1)
        queue.counts.stands(each.standing, 1)
        if each.position in gone:
            queue.overlap.keep(each := replace(each, withdrawn=True))
        queue.counts.further += max(len(each.votes) + each.missing - 1, 0)
        queue.overlap.offer(each.sample_id)
    queue.counts.further += queue.overlap.untouched(queue.pool.closed)


def _load_order(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> None:
    row = cursor.execute(
        "SELECT max(session_id) FROM labeling.sessions WHERE project_id = ? AND state = 'DONE'",
        [project.project_id],
    ).fetchone()
    if not project.settings.queries_table:
        return
    positions = cursor.execute(
        f"SELECT place FROM {queries.table(project.project_id)} ORDER BY rank"
    ).fetchnumpy()["place"]
    session_id = int(row[0]) if row and row[0] else 0
    if session_id or len(positions):
        queue.set_order(np.asarray(positions, dtype=np.int32), session_id)
