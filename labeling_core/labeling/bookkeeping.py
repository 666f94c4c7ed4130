"""Writing decisions into the tables of a project: metadata, labels, queries, event log."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import duckdb

from labeling_core.labeling.reservations import Reservation, write_reservations
from labeling_core.projects import final_labels, queries, samples
from labeling_core.projects.final_labels import Change, Row
from labeling_core.projects.overlap import ADJUDICATION, Shared, Vote
from labeling_core.settings import Project
from labeling_core.store import events
from labeling_core.store.events import NewEvent


class Decision(NamedTuple):
    """What an annotator did with one sample: ``action`` is label, skip or undo.

    ``client`` and ``seq`` number the decisions of one browser without a gap, so that a
    message sent twice is stored once.
    """

    client: str
    seq: int
    sample_id: str
    action: str
    category: str | None = None
    comment: str | None = None
    seconds: float = 0.0
    offered: str = ""


@dataclass
class Record:
    """One sample while a message is worked through: as stored, and as it shall be.

    ``shared`` is what is known of it, as stored, if several people decide on it.
    """

    reservation: Reservation
    label_id: int | None = None
    before: tuple[str, str | None] | None = None
    after: tuple[str, str | None] | None = None
    comment: str | None = None
    seconds: float = 0.0
    retired: list[int] = field(default_factory=list)
    shared: Shared | None = None

    @property
    def shared_after(self) -> Shared | None:
        """What is to be known of a shared sample."""
        if self.shared is None:
            return None
        who, vote = self.reservation.annotator, None
        if self.after is not None and self.label_id is not None:
            vote = Vote(self.label_id, who, *self.after)
        return self.shared.voted(who, vote)

    @property
    def has_others(self) -> bool:
        """Whether somebody else has decided on the sample."""
        return self.shared is not None and self.shared.has_others(self.reservation.annotator)


class Event(NamedTuple):
    """One entry of the event log: decision, correction, undo or refused."""

    kind: str
    annotator: str
    decision: Decision
    label_id: int | None
    detail: dict


def find_decided(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: list[tuple[str, str]]
) -> dict[tuple[str, str], Record]:
    """Of the pairs (annotator, sample_id), those of samples that this annotator has decided."""
    tables = project.tables
    rows = cursor.execute(
        f"SELECT s.{samples.PLACE}, m.sample_id, m.annotator, m.origin, m.session_id, "
        f"m.{tables.label_id}, m.status, m.{tables.label}, "
        f"m.comment, m.seconds FROM {tables.metadata} AS m "
        f"JOIN {samples.keys(project.project_id)} AS s ON s.{samples.SAMPLE_ID} = m.sample_id "
        "JOIN (SELECT unnest(?::VARCHAR[]) AS annotator, unnest(?::VARCHAR[]) AS sample_id) AS w "
        f"ON w.annotator = m.annotator AND w.sample_id = m.sample_id "
        f"WHERE m.origin <> '{ADJUDICATION}'",
        [[who for who, _ in wanted], [sample_id for _, sample_id in wanted]],
    ).fetchall()
    found = {}
    for (
        position,
        sample_id,
        who,
        origin,
        session_id,
        label_id,
        status,
        label,
        comment,
        secs,
    ) in rows:
        reservation = Reservation(position, sample_id, who, "", origin, session_id, 0.0)
        state = (status, label)
        found[who, sample_id] = Record(reservation, label_id, state, state, comment, secs)
    return found


def write(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    records: Collection[Record],
    moment: datetime,
) -> dict[str, dict]:
    """Bring metadata, labels, queries and reservations in line with ``records``.

    They may be of several annotators: each record's reservation says whose it is. Returns,
    for each sample that left the queries table, what stood there about it.
    """
    gone = [label_id for each in records for label_id in each.retired]
    new, changed, reopened = [], [], []
    for each in records:
        kept = each.before is not None and not each.retired
        if each.after is None:
            reopened += [each] if each.before is not None else []
        elif kept:
            changed.append(each)
        else:
            new.append(each)
    _delete_decisions(cursor, project, gone)
    _insert_decisions(cursor, project, new, moment)
    _change_decisions(cursor, project, changed, moment)
    for each in reopened:
        reservation = each.reservation._replace(until=moment.timestamp())
        write_reservations(cursor, project.project_id, [reservation])
        if not each.has_others:
            _return_to_pool(cursor, project, each.reservation)
    final_labels.write(cursor, project, _changes(records))
    first = [each for each in new if each.before is None and not each.has_others]
    return _leave_pool(cursor, project, first)


def _changes(records: Collection[Record]) -> list[Change]:
    """What becomes of the final labels of shared samples."""
    pairs = [(each.shared, each.shared_after) for each in records]
    return [Change(was.position, was.final, is_now.final)
            for was, is_now in pairs if was is not None and is_now is not None]  # fmt: skip


def _delete_decisions(
    cursor: duckdb.DuckDBPyConnection, project: Project, label_ids: list[int]
) -> None:
    tables = project.tables
    if label_ids:
        for table in (tables.metadata, tables.labels):
            cursor.execute(
                f"DELETE FROM {table} WHERE {tables.label_id} IN (SELECT unnest(?::BIGINT[]))",
                [label_ids],
            )


def _insert_decisions(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: list[Record], moment: datetime
) -> None:
    if not records:
        return
    records = sorted(records, key=lambda each: each.label_id or 0)
    states = [each.after or ("", None) for each in records]
    cursor.execute(
        f"INSERT INTO {project.tables.metadata} "
        "SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::INTEGER[]), "
        "unnest(?::VARCHAR[]), ?, unnest(?::VARCHAR[]), unnest(?::DOUBLE[])",
        [
            [each.label_id for each in records],
            [each.reservation.sample_id for each in records],
            [status for status, _ in states],
            [label for _, label in states],
            [each.comment for each in records],
            [each.reservation.session_id for each in records],
            [each.reservation.annotator for each in records],
            moment,
            [each.reservation.origin for each in records],
            [each.seconds for each in records],
        ],
    )
    _insert_labels(cursor, project, records)


def _insert_labels(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: list[Record]
) -> None:
    """Where one person decides, the decision is the final label."""
    rows = [
        Row(each.reservation.position, each.after[1], each.label_id)
        for each in records
        if each.shared is None and each.after is not None and each.after[0] == "LABELED"
    ]
    final_labels.insert(cursor, project, rows)


def _change_decisions(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: list[Record], moment: datetime
) -> None:
    labels, metadata, _, label, label_id = project.tables
    for each in records:
        if each.after is None or each.before is None:
            continue
        cursor.execute(
            f"UPDATE {metadata} SET status = ?, {label} = ?, comment = ?, seconds = ?, "
            f"labeled_at = ? WHERE {label_id} = ?",
            [*each.after, each.comment, each.seconds, moment, each.label_id],
        )
        if each.shared is not None:
            continue
        if each.before[0] == "LABELED" and each.after[0] == "LABELED":
            cursor.execute(
                f"UPDATE {labels} SET {label} = ? WHERE {label_id} = ?",
                [each.after[1], each.label_id],
            )
        elif each.before[0] == "LABELED":
            cursor.execute(f"DELETE FROM {labels} WHERE {label_id} = ?", [each.label_id])
        else:
            _insert_labels(cursor, project, [each])


def _leave_pool(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: list[Record]
) -> dict[str, dict]:
    if not records:
        return {}
    positions = {each.reservation.position: each.reservation.sample_id for each in records}
    asked = queries.take_out(cursor, project.project_id, list(positions))
    return {positions[position]: stood for position, stood in asked.items()}


def _return_to_pool(
    cursor: duckdb.DuckDBPyConnection, project: Project, reservation: Reservation
) -> None:
    """Put a sample back into the queries table as it stood there."""
    asked = events.last_asked(cursor, project.project_id, reservation.sample_id)
    if asked is not None:
        queries.put_back(cursor, project.project_id, reservation.position, asked)


def write_events(
    cursor: duckdb.DuckDBPyConnection, project_id: str, found: list[Event], moment: datetime
) -> None:
    """Append what was decided to the event log."""
    new = [
        NewEvent(
            each.kind,
            each.annotator,
            each.detail,
            each.decision.sample_id,
            each.label_id,
            each.decision.client,
            each.decision.seq,
        )
        for each in found
    ]
    events.append(cursor, project_id, new, moment)
