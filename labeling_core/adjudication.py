"""Settling samples about which people disagree: who said what, and an adjudicator's decision.

A ruling is a row of the metadata table with the origin ``adjudication``; what people decided
stays as it is. The event log tells of every ruling, its changes and of taking it back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import duckdb

from labeling_core import final_labels
from labeling_core.database import now, quote
from labeling_core.errors import LabelingError
from labeling_core.overlap import ADJUDICATION, Shared, Vote
from labeling_core.people import Person
from labeling_core.queue import Queue
from labeling_core.settings import Project
from labeling_core.workspace import Workspace


class Opinion(NamedTuple):
    """What one person said about a sample; ``category`` None is a skip."""

    annotator: str
    category: str | None
    comment: str | None


class Dispute(NamedTuple):
    """A sample that waits for an adjudicator, or has been settled by one (``ruling``)."""

    place: int
    sample_id: str
    opinions: list[Opinion]
    ruling: Opinion | None


def disputes(
    space: Workspace, project: Project, by: Person, settled: bool = False
) -> list[Dispute]:
    """The samples that wait for an adjudicator, or those that have been settled; the one with the
    oldest decision first."""
    by.require("manage", project.project_id)
    with space.database.lock:
        known = list(space.queue(project).overlap.shared.values())
    wanted = [each for each in known if (each.ruling is not None if settled else each.is_disputed)]
    with space.database.read() as cursor:
        comments = _comments(cursor, project, wanted)
    return [_dispute(each, comments) for each in wanted]


def _dispute(shared: Shared, comments: dict[int, str | None]) -> Dispute:
    def opinion(vote: Vote) -> Opinion:
        return Opinion(vote.annotator, vote.category, comments.get(vote.label_id))

    ruling = None if shared.ruling is None else opinion(shared.ruling)
    opinions = [opinion(each) for each in sorted(shared.votes.values())]
    return Dispute(shared.place, shared.sample_id, opinions, ruling)


def _comments(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Iterable[Shared]
) -> dict[int, str | None]:
    votes = [each.label_id for shared in wanted for each in shared.votes.values()]
    votes += [shared.ruling.label_id for shared in wanted if shared.ruling is not None]
    label_id = quote(project.settings.label_id_column)
    rows = cursor.execute(
        f"SELECT {label_id}, comment FROM main.{quote(project.settings.metadata_table)} "
        f"WHERE {label_id} IN (SELECT unnest(?::BIGINT[]))",
        [votes],
    ).fetchall()
    return dict(rows)


def decide(
    space: Workspace,
    project: Project,
    sample_id: str,
    category: str | None,
    by: Person,
    comment: str = "",
) -> None:
    """Settle a sample that waits, or change how it was settled; None leaves it without a label.

    Raises LabelingError when there is nothing to settle, or no such category.
    """
    by.require("manage", project.project_id)
    if category is not None and category not in project.settings.names:
        raise LabelingError(f"“{category[:60]}” is no category of this project.", "category")
    with space.database.lock:
        queue = space.queue(project)
        shared = queue.overlap.shared.get(sample_id)
        if shared is None or (shared.ruling is None and not shared.is_disputed):
            raise LabelingError(
                "This sample does not wait for an adjudicator (any more): reload the page."
            )
        status = "SKIPPED" if category is None else "LABELED"
        ruling = Vote(queue.next_label_id, by.name, status, category)
        _store(space, project, queue, shared, ruling, by, comment)


def take_back(space: Workspace, project: Project, sample_id: str, by: Person) -> None:
    """Undo a ruling: what people decided holds again, or waits again."""
    by.require("manage", project.project_id)
    with space.database.lock:
        queue = space.queue(project)
        shared = queue.overlap.shared.get(sample_id)
        if shared is None or shared.ruling is None:
            raise LabelingError("This sample has not been settled by an adjudicator.")
        _store(space, project, queue, shared, None, by, "")


def _store(
    space: Workspace,
    project: Project,
    queue: Queue,
    shared: Shared,
    ruling: Vote | None,
    by: Person,
    comment: str,
) -> None:
    settled = replace(shared, ruling=ruling)
    with space.database.transaction() as cursor:
        _replace_row(cursor, project, shared.ruling, settled, comment, queue.session_id)
        change = final_labels.Change(shared.place, shared.final, settled.final)
        final_labels.write(cursor, project, [change])
        _write_event(cursor, project, shared.ruling, settled, by, comment)
    queue.keep(settled)
    queue.next_label_id += ruling is not None
    space.loop.after_decisions(project)


def _replace_row(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    was: Vote | None,
    shared: Shared,
    comment: str,
    session_id: int,
) -> None:
    """The ruling's row of the metadata table instead of the one before."""
    metadata = f"main.{quote(project.settings.metadata_table)}"
    if was is not None:
        cursor.execute(
            f"DELETE FROM {metadata} WHERE {quote(project.settings.label_id_column)} = ?",
            [was.label_id],
        )
    ruling = shared.ruling
    if ruling is not None:
        cursor.execute(
            f"INSERT INTO {metadata} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
            [ruling.label_id, shared.sample_id, ruling.status, ruling.category, comment or None,
             session_id, ruling.annotator, now(), ADJUDICATION],
        )  # fmt: skip


def _write_event(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    was: Vote | None,
    shared: Shared,
    by: Person,
    comment: str,
) -> None:
    ruling = shared.ruling
    told: dict[str, object] = {
        "opinions": [[each.annotator, each.category] for each in sorted(shared.votes.values())]
    }
    if ruling is not None:
        told |= {"status": ruling.status, "label": ruling.category, "comment": comment or None}
    if was is not None:
        told["was"] = [was.status, was.category]
    kind = "adjudication" if ruling is not None else "adjudication undone"
    gone = was.label_id if was is not None else None
    cursor.execute(
        "INSERT INTO labeling.events (happened, project_id, annotator, kind, sample_id, label_id, "
        "detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [now(), project.project_id, by.name, kind, shared.sample_id,
         ruling.label_id if ruling is not None else gone, json.dumps(told, ensure_ascii=False)],
    )  # fmt: skip
