"""Decisions on labels that exist already: keep one, change one, take that back.

A change is a correction: the label changes in metadata and labels. ``annotator`` and
``labeled_at`` stay with whoever labeled the sample first; the event log tells who corrected what
to what, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from labeling_core.labeling.bookkeeping import Decision, Event, write_events
from labeling_core.labeling.decisions import Refusal, follow_decisions, in_sequence
from labeling_core.labeling.queue import Queue
from labeling_core.people import Person
from labeling_core.settings import Project
from labeling_core.store.database import Database, now
from labeling_core.store.events import last_reviewers


@dataclass
class _Label:
    """A label while a message is worked through: as stored, and as it shall be."""

    label_id: int
    annotator: str
    reviewer: str | None
    before: str
    after: str
    comment: str | None
    touched: bool = False  # by this message
    shared: bool = False  # several people decide on the sample

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.touched or self.before != self.after


def submit(
    database: Database,
    project: Project,
    queue: Queue,
    by: Person,
    decisions: Sequence[Decision],
) -> list[Refusal]:
    """Store decisions of a review in one transaction, exactly once, in the order of ``seq``.

    ``action`` is keep (``category`` is the label seen), label (``category`` is the new one) or
    undo (``category`` is the label to go back to). With the role annotator only one's own labels
    can be reviewed. What cannot be stored is returned, and counts as dealt with.
    """
    by.require("label", project.project_id)
    with database.lock:
        last: dict[str, int] = {}
        fresh = in_sequence(decisions, queue, last)
        if not fresh:
            return []
        everybody = by.may("manage", project.project_id)
        with database.transaction() as cursor:
            fresh = follow_decisions(cursor, project, fresh)
            labels = _labels(cursor, project, [each.sample_id for each in fresh])
            for sample_id in labels.keys() & queue.overlap.shared.keys():
                labels[sample_id].shared = True
            known = {k: v for k, v in labels.items() if everybody or v.annotator == by.name}
            refusals, events = _apply(project, by, fresh, known)
            _write(cursor, project, list(known.values()))
            write_events(cursor, project.project_id, events, now())
        queue.last_seq.update(last)
        if queue.heard is not None:
            queue.heard.update(last)
        queue.revised.update(each.annotator for each in known.values() if each.changed)
        for each in known.values():
            for counts in (queue.categories, queue.decisions):
                counts[each.before] -= 1
                counts[each.after] += 1
    return refusals


def _labels(
    cursor: duckdb.DuckDBPyConnection, project: Project, sample_ids: list[str]
) -> dict[str, _Label]:
    tables = project.tables
    rows = cursor.execute(
        f"SELECT sample_id, {tables.label_id}, annotator, {tables.label}, comment "
        f"FROM {tables.metadata} WHERE status = 'LABELED' "
        "AND sample_id IN (SELECT unnest(?::VARCHAR[])) "
        f"AND {tables.label_id} IN (SELECT {tables.label_id} FROM {tables.labels})",
        [sample_ids],
    ).fetchall()
    reviewers = last_reviewers(cursor, project.project_id, sample_ids)
    return {
        sample_id: _Label(label_id, annotator, reviewers.get(sample_id), label, label, comment)
        for sample_id, label_id, annotator, label, comment in rows
    }


def _apply(
    project: Project, by: Person, decisions: Sequence[Decision], labels: dict[str, _Label]
) -> tuple[list[Refusal], list[Event]]:
    """Work the decisions into ``labels``; the refusals and the events."""
    refusals: list[Refusal] = []
    events: list[Event] = []
    for each in decisions:
        label = labels.get(each.sample_id)
        reason = _refuse(project, by, each, label)
        if reason or label is None:
            refusals.append(Refusal(each.client, each.seq, each.sample_id, reason))
            details = {"reason": reason, "action": each.action, "category": each.category}
            events.append(Event("refused", by.name, each, None, details))
            continue
        detail: dict[str, object] = {"status": "LABELED", "label": each.category}
        if each.action != "undo":
            label.comment, label.touched = each.comment or None, True
            detail["comment"] = label.comment
        if each.category != label.after:
            detail["was"] = ("LABELED", label.after)
        detail["of"] = label.annotator
        detail["reviewed"] = "" if each.action == "undo" else each.category
        kind = "correction" if each.category != label.after else "review"
        events.append(Event(kind, by.name, each, label.label_id, detail))
        label.after = str(each.category)
    return refusals, events


def _refuse(project: Project, by: Person, decision: Decision, label: _Label | None) -> str:
    """Why a decision cannot be stored; empty if it can."""
    if label is None:
        return "This sample has no label (any more) that you may review."
    if decision.action not in ("keep", "label", "undo"):
        return f"“{decision.action[:20]}” is no decision of a review."
    if label.shared and decision.category != label.after:
        return "Several people have decided on this sample: settle it under “Disagreements”."
    if decision.action == "keep" and decision.category != label.after:
        return f"The label was changed to “{label.after}” meanwhile: look at it again."
    if decision.action == "undo" and not label.touched and label.reviewer != by.name:
        return "Another person has reviewed this label since: there is nothing of yours to undo."
    if decision.category not in project.settings.names and decision.category != label.before:
        return f"“{str(decision.category)[:60]}” is no category of this project any more."
    return ""


def _write(cursor: duckdb.DuckDBPyConnection, project: Project, labels: list[_Label]) -> None:
    """Bring metadata and labels in line."""
    tables = project.tables
    changed = [each for each in labels if each.changed]
    if not changed:
        return
    values = [
        [each.label_id for each in changed],
        [each.after for each in changed],
        [each.comment for each in changed],
    ]
    new = (
        "(SELECT unnest(?::BIGINT[]) AS number, unnest(?::VARCHAR[]) AS name, "
        "unnest(?::VARCHAR[]) AS said) AS new"
    )
    cursor.execute(
        f"UPDATE {tables.metadata} AS kept SET {tables.label} = new.name, "
        f"comment = new.said FROM {new} WHERE kept.{tables.label_id} = new.number",
        values,
    )
    cursor.execute(
        f"UPDATE {tables.labels} AS kept SET {tables.label} = new.name FROM {new} "
        f"WHERE kept.{tables.label_id} = new.number",
        values,
    )
