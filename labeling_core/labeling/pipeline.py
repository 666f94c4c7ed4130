"""How a decision is stored, whoever takes it: labeling, reviewing and adjudicating alike.

Each decision passes the same steps. It waits for the lock, and for its turn among those of its
browser; it is read by today's categories; it is refused or applied; tables and event log follow
in one transaction, and what is held in memory after it. What makes the three differ is a
:class:`Rule`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

import duckdb

from labeling_core.labeling.bookkeeping import Decision, Event, write_events
from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.labeling.queue import Queue
from labeling_core.projects.renames import follow, read_renames
from labeling_core.settings import Project
from labeling_core.store.database import now


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


class Work(NamedTuple):
    """What a rule works on: the project as it is at this moment, within one transaction."""

    cursor: duckdb.DuckDBPyConnection
    project: Project
    queue: Queue
    moment: datetime


class Rule(Protocol):
    """What one kind of decision makes of the steps; one is made for each transaction.

    It begins by looking up the samples that the decisions name. The decisions then come one by
    one, in their order, and the queue stays as it is until :meth:`remember`.
    """

    def refuse(self, annotator: str, decision: Decision) -> str:
        """Why a decision cannot be stored; empty if it can."""

    def apply(self, annotator: str, decision: Decision) -> Event:
        """Work in a decision that was not refused; what the event log is to tell of it."""

    def write(self, events: Sequence[Event]) -> None:
        """Bring the tables in line, and complete the events by what only then is known."""

    def remember(self) -> None:
        """Take over into memory what is stored."""


def submit(
    open_projects: OpenProjects,
    project_id: str,
    parts: Sequence[Part],
    make_rule: Callable[[Work, Sequence[Part]], Rule],
) -> list[list[Refusal]]:
    """Store decisions in one transaction, each exactly once and in the order of ``seq``.

    What is known already is passed over; a gap in a browser's numbers waits for the resend.
    The decisions that cannot be stored are returned, part by part; they count as dealt with.
    No two parts may be of one browser, or name the same sample: see :func:`can_join`.

    Inside another transaction memory is ahead of the tables until that one is committed. When
    anything fails, memory is read anew from the tables.
    """
    with open_projects.in_step(project_id):
        project = open_projects.project(project_id)  # its categories may just have been changed
        queue = open_projects.queue(project)
        last: dict[Browser, int] = {}
        parts = [each._replace(decisions=queue.sequences.fresh(*each, last)) for each in parts]
        if not last:
            return [[] for _ in parts]
        with open_projects.database.transaction() as cursor:
            work = Work(cursor, project, queue, now())
            parts = [_follow_renames(work, each) for each in parts]
            rule = make_rule(work, parts)
            refusals, events = _apply(rule, parts)
            rule.write(events)
            write_events(cursor, project_id, events, work.moment)
        queue.sequences.take_over(last)
        rule.remember()
    return refusals


def can_join(part: Part, others: Sequence[Part]) -> bool:
    """Whether the decisions of a part and the others may be stored at once: they do not depend on
    each other, so that it is as if one message had come after the other."""
    browsers = {browser for each in others for browser in _browsers(each)}
    sample_ids = {each.sample_id for other in others for each in other.decisions}
    return browsers.isdisjoint(_browsers(part)) and not any(
        each.sample_id in sample_ids for each in part.decisions
    )


def _browsers(part: Part) -> set[Browser]:
    return {Browser(part.annotator, each.client) for each in part.decisions}


def _apply(rule: Rule, parts: Sequence[Part]) -> tuple[list[list[Refusal]], list[Event]]:
    """Work in all decisions; the refusals, part by part, and the events."""
    refusals: list[list[Refusal]] = [[] for _ in parts]
    events: list[Event] = []
    for (annotator, decisions), refused in zip(parts, refusals, strict=True):
        for each in decisions:
            reason = rule.refuse(annotator, each)
            if reason:
                refused.append(Refusal(each.client, each.seq, each.sample_id, reason))
                detail = {"reason": reason, "action": each.action, "category": each.category}
                events.append(Event("refused", annotator, each, None, detail))
            else:
                events.append(rule.apply(annotator, each))
    return refusals, events


def _follow_renames(work: Work, part: Part) -> Part:
    """Decisions by today's categories: a browser may not know yet what has been renamed."""
    known = [_known(work.project, each) for each in part.decisions]
    if min(known, default=work.project.renames) >= work.project.renames:
        return part
    renames = read_renames(work.cursor, work.project.project_id)
    followed = [
        each
        if each.category is None
        else each._replace(category=follow(renames[number:], each.category))
        for each, number in zip(part.decisions, known, strict=True)
    ]
    return part._replace(decisions=followed)


def _known(project: Project, decision: Decision) -> int:
    """Of how many renames the browser knew (see views.offered_categories) when this was decided."""
    text = decision.offered.partition("-")[0]
    if text.isdecimal():
        return int(text)
    return project.renames if decision.category in (None, *project.settings.names) else 0
