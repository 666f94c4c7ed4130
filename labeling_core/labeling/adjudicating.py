"""Settling samples about which people disagree: who said what, and an adjudicator's decision.

A ruling is a row of the metadata table with the origin ``adjudication``; what people decided
stays as it is. The event log tells of every ruling, its changes and of taking it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import duckdb

from labeling_core.labeling import pipeline
from labeling_core.labeling.bookkeeping import Decision, Event
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.pipeline import Part, Refusal, Work
from labeling_core.people import Person
from labeling_core.projects import final_labels
from labeling_core.projects.overlap import ADJUDICATION, Shared, Vote
from labeling_core.settings import Project


class Opinion(NamedTuple):
    """What one person said about a sample; ``category`` None is a skip."""

    annotator: str
    category: str | None
    comment: str | None


class Dispute(NamedTuple):
    """A sample that waits for an adjudicator, or has been settled by one (``ruling``)."""

    position: int
    sample_id: str
    opinions: list[Opinion]
    ruling: Opinion | None


class Disputes(NamedTuple):
    """Samples that wait, the one with the oldest decision first, and those that have been settled,
    the latest ruling last."""

    waiting: list[Shared]
    settled: list[Shared]


def disputes(open_projects: OpenProjects, project: Project, by: Person) -> Disputes:
    """What there is, and was, for an adjudicator to do."""
    by.require("manage", project.project_id)
    with open_projects.database.lock:
        known = list(open_projects.queue(project).overlap.shared.values())
    settled = [(each.ruling.label_id, each) for each in known if each.ruling is not None]
    settled.sort(key=lambda pair: pair[0])
    waiting = [each for each in known if each.is_disputed]
    return Disputes(waiting, [each for _, each in settled])


def describe(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Sequence[Shared]
) -> list[Dispute]:
    """Who said what about these samples."""
    comments = _comments(cursor, project, wanted)

    def opinion(vote: Vote) -> Opinion:
        return Opinion(vote.annotator, vote.category, comments.get(vote.label_id))

    return [
        Dispute(
            each.position,
            each.sample_id,
            [opinion(vote) for vote in sorted(each.votes.values())],
            None if each.ruling is None else opinion(each.ruling),
        )
        for each in wanted
    ]


def _comments(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Iterable[Shared]
) -> dict[int, str | None]:
    votes = [each.label_id for shared in wanted for each in shared.votes.values()]
    votes += [shared.ruling.label_id for shared in wanted if shared.ruling is not None]
    label_id = project.tables.label_id
    rows = cursor.execute(
        f"SELECT {label_id}, comment FROM {project.tables.metadata} "
        f"WHERE {label_id} IN (SELECT unnest(?::BIGINT[]))",
        [votes],
    ).fetchall()
    return dict(rows)


def submit(
    open_projects: OpenProjects, project_id: str, by: Person, decisions: Sequence[Decision]
) -> list[Refusal]:
    """Store rulings in one transaction; see pipeline.submit.

    ``action`` is label (settle a sample that waits, or change how it was settled), skip (the same,
    without a label) or undo: what people decided holds again, or waits again. What cannot be
    stored is returned, and counts as dealt with.
    """
    by.require("manage", project_id)
    (refusals,) = pipeline.submit(
        open_projects, project_id, [Part(by.name, decisions)], _Adjudicating
    )
    return refusals


class _Adjudicating:
    """A sample about which people disagree is settled, otherwise than before, or no longer."""

    def __init__(self, work: Work, parts: Sequence[Part]) -> None:
        self.work = work
        self.settled: dict[str, Shared] = {}  # as they shall be
        self.last: dict[str, Decision] = {}  # that settled them
        self.next_label_id = work.queue.next_label_id

    def refuse(self, annotator: str, decision: Decision) -> str:
        """Why a decision cannot be stored; empty if it can."""
        return _refuse(self.work.project, decision, self._find(decision.sample_id))

    def apply(self, annotator: str, decision: Decision) -> Event:
        """Work in a ruling, or taking it back."""
        was = self._find(decision.sample_id)
        assert was is not None
        settled = replace(was, ruling=self._ruling(annotator, decision))
        self.settled[decision.sample_id] = settled
        self.last[decision.sample_id] = decision
        return _event(annotator, was, settled, decision)

    def write(self, events: Sequence[Event]) -> None:
        """Replace the rulings' rows of the metadata table, and the final labels."""
        cursor, project, queue, _ = self.work
        before = [queue.overlap.shared[sample_id] for sample_id in self.settled]
        _delete(cursor, project, [each.ruling for each in before if each.ruling is not None])
        for each in self.settled.values():
            if each.ruling is not None:
                _insert(self.work, each, each.ruling, self.last[each.sample_id])
        changes = [
            final_labels.Change(was.position, was.final, settled.final)
            for was, settled in zip(before, self.settled.values(), strict=True)
        ]
        final_labels.write(cursor, project, changes)

    def remember(self) -> None:
        """How the samples stand, and count."""
        for shared in self.settled.values():
            self.work.queue.keep(shared)
        self.work.queue.next_label_id = self.next_label_id

    def _find(self, sample_id: str) -> Shared | None:
        return self.settled.get(sample_id) or self.work.queue.overlap.shared.get(sample_id)

    def _ruling(self, annotator: str, decision: Decision) -> Vote | None:
        if decision.action == "undo":
            return None
        self.next_label_id += 1
        status = "LABELED" if decision.action == "label" else "SKIPPED"
        category = decision.category if decision.action == "label" else None
        return Vote(self.next_label_id - 1, annotator, status, category)


def _refuse(project: Project, decision: Decision, shared: Shared | None) -> str:
    """Why a decision cannot be stored; empty if it can."""
    if decision.action not in ("label", "skip", "undo"):
        return f"“{decision.action[:20]}” is no decision of an adjudicator."
    if decision.action == "undo":
        if shared is None or shared.ruling is None:
            return "This sample has not been settled by an adjudicator."
        return ""
    if shared is None or (shared.ruling is None and not shared.is_disputed):
        return "This sample does not wait for an adjudicator (any more): reload the page."
    if decision.action == "label" and decision.category not in project.settings.names:
        return f"“{str(decision.category)[:60]}” is no category of this project."
    return ""


def _delete(cursor: duckdb.DuckDBPyConnection, project: Project, rulings: Sequence[Vote]) -> None:
    if rulings:
        cursor.execute(
            f"DELETE FROM {project.tables.metadata} WHERE "
            f"{project.tables.label_id} IN (SELECT unnest(?::BIGINT[]))",
            [[each.label_id for each in rulings]],
        )


def _insert(work: Work, settled: Shared, ruling: Vote, decision: Decision) -> None:
    work.cursor.execute(
        f"INSERT INTO {work.project.tables.metadata} "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [ruling.label_id, settled.sample_id, ruling.status, ruling.category,
         decision.comment or None, work.queue.session_id, ruling.annotator, work.moment,
         ADJUDICATION, decision.seconds],
    )  # fmt: skip


def _event(annotator: str, was: Shared, settled: Shared, decision: Decision) -> Event:
    before, ruling = was.ruling, settled.ruling
    detail: dict[str, object] = {
        "opinions": [[each.annotator, each.category] for each in sorted(settled.votes.values())]
    }
    if ruling is not None:
        comment = decision.comment or None
        detail |= {"status": ruling.status, "label": ruling.category, "comment": comment}
    if before is not None:
        detail["was"] = [before.status, before.category]
    kind = "adjudication" if ruling is not None else "adjudication undone"
    vote = ruling or before
    return Event(kind, annotator, decision, vote.label_id if vote else None, detail)
