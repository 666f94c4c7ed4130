"""Labeling as use cases: store decisions, hand out samples, look back at one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core import samples
from labeling_core.bookkeeping import (
    Decision,
    Event,
    Record,
    drop_decided_reservations,
    find_decided,
    write,
    write_events,
    write_reservations,
)
from labeling_core.database import Database, now, quote
from labeling_core.queue import Queue, Reservation
from labeling_core.settings import Project


class Refusal(NamedTuple):
    """A decision that could not be stored, with the reason in a sentence."""

    client: str
    seq: int
    sample_id: str
    reason: str


def submit(
    database: Database,
    project: Project,
    queue: Queue,
    annotator: str,
    decisions: Sequence[Decision],
) -> list[Refusal]:
    """Store decisions in one transaction, each exactly once and in the order of ``seq``.

    What is known already is passed over; a gap in a browser's numbers waits for the resend.
    The decisions that cannot be stored are returned; they count as dealt with.
    """
    with database.lock:
        fresh, last = in_sequence(decisions, queue.last_seq)
        if not fresh:
            return []
        with database.transaction() as cursor:
            records = _find(cursor, project, queue, annotator, fresh)
            moment = now()
            refusals, events, next_id = _apply(project, annotator, fresh, records, queue)
            asked = write(cursor, project, annotator, records, moment)
            for event in events:
                if event.kind == "decision" and event.decision.sample_id in asked:
                    event.detail["asked"] = asked[event.decision.sample_id]
            write_events(cursor, project.project_id, annotator, events, moment)
        queue.last_seq.update(last)
        queue.next_label_id = next_id
        for sample_id, record in records.items():
            _update_queue(queue, annotator, sample_id, record, moment.timestamp())
    return refusals


def in_sequence(
    decisions: Sequence[Decision], known: dict[str, int]
) -> tuple[list[Decision], dict[str, int]]:
    """The decisions that follow without a gap on what is stored, and the new last numbers."""
    last: dict[str, int] = {}
    fresh = []
    for each in sorted(decisions, key=lambda d: (d.client, d.seq)):
        if each.seq == last.get(each.client, known.get(each.client, 0)) + 1:
            last[each.client] = each.seq
            fresh.append(each)
    return fresh, last


def _find(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    queue: Queue,
    annotator: str,
    decisions: Sequence[Decision],
) -> dict[str, Record]:
    """The samples that this annotator may decide, of those that the decisions name."""
    records: dict[str, Record] = {}
    unknown = []
    for sample_id in dict.fromkeys(each.sample_id for each in decisions):
        reservation = queue.find(sample_id, annotator)
        if reservation is None:
            unknown.append(sample_id)
        else:
            records[sample_id] = Record(reservation)
    if unknown:
        records |= find_decided(cursor, project, annotator, unknown)
    return records


def _apply(
    project: Project,
    annotator: str,
    decisions: Sequence[Decision],
    records: dict[str, Record],
    queue: Queue,
) -> tuple[list[Refusal], list[Event], int]:
    """Work the decisions into ``records``; the refusals, the events and the next label id."""
    refusals: list[Refusal] = []
    events: list[Event] = []
    next_id = queue.next_label_id
    for each in decisions:
        record = records.get(each.sample_id)
        reason = _refuse(project, each, record)
        if reason or record is None:
            refusals.append(Refusal(each.client, each.seq, each.sample_id, reason))
            told = {"reason": reason, "action": each.action, "category": each.category}
            events.append(Event("refused", each, None, told))
            continue
        was = record.after
        if each.action == "undo":
            events.append(Event("undo", each, record.label_id, {"was": was}))
            if record.label_id is not None:
                record.retired.append(record.label_id)
            record.after, record.label_id, record.comment, record.seconds = None, None, None, 0.0
            record.reservation = record.reservation._replace(client=each.client)
            continue
        if record.label_id is None:
            record.label_id, next_id = next_id, next_id + 1
        record.after = ("LABELED", each.category) if each.action == "label" else ("SKIPPED", None)
        record.comment = each.comment or None
        record.seconds += each.seconds
        detail: dict[str, object] = {
            "status": record.after[0],
            "label": record.after[1],
            "comment": each.comment,
        }
        kind = "decision" if was is None else "correction"
        if was is not None:
            detail["was"] = was
        events.append(Event(kind, each, record.label_id, detail))
    return refusals, events, next_id


def _refuse(project: Project, decision: Decision, record: Record | None) -> str:
    """Why a decision cannot be stored; empty if it can."""
    if record is None:
        return (
            "This sample has been decided by another annotator meanwhile, or was never handed "
            "to you: your decision on it was not stored."
        )
    if decision.action not in ("label", "skip", "undo"):
        return f"“{decision.action[:20]}” is no decision."
    if decision.action == "label" and decision.category not in project.settings.names:
        return f"“{str(decision.category)[:60]}” is no category of this project any more."
    if decision.action == "undo" and record.after is None:
        return "There is no decision on this sample to take back."
    return ""


def _update_queue(
    queue: Queue, annotator: str, sample_id: str, record: Record, moment: float
) -> None:
    """Take over into memory what has been committed for one sample."""
    for state, step in ((record.before, -1), (record.after, 1)):
        if state is None:
            continue
        queue.by_annotator[annotator] += step
        if state[0] == "LABELED":
            queue.labeled += step
            queue.categories[str(state[1])] += step
        else:
            queue.skipped += step
    if record.after is not None:
        queue.close(record.reservation.place, sample_id)
    elif record.before is not None:
        queue.reopen(record.reservation._replace(until=moment + queue.hold_seconds))


def hand_out(
    database: Database, project: Project, queue: Queue, annotator: str, client: str, wanted: int
) -> list[Reservation]:
    """Reserve up to ``wanted`` samples for one browser; no other gets them meanwhile.

    Never more than a quarter of a browser's fair share of what is free, so that the last
    samples of a pool do not wait in somebody's prefetch.
    """
    with database.lock:
        moment = now()
        clients = len({each.client for each in queue.held.values()} | {client})
        fair = max(4, queue.free() // (4 * clients))
        taken = queue.take(min(wanted, fair), annotator, client, moment.timestamp())
        if not taken:
            return []
        with database.transaction() as cursor:
            found = samples.ids(cursor, project.project_id, [each.place for each in taken])
            taken = [each._replace(sample_id=found[each.place]) for each in taken]
            drop_decided_reservations(cursor, project)
            write_reservations(cursor, project.project_id, taken)
        for each in taken:
            queue.restore(each)
    return taken


class PastDecision(NamedTuple):
    """One of an annotator's own decisions: where the sample is, and what was decided."""

    place: int
    sample_id: str
    status: str
    category: str | None
    comment: str | None


def history(
    cursor: duckdb.DuckDBPyConnection, project: Project, annotator: str, index: int, count: int
) -> list[PastDecision]:
    """``count`` of the annotator's own decisions from number ``index`` on, oldest first."""
    settings = project.settings
    label_id = quote(settings.label_id_column)
    rows = cursor.execute(
        f"WITH own AS (SELECT * FROM main.{quote(settings.metadata_table)} WHERE annotator = ? "
        f"ORDER BY {label_id} LIMIT ? OFFSET ?) "
        f"SELECT s.{samples.PLACE}, own.sample_id, own.status, own.{quote(settings.label_column)}, "
        f"own.comment FROM own JOIN {samples.table(project.project_id)} AS s "
        f"ON s.{samples.SAMPLE_ID} = own.sample_id ORDER BY own.{label_id}",
        [annotator, count, index],
    ).fetchall()
    return [PastDecision(*row) for row in rows]
