"""Labeling as use cases: store decisions, hand out samples, look back at one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.labeling.bookkeeping import (
    Decision,
    Event,
    Record,
    find_decided,
    write,
    write_events,
)
from labeling_core.labeling.queue import Queue
from labeling_core.projects import samples
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.projects.renames import follow, read_renames
from labeling_core.settings import Project
from labeling_core.store.database import Database, now


class Refusal(NamedTuple):
    """A decision that could not be stored, with the reason in a sentence."""

    client: str
    seq: int
    sample_id: str
    reason: str


class Part(NamedTuple):
    """The decisions that one message brings, and whose they are."""

    annotator: str
    decisions: Sequence[Decision]


Records = dict[tuple[str, str], Record]  # by annotator and sample_id


def submit(
    database: Database, project: Project, queue: Queue, parts: Sequence[Part]
) -> list[list[Refusal]]:
    """Store decisions in one transaction, each exactly once and in the order of ``seq``.

    What is known already is passed over; a gap in a browser's numbers waits for the resend.
    The decisions that cannot be stored are returned, part by part; they count as dealt with.
    No two parts may be of one browser, or name the same sample: see :func:`can_join`.

    Inside another transaction ``queue`` is ahead of the tables until that one is committed.
    """
    with database.lock:
        last: dict[str, int] = {}
        parts = [Part(each.annotator, in_sequence(each.decisions, queue, last)) for each in parts]
        if not last:
            return [[] for _ in parts]
        with database.transaction() as cursor:
            parts = [
                each._replace(decisions=follow_decisions(cursor, project, each.decisions))
                for each in parts
            ]
            moment = now()
            work = _Work(project, _find(cursor, project, queue, parts), queue.next_label_id)
            refusals = [work.apply(each) for each in parts]
            asked = write(cursor, project, work.records.values(), moment)
            for event in work.events:
                if event.kind == "decision" and event.decision.sample_id in asked:
                    event.detail["asked"] = asked[event.decision.sample_id]
            write_events(cursor, project.project_id, work.events, moment)
        queue.last_seq.update(last)
        if queue.heard is not None:
            queue.heard.update(last)
        queue.next_label_id = work.next_label_id
        for (annotator, sample_id), record in work.records.items():
            update_queue(queue, annotator, sample_id, record, queue.clock())
    return refusals


def can_join(decisions: Sequence[Decision], others: Sequence[Part]) -> bool:
    """Whether these decisions and the others may be stored at once: they do not depend on
    each other, so that it is as if one message had come after the other."""
    known = [each for part in others for each in part.decisions]
    clients, sample_ids = {each.client for each in known}, {each.sample_id for each in known}
    return not any(each.client in clients or each.sample_id in sample_ids for each in decisions)


def in_sequence(
    decisions: Sequence[Decision], queue: Queue, last: dict[str, int]
) -> list[Decision]:
    """The decisions that follow without a gap on what is stored; ``last`` takes up how far.

    A backup that was put back has forgotten the last ones of each browser: what is new follows
    on that gap.
    """
    fresh = []
    for each in sorted(decisions, key=lambda d: (d.client, d.seq)):
        before = last.get(each.client, queue.last_seq.get(each.client, 0))
        forgot = each.client not in last and queue.forgot(each.client)
        if each.seq == before + 1 or (forgot and each.seq > before):
            last[each.client] = each.seq
            fresh.append(each)
    return fresh


def _find(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, parts: Sequence[Part]
) -> Records:
    """The samples that the annotators may decide, of those that their decisions name."""
    records: Records = {}
    unknown = []
    named = [(part.annotator, each.sample_id) for part in parts for each in part.decisions]
    for annotator, sample_id in dict.fromkeys(named):
        reservation = queue.find(sample_id, annotator)
        if reservation is None:
            unknown.append((annotator, sample_id))
        else:
            records[annotator, sample_id] = Record(reservation)
    if unknown:
        records |= find_decided(cursor, project, unknown)
    for each in records.values():
        handed = each.reservation
        each.shared = queue.overlap.find(handed.position, handed.sample_id, handed.origin)
    return records


class _Work:
    """Decisions being worked into ``records``, with the events that tell of it."""

    def __init__(self, project: Project, records: Records, next_label_id: int) -> None:
        self.project, self.records, self.next_label_id = project, records, next_label_id
        self.events: list[Event] = []

    def apply(self, part: Part) -> list[Refusal]:
        """Work in the decisions of one part; the refusals among them."""
        refusals = []
        for each in part.decisions:
            record = self.records.get((part.annotator, each.sample_id))
            reason = _refuse(self.project, each, record)
            if reason or record is None:
                refusals.append(Refusal(each.client, each.seq, each.sample_id, reason))
                detail = {"reason": reason, "action": each.action, "category": each.category}
                self.events.append(Event("refused", part.annotator, each, None, detail))
            elif each.action == "undo":
                self._take_back(part.annotator, each, record)
            else:
                self._decide(part.annotator, each, record)
        return refusals

    def _take_back(self, annotator: str, decision: Decision, record: Record) -> None:
        detail: dict[str, object] = {"was": record.after}
        self.events.append(Event("undo", annotator, decision, record.label_id, detail))
        if record.label_id is not None:
            record.retired.append(record.label_id)
        record.after, record.label_id, record.comment, record.seconds = None, None, None, 0.0
        record.reservation = record.reservation._replace(client=decision.client)

    def _decide(self, annotator: str, decision: Decision, record: Record) -> None:
        was = record.after
        if record.label_id is None:
            record.label_id, self.next_label_id = self.next_label_id, self.next_label_id + 1
        labeled = decision.action == "label"
        record.after = ("LABELED", decision.category) if labeled else ("SKIPPED", None)
        record.comment = decision.comment or None
        record.seconds += decision.seconds
        status, label = record.after
        detail: dict[str, object] = {"status": status, "label": label, "comment": decision.comment}
        if was is not None:
            detail["was"] = was
        kind = "decision" if was is None else "correction"
        self.events.append(Event(kind, annotator, decision, record.label_id, detail))


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
    if decision.action == "label" and _retired(project, decision.category):
        kept = record.after is not None and record.after[1] == decision.category
        return "" if kept else f"“{str(decision.category)[:60]}” was retired: choose another one."
    if decision.action == "undo" and record.after is None:
        return "There is no decision on this sample to take back."
    return ""


def _retired(project: Project, category: str | None) -> bool:
    return any(each.retired and each.name == category for each in project.settings.categories)


def update_queue(
    queue: Queue, annotator: str, sample_id: str, record: Record, moment: float
) -> None:
    """Take over into memory what has been committed for one sample."""
    for state, step in ((record.before, -1), (record.after, 1)):
        if state is not None:
            queue.by_annotator[annotator] += step
            queue.decisions[state[1]] += step
            if record.shared is None:
                queue.count(state, step)
    if record.shared_after is not None:
        queue.keep(record.shared_after)
    if record.after is not None:
        queue.close(record.reservation.position, sample_id, annotator)
    elif record.before is not None:
        queue.reopen(record.reservation._replace(until=moment + queue.hold_seconds))


class PastDecision(NamedTuple):
    """One of an annotator's own decisions: where the sample is, and what was decided."""

    position: int
    sample_id: str
    status: str
    category: str | None
    comment: str | None


