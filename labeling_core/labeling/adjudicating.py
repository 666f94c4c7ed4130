"""Settling samples about which people disagree: who said what, and an adjudicator's decision.

A ruling is a row of the metadata table with the origin ``adjudication``; what people decided
stays as it is. The event log tells of every ruling, its changes and of taking it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import duckdb

from labeling_core.labeling.bookkeeping import Decision, Event, write_events
from labeling_core.labeling.decisions import Refusal, follow_decisions, in_sequence
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.queue import Queue
from labeling_core.people import Person
from labeling_core.projects import final_labels
from labeling_core.projects.overlap import ADJUDICATION, Shared, Vote
from labeling_core.settings import Project
from labeling_core.store.database import now


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
    """Store rulings in one transaction, exactly once, in the order of ``seq``.

    ``action`` is label (settle a sample that waits, or change how it was settled), skip (the same,
    without a label) or undo: what people decided holds again, or waits again. What cannot be
    stored is returned, and counts as dealt with.
    """
    by.require("manage", project_id)
    with open_projects.database.lock:
        project = open_projects.project(project_id)  # its categories may just have been changed
        queue = open_projects.queue(project)
        last: dict[str, int] = {}
        fresh = in_sequence(decisions, queue, last)
        if not fresh:
            return []
        with open_projects.database.transaction() as cursor:
            work = _Work(cursor, project, queue, by)
            for each in follow_decisions(cursor, project, fresh):
                work.settle(each)
            write_events(cursor, project.project_id, work.events, now())
        for shared in work.known.values():
            queue.keep(shared)
        queue.next_label_id = work.next_label_id
        queue.last_seq.update(last)
        if queue.heard is not None:
            queue.heard.update(last)
    return work.refusals


class _Work:
    """Rulings being stored: the samples as they will be, and what is to be told."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue, by: Person
    ) -> None:
        self.cursor, self.project, self.queue, self.by = cursor, project, queue, by
        self.known: dict[str, Shared] = {}
        self.next_label_id = queue.next_label_id
        self.refusals: list[Refusal] = []
        self.events: list[Event] = []

    def settle(self, decision: Decision) -> None:
        """Bring the tables in line with one decision, or refuse it."""
        sample_id = decision.sample_id
        was = self.known.get(sample_id) or self.queue.overlap.shared.get(sample_id)
        reason = _refuse(self.project, decision, was)
        if reason or was is None:
            self.refusals.append(Refusal(decision.client, decision.seq, sample_id, reason))
            detail = {"reason": reason, "action": decision.action, "category": decision.category}
            self.events.append(Event("refused", self.by.name, decision, None, detail))
            return
        settled = replace(was, ruling=self._ruling(decision))
        _replace_row(self.cursor, self.project, was, settled, decision, self.queue.session_id)
        change = final_labels.Change(was.position, was.final, settled.final)
        final_labels.write(self.cursor, self.project, [change])
        self.events.append(_event(self.by, was, settled, decision))
        self.known[sample_id] = settled

    def _ruling(self, decision: Decision) -> Vote | None:
        if decision.action == "undo":
            return None
        self.next_label_id += 1
        status = "LABELED" if decision.action == "label" else "SKIPPED"
        category = decision.category if decision.action == "label" else None
        return Vote(self.next_label_id - 1, self.by.name, status, category)


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


def _replace_row(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    was: Shared,
    settled: Shared,
    decision: Decision,
    session_id: int,
) -> None:
    """The ruling's row of the metadata table instead of the one before."""
    metadata = project.tables.metadata
    if was.ruling is not None:
        cursor.execute(
            f"DELETE FROM {metadata} WHERE {project.tables.label_id} = ?",
            [was.ruling.label_id],
        )
    ruling = settled.ruling
    if ruling is not None:
        cursor.execute(
            f"INSERT INTO {metadata} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [ruling.label_id, settled.sample_id, ruling.status, ruling.category,
             decision.comment or None, session_id, ruling.annotator, now(), ADJUDICATION,
             decision.seconds],
        )  # fmt: skip


def _event(by: Person, was: Shared, settled: Shared, decision: Decision) -> Event:
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
    return Event(kind, by.name, decision, vote.label_id if vote else None, detail)
