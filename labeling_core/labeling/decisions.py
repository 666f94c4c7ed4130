"""Labeling as use cases: store decisions, hand out samples, look back at one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from labeling_core.labeling import pipeline
from labeling_core.labeling.bookkeeping import Decision, Event, Record, find_decided, write
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.pipeline import Part, Refusal, Work
from labeling_core.labeling.queue import Queue
from labeling_core.projects import samples
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project

Records = dict[tuple[str, str], Record]  # by annotator and sample_id


def submit(
    open_projects: OpenProjects, project_id: str, parts: Sequence[Part]
) -> list[list[Refusal]]:
    """Store the decisions of several annotators in one transaction; see pipeline.submit.

    ``action`` is label, skip or undo, on a sample that the annotator holds or has decided.
    """
    return pipeline.submit(open_projects, project_id, parts, _Labeling)


class _Labeling:
    """A decision on a sample that was handed out, a change of it, or taking it back."""

    def __init__(self, work: Work, parts: Sequence[Part]) -> None:
        self.work = work
        self.records = _find(work, parts)
        self.next_label_id = work.queue.next_label_id

    def refuse(self, annotator: str, decision: Decision) -> str:
        """Why a decision cannot be stored; empty if it can."""
        record = self.records.get((annotator, decision.sample_id))
        return _refuse(self.work.project, decision, record)

    def apply(self, annotator: str, decision: Decision) -> Event:
        """Work a decision into the record of its sample."""
        record = self.records[annotator, decision.sample_id]
        if decision.action == "undo":
            return self._take_back(annotator, decision, record)
        return self._decide(annotator, decision, record)

    def write(self, events: Sequence[Event]) -> None:
        """Bring the tables in line; the events keep what the queries table said."""
        cursor, project, _, moment = self.work
        asked = write(cursor, project, self.records.values(), moment)
        for event in events:
            if event.kind == "decision" and event.decision.sample_id in asked:
                event.detail["asked"] = asked[event.decision.sample_id]

    def remember(self) -> None:
        """Samples leave the pool or come back, and the counts follow."""
        queue = self.work.queue
        queue.next_label_id = self.next_label_id
        for (annotator, sample_id), record in self.records.items():
            update_queue(queue, annotator, sample_id, record)

    def _take_back(self, annotator: str, decision: Decision, record: Record) -> Event:
        event = Event("undo", annotator, decision, record.label_id, {"was": record.after})
        if record.label_id is not None:
            record.retired.append(record.label_id)
        record.after, record.label_id, record.comment, record.seconds = None, None, None, 0.0
        record.reservation = record.reservation._replace(client=decision.client)
        return event

    def _decide(self, annotator: str, decision: Decision, record: Record) -> Event:
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
        return Event(kind, annotator, decision, record.label_id, detail)


def _find(work: Work, parts: Sequence[Part]) -> Records:
    """The samples that the annotators may decide, of those that their decisions name."""
    cursor, project, queue, _ = work
    records: Records = {}
    unknown = []
    named = [(part.annotator, each.sample_id) for part in parts for each in part.decisions]
    for annotator, sample_id in dict.fromkeys(named):
        reservation = queue.reservations.find(sample_id, annotator)
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


def update_queue(queue: Queue, annotator: str, sample_id: str, record: Record) -> None:
    """Take over into memory what has been committed for one sample."""
    for state, step in ((record.before, -1), (record.after, 1)):
        if state is not None:
            queue.counts.decided(annotator, state[1], step)
            if record.shared is None:
                queue.counts.stands(state, step)
    if record.shared_after is not None:
        queue.keep(record.shared_after)
    if record.after is not None:
        queue.close(record.reservation.position, sample_id, annotator)
    elif record.before is not None:
        queue.reopen(record.reservation)


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
