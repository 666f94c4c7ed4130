"""The labels table: one row a sample, once its final label is known.

For a sample that one person decides this is that decision. For shared samples it follows from
what the metadata table says of them; see overlap.Shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.projects import samples
from labeling_core.projects.overlap import ADJUDICATION, Overlap, Vote, chosen
from labeling_core.settings import Project, Settings


class Change(NamedTuple):
    """The final label of the sample at ``position``, as it was and as it shall be."""

    position: int
    before: Vote | None
    after: Vote | None


class Row(NamedTuple):
    """A row of the labels table to be: the sample at ``position`` with its label."""

    position: int
    label: str | None
    label_id: int | None


def insert(cursor: duckdb.DuckDBPyConnection, project: Project, rows: Sequence[Row]) -> None:
    """Copy the source's rows, with label and label id, into the labels table."""
    if not rows:
        return
    cursor.execute(
        f"INSERT INTO {project.tables.labels} "
        f"SELECT s.{samples.SOURCE_COLUMNS}, d.label, d.label_id FROM (SELECT "
        "unnest(?::INTEGER[]) AS place, unnest(?::VARCHAR[]) AS label, "
        "unnest(?::BIGINT[]) AS label_id) AS d "
        f"JOIN {samples.table(project.project_id)} AS s ON s.{samples.PLACE} = d.place "
        "ORDER BY d.label_id",
        [list(each) for each in zip(*rows, strict=True)],
    )


def write(cursor: duckdb.DuckDBPyConnection, project: Project, changes: Iterable[Change]) -> None:
    """Bring the labels table in line with what has become of shared samples."""
    real = [each for each in changes if each.before != each.after]
    gone = [each.before.label_id for each in real if each.before is not None]
    if gone:
        cursor.execute(
            f"DELETE FROM {project.tables.labels} WHERE {project.tables.label_id} "
            "IN (SELECT unnest(?::BIGINT[]))",
            [gone],
        )
    now = [(each.position, each.after) for each in real if each.after is not None]
    rows = [Row(position, vote.category, vote.label_id) for position, vote in now
            if vote.status == "LABELED"]  # fmt: skip
    insert(cursor, project, rows)


def load(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    overlap: Overlap,
    also: NDArray[np.bool_] | None = None,
) -> None:
    """Fill ``overlap`` with the shared samples that have a decision: those chosen for it (or in
    ``also``, by position), and those with several decisions from the time of other settings."""
    tables = project.tables
    both = (
        f"{tables.metadata} AS m JOIN {samples.keys(project.project_id)} "
        f"AS s ON s.{samples.SAMPLE_ID} = m.sample_id"
    )
    found = cursor.execute(
        f"SELECT s.{samples.PLACE} AS place, count(*) > 1 OR bool_or(m.origin = ?) AS several "
        f"FROM {both} GROUP BY place",
        [ADJUDICATION],
    ).fetchnumpy()
    positions = np.asarray(found["place"], np.int64)
    wanted = np.asarray(found["several"], bool) | overlap.chosen[positions]
    if also is not None:
        wanted |= also[positions]
    if not wanted.any():
        return
    rows = cursor.execute(
        f"SELECT s.{samples.PLACE}, m.sample_id, m.origin, m.{tables.label_id}, "
        f"m.annotator, m.status, m.{tables.label} FROM {both} WHERE "
        f"s.{samples.PLACE} IN (SELECT unnest(?::INTEGER[])) ORDER BY m.{tables.label_id}",
        [positions[wanted].tolist()],
    ).fetchall()
    for position, sample_id, origin, *rest in rows:
        shared = overlap.shared.get(sample_id) or overlap.make(position, sample_id, origin)
        vote = Vote(*rest)
        ruled = origin == ADJUDICATION
        overlap.keep(replace(shared, ruling=vote) if ruled else shared.voted(vote.annotator, vote))


def rebuild(cursor: duckdb.DuckDBPyConnection, project: Project, before: Settings) -> None:
    """After a change of the settings about overlap: final labels by the new ones."""
    overlap = Overlap(project.settings, project.samples)
    load(cursor, project, overlap, also=chosen(before, project.samples))
    tables = project.tables
    cursor.execute(
        f"DELETE FROM {tables.labels} WHERE {tables.label_id} IN "
        f"(SELECT {tables.label_id} FROM {tables.metadata} "
        "WHERE sample_id IN (SELECT unnest(?::VARCHAR[])))",
        [list(overlap.shared)],
    )
    write(cursor, project, [Change(each.position, None, each.final)
                            for each in overlap.shared.values()])  # fmt: skip


def rules(settings: Settings) -> tuple[float, int, str, int]:
    """What final labels depend on."""
    return (settings.overlap_share, settings.overlap_people, settings.final_label, settings.seed)
