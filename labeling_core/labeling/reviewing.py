"""Decisions on labels that exist already: keep one, change one, take that back.

A change is a correction: the label changes in metadata and labels. ``annotator`` and
``labeled_at`` stay with whoever labeled the sample first; the event log tells who corrected what
to what, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import duckdb

from labeling_core.labeling import pipeline
from labeling_core.labeling.bookkeeping import Decision, Event
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.pipeline import Part, Refusal, Work
from labeling_core.people import Person
from labeling_core.settings import Project
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
    open_projects: OpenProjects, project_id: str, by: Person, decisions: Sequence[Decision]
) -> list[Refusal]:
    """Store decisions of a review in one transaction; see pipeline.submit.

    ``action`` is keep (``category`` is the label seen), label (``category`` is the new one) or
    undo (``category`` is the label to go back to). With the role annotator only one's own labels
    can be reviewed. What cannot be stored is returned, and counts as dealt with.
    """
    by.require("label", project_id)
    (refusals,) = pipeline.submit(
        open_projects, project_id, [Part(by.name, decisions)], partial(_Reviewing, by)
    )
    return refusals


class _Reviewing:
    """A label that exists is kept, changed, or put back to what it was."""

    def __init__(self, by: Person, work: Work, parts: Sequence[Part]) -> None:
        self.by, self.work = by, work
        everybody = by.may("manage", work.project.project_id)
        named = [each.sample_id for part in parts for each in part.decisions]
        found = _labels(work.cursor, work.project, named)
        for sample_id in found.keys() & work.queue.overlap.shared.keys():
            found[sample_id].shared = True
        self.labels = {k: v for k, v in found.items() if everybody or v.annotator == by.name}

    def refuse(self, annotator: str, decision: Decision) -> str:
        """Why a decision cannot be stored; empty if it can."""
        label = self.labels.get(decision.sample_id)
        return _refuse(self.work.project, self.by, decision, label)

    def apply(self, annotator: str, decision: Decision) -> Event:
        """Work a decision into the label that it is about."""
        label = self.labels[decision.sample_id]
        is_undo = decision.action == "undo"
        detail: dict[str, object] = {"status": "LABELED", "label": decision.category}
        if not is_undo:
            label.comment, label.touched = decision.comment or None, True
            detail["comment"] = label.comment
        kind = "correction" if decision.category != label.after else "review"
        if kind == "correction":
            detail["was"] = ("LABELED", label.after)
        detail["of"] = label.annotator
        detail["reviewed"] = "" if is_undo else decision.category
        label.after = str(decision.category)
        return Event(kind, annotator, decision, label.label_id, detail)

    def write(self, events: Sequence[Event]) -> None:
        """Bring metadata and labels in line."""
        _write(self.work.cursor, self.work.project, list(self.labels.values()))

    def remember(self) -> None:
        """The counts by category follow, and whose decisions were changed elsewhere is known."""
        counts = self.work.queue.counts
        counts.revised.update(each.annotator for each in self.labels.values() if each.changed)
        for each in self.labels.values():
            counts.corrected(each.before, each.after)


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