def history(
    cursor: duckdb.DuckDBPyConnection, project: Project, annotator: str, index: int, count: int
) -> list[PastDecision]:
    """``count`` of the annotator's own decisions from number ``index`` on, oldest first."""
    tables = project.tables
    rows = cursor.execute(
        f"WITH own AS (SELECT * FROM {tables.metadata} WHERE annotator = ? "
        f"AND origin <> '{ADJUDICATION}' ORDER BY {tables.label_id} LIMIT ? OFFSET ?) "
        f"SELECT s.{samples.PLACE}, own.sample_id, own.status, own.{tables.label}, "
        f"own.comment FROM own JOIN {samples.keys(project.project_id)} AS s "
        f"ON s.{samples.SAMPLE_ID} = own.sample_id ORDER BY own.{tables.label_id}",
        [annotator, count, index],
    ).fetchall()
    return [PastDecision(*row) for row in rows]


def follow_decisions(
    cursor: duckdb.DuckDBPyConnection, project: Project, decisions: Sequence[Decision]
) -> list[Decision]:
    """Decisions by today's categories: a browser may not know yet what has been renamed."""
    known = [_known(project, each) for each in decisions]
    if min(known, default=project.renames) >= project.renames:
        return list(decisions)
    renames = read_renames(cursor, project.project_id)
    return [
        each
        if each.category is None
        else each._replace(category=follow(renames[number:], each.category))
        for each, number in zip(decisions, known, strict=True)
    ]


def _known(project: Project, decision: Decision) -> int:
    """Of how many renames the browser knew (see views.offered_categories) when this was decided."""
    detail = decision.offered.partition("-")[0]
    if detail.isdecimal():
        return int(detail)
    return project.renames if decision.category in (None, *project.settings.names) else 0
