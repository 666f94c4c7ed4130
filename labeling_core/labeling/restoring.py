"""Putting a decision back as an earlier event of the log has it."""

from __future__ import annotations

from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling.bookkeeping import Record, find_decided, write
from labeling_core.labeling.decisions import update_queue
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.queue import Queue
from labeling_core.labeling.reservations import Reservation
from labeling_core.people import Person
from labeling_core.projects import samples
from labeling_core.projects.renames import follow, read_renames
from labeling_core.settings import Project
from labeling_core.store import eventlog, events
from labeling_core.store.database import now
from labeling_core.store.events import Entry

KINDS = ("decision", "correction", "undo", "restore")  # after these it is known how things stood


def restore(open_projects: OpenProjects, project: Project, event_id: int, by: Person) -> None:
    """Bring status, label and comment of a sample back to what they were after an event.

    The decision stays that of the annotator who made it; the log gets one more event, and
    tables, counts and queries follow. A category that was renamed or merged since is what it
    is now. Raises LabelingError when that state cannot be had again, ForbiddenError when it
    is somebody else's decision and ``by`` is no admin.
    """
    by.require("label", project.project_id)
    database = open_projects.database
    with database.lock:
        queue = open_projects.queue(project)
        with database.transaction() as cursor:
            entry = _find_event(cursor, project.project_id, event_id)
            owner = whose(entry)
            if owner != by.name:
                by.require("manage", project.project_id)
            wanted = _wanted(cursor, project, entry)
            record = _record(cursor, project, queue, owner, entry)
            comment = entry.detail.get("comment") or None
            if (record.after, record.comment) == (wanted, comment if wanted else None):
                raise LabelingError(f"The decision on sample {entry.sample_id} is like that now.")
            moment = now()
            _apply(record, wanted, comment, queue)
            sample_id = record.reservation.sample_id
            asked = write(cursor, project, [record], moment)
            detail = _detail(record, entry, owner, asked.get(sample_id))
            eventlog.note(
                database, project.project_id, by, "restore", detail, sample_id, record.label_id
            )
        if record.before is None and record.label_id is not None:
            queue.next_label_id = record.label_id + 1
        update_queue(queue, owner, sample_id, record)
        queue.counts.revised[owner] += 1


def whose(entry: Entry) -> str:
    """The annotator whose decision an event is about."""
    return str(entry.detail.get("of") or entry.annotator)


def _find_event(cursor: duckdb.DuckDBPyConnection, project_id: str, event_id: int) -> Entry:
    found = events.find(cursor, project_id, event_id)
    if found is None or found.kind not in KINDS:
        raise LabelingError("This event is no decision that could be restored: choose another.")
    return found


def _wanted(
    cursor: duckdb.DuckDBPyConnection, project: Project, entry: Entry
) -> tuple[str, str | None] | None:
    """(status, label) after the event, by today's categories; None: the sample was undecided."""
    status, label = entry.detail.get("status"), entry.detail.get("label")
    if status is None:
        return None
    if status != "LABELED":
        return status, None
    renames = read_renames(cursor, project.project_id)
    label = follow([each for each in renames if each.event_id > entry.event_id], str(label))
    if label not in project.settings.names:
        raise LabelingError(
            f"The category “{label}” is gone: add it in the settings first, then restore this."
        )
    return status, label


def _record(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, owner: str, entry: Entry
) -> Record:
    """The sample as it is decided now by ``owner``, or free to be decided again."""
    sample_id = str(entry.sample_id)
    found = find_decided(cursor, project, [(owner, sample_id)])
    record = found.get((owner, sample_id)) or Record(
        queue.reservations.find(sample_id, owner)
        or _reservation(cursor, project, queue, owner, sample_id)
    )
    reservation = record.reservation
    record.shared = queue.overlap.find(reservation.position, sample_id, reservation.origin)
    if record.before is None:
        _require_free(cursor, project, queue, record)
    return record


def _require_free(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, record: Record
) -> None:
    """Raise LabelingError when a decision more on the sample is not wanted."""
    owner, sample_id = record.reservation.annotator, record.reservation.sample_id
    other = cursor.execute(
        f"SELECT annotator FROM {project.tables.metadata} WHERE sample_id = ? LIMIT 1",
        [sample_id],
    ).fetchone()
    if other is not None and not (record.shared is not None and record.shared.missing):
        raise LabelingError(f"Sample {sample_id} was decided by {other[0]} since: restore that.")
    holder = queue.reservations.get(sample_id)
    if holder is not None and holder.annotator != owner:
        raise LabelingError(
            f"Sample {sample_id} is with {holder.annotator} now: try again when it is decided "
            "or handed back."
        )


def _reservation(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, owner: str, sample_id: str
) -> Reservation:
    row = cursor.execute(
        f"SELECT {samples.PLACE} FROM {samples.table(project.project_id)} "
        f"WHERE {samples.SAMPLE_ID} = ?",
        [sample_id],
    ).fetchone()
    if row is None:
        raise LabelingError(f"Sample {sample_id} is no longer in the source.")
    position = int(row[0])
    origin = queue.pool.origin(position)
    return Reservation(position, sample_id, owner, "", origin, queue.session_id, 0.0)


def _apply(
    record: Record, wanted: tuple[str, str | None] | None, comment: str | None, queue: Queue
) -> None:
    record.after, record.comment = wanted, comment if wanted else None
    if wanted is None:
        if record.label_id is not None:
            record.retired.append(record.label_id)
        record.label_id = None
    elif record.label_id is None:
        record.label_id = queue.next_label_id


def _detail(
    record: Record, entry: Entry, owner: str, asked: dict[str, Any] | None
) -> dict[str, Any]:
    status, label = record.after or (None, None)
    detail: dict[str, Any] = {
        "status": status, "label": label, "comment": record.comment, "was": record.before,
        "of": owner, "event": entry.event_id,
    }  # fmt: skip
    return detail | ({"asked": asked} if asked else {})
