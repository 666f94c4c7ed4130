"""Which decisions an export is about: by category, person, time and agreement."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project


class Wanted(NamedTuple):
    """The decisions wanted; empty or None is no condition.

    ``since`` and ``until`` bound the time of the decision, the second exclusively, and are aware
    of their zone. ``agreement`` (0..1) is the least share of the people who labeled a sample that
    chose its most frequent category; with 1 all of them agree.
    """

    categories: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    agreement: float | None = None

    def check(self) -> None:
        """LabelingError for what makes no sense."""
        if self.agreement is not None and not 0 <= self.agreement <= 1:
            raise LabelingError("The agreement should lie between 0 and 1.")
        if any(each and each.tzinfo is None for each in (self.since, self.until)):
            raise LabelingError("A time should come with its zone, such as 2026-01-31T00:00Z.")


ALL = Wanted()


def condition(project: Project, wanted: Wanted) -> tuple[str, list[Any]]:
    """SQL that is true for the rows of the metadata table that are ``wanted``, and its values."""
    wanted.check()
    tables = project.tables
    parts: list[tuple[str, Any]] = []
    if wanted.categories:
        parts.append((f"{tables.label} IN (SELECT unnest(?::VARCHAR[]))", list(wanted.categories)))
    if wanted.people:
        parts.append(("annotator IN (SELECT unnest(?::VARCHAR[]))", list(wanted.people)))
    if wanted.since:
        parts.append(("labeled_at >= ?", wanted.since))
    if wanted.until:
        parts.append(("labeled_at < ?", wanted.until))
    if wanted.agreement is not None:
        votes = (
            f"SELECT sample_id, count(*) AS votes FROM {tables.metadata} WHERE status = 'LABELED' "
            f"AND origin <> '{ADJUDICATION}' GROUP BY sample_id, {tables.label}"
        )
        agreed = (
            f"sample_id IN (SELECT sample_id FROM ({votes}) GROUP BY sample_id "
            "HAVING max(votes) / sum(votes) >= ?)"
        )
        parts.append((agreed, wanted.agreement))
    return " AND ".join(sql for sql, _ in parts) or "true", [value for _, value in parts]


class Found(NamedTuple):
    """Categories and people that decisions name, in order, and the ``number`` of decisions."""

    categories: list[str]
    people: list[str]
    number: int


def found(cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Wanted = ALL) -> Found:
    """What the decisions that are ``wanted`` name, skips among them."""
    chosen, values = condition(project, wanted)
    row = cursor.execute(
        f"SELECT list_sort(list(DISTINCT {project.tables.label}) FILTER "
        f"({project.tables.label} IS NOT NULL)), list_sort(list(DISTINCT annotator)), count(*) "
        f"FROM {project.tables.metadata} WHERE {chosen}",
        values,
    ).fetchone()
    categories, people, number = row or (None, None, 0)
    return Found(categories or [], people or [], number)
