"""The queries: the pool with its uncertainty, best first; kept, shown, looked at."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.learning import batches, strategies
from labeling_core.learning.decisions import ALIKE
from labeling_core.projects import samples
from labeling_core.settings import Project, Settings, quote

BINS = 40

# Why a sample stands where it stands before there is a model:
TYPICAL, UNLIKE = "typical of a part of the pool without labels", "unlike the samples before it"


class Histogram(NamedTuple):
    """``counts`` of the pool between consecutive ``edges``, which span 0..1."""

    edges: NDArray[np.float64]
    counts: list[int]


def table(project_id: str) -> str:
    """The internal table behind the queries: position, uncertainty, prediction, session, rank."""
    return f"labeling_pool.{quote('scores_' + project_id)}"


def create(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Make the project's queries, empty: no session has run."""
    cursor.execute(
        f"CREATE OR REPLACE TABLE {table(project.project_id)} (place INTEGER, "
        "uncertainty DOUBLE, prediction VARCHAR, session_id INTEGER, rank INTEGER)"
    )
    show(cursor, project)


def show(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Put the queries under the name that the project gives them.

    A view: a session then writes five narrow columns and not a copy of the whole source
    (1,000,000 rows of 64 columns: a fifth of a second and not ten), and it can never
    disagree with what the deck serves.
    """
    if project.settings.queries_table:
        shown = _select(cursor, project, f"{table(project.project_id)} ORDER BY rank")
        cursor.execute(f"CREATE VIEW {project.tables.queries} AS {shown}")


def hide(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Take the name away again."""
    if settings.queries_table:
        cursor.execute(f"DROP VIEW IF EXISTS {settings.tables.queries}")


def _select(cursor: duckdb.DuckDBPyConnection, project: Project, scores: str) -> str:
    """The contract's columns for the rows of ``scores``, a FROM clause; best first.

    A column of the source that has one of our names gets ``_source`` behind it.
    """
    ours = ("sample_id", "uncertainty", "session_id", "prediction")
    listed = samples.listed(cursor, project.project_id, ours)
    return (
        f"SELECT {listed}, s.{samples.SAMPLE_ID} AS sample_id, q.uncertainty, q.session_id, "
        f"q.prediction FROM (SELECT * FROM {scores}) AS q "
        f"JOIN {samples.table(project.project_id)} AS s ON s.{samples.PLACE} = q.place "
        "ORDER BY q.rank"
    )


def replace(cursor: duckdb.DuckDBPyConnection, project: Project, prepared: str) -> None:
    """Put the table ``prepared`` in the place of the queries; decided samples leave it."""
    cursor.execute(f"DROP TABLE {table(project.project_id)}")
    cursor.execute(f"ALTER TABLE {prepared} RENAME TO {quote('scores_' + project.project_id)}")
    cursor.execute(
        f"DELETE FROM {table(project.project_id)} WHERE place IN (SELECT s.{samples.PLACE} "
        f"FROM {samples.keys(project.project_id)} AS s JOIN "
        f"{project.tables.metadata} AS m ON m.sample_id = s.{samples.SAMPLE_ID})"
    )


def forget_start(cursor: duckdb.DuckDBPyConnection, project_id: str) -> None:
    """Drop the order of a cold start: another strategy has another, or none."""
    cursor.execute(f"DELETE FROM {table(project_id)} WHERE session_id = 0")


def take_out(
    cursor: duckdb.DuckDBPyConnection, project_id: str, positions: list[int]
) -> dict[int, dict[str, Any]]:
    """Decided samples leave the queries; what stood there of each, by position."""
    rows = cursor.execute(
        f"DELETE FROM {table(project_id)} WHERE place IN (SELECT unnest(?::INTEGER[])) "
        "RETURNING place, uncertainty, prediction, session_id, rank",
        [positions],
    ).fetchall()
    keys = ("uncertainty", "prediction", "session_id", "rank")
    return {row[0]: dict(zip(keys, row[1:], strict=True)) for row in rows}


def put_back(
    cursor: duckdb.DuckDBPyConnection, project_id: str, position: int, asked: dict[str, Any]
) -> None:
    """A decision was taken back: its sample stands again where it stood."""
    cursor.execute(
        f"INSERT INTO {table(project_id)} VALUES (?, ?, ?, ?, ?)", [position, *asked.values()]
    )


def rename_prediction(
    cursor: duckdb.DuckDBPyConnection, project_id: str, old: str, new: str
) -> None:
    """A category is called otherwise now: so are the predictions of it."""
    cursor.execute(
        f"UPDATE {table(project_id)} SET prediction = ? WHERE prediction = ?", [new, old]
    )


def drop_unknown_predictions(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Forget predictions of what is no category of the model any more."""
    cursor.execute(
        f"UPDATE {table(project.project_id)} SET prediction = NULL "
        "WHERE prediction NOT IN (SELECT unnest(?::VARCHAR[]))",
        [list(project.settings.classes)],
    )


def histogram(cursor: duckdb.DuckDBPyConnection, project: Project) -> Histogram:
    """How the pool's uncertainty is spread, computed in the database."""
    rows = cursor.execute(
        "SELECT least(floor(uncertainty * ?)::INTEGER, ? - 1) AS bin, count(*) "
        f"FROM {table(project.project_id)} GROUP BY bin",
        [BINS, BINS],
    ).fetchall()
    counts = [0] * BINS
    for bin_, number in rows:
        counts[bin_] = number
    return Histogram(np.linspace(0, 1, BINS + 1), counts)


def head(
    cursor: duckdb.DuckDBPyConnection, project: Project, strategy: str, count: int = 20
) -> list[dict[str, Any]]:
    """The first ``count`` of the queue, each with why it stands where it stands."""
    first = f"{table(project.project_id)} ORDER BY rank LIMIT {int(count)}"
    found = cursor.execute(_select(cursor, project, first))
    names = [each[0] for each in found.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    # How many stood before each one when it was asked for; some of them are decided by now.
    before = [rank for (rank,) in cursor.execute(f"SELECT rank FROM {first}").fetchall()]
    ours = ("sample_id", "uncertainty", "prediction")
    settings = project.settings
    weighed = settings.measure in ALIKE
    return [
        {
            "place in the queue": number,
            "why": _why(strategy, row, rank, settings.every, weighed),
        }
        | {name: row[name] for name in ours}
        | row
        for number, (row, rank) in enumerate(zip(rows, before, strict=True), start=1)
    ]


def _why(strategy: str, row: dict[str, Any], rank: int, batch: int, weighed: bool) -> str:
    """The reason in words; ``rank`` from 0; ``weighed``: what is predicted may not be the likeliest
    category."""
    name = row["prediction"]
    if name is None and not row["session_id"]:
        return TYPICAL if rank < max(batch, batches.SPREAD) else UNLIKE
    category = name or "a category of before"
    if weighed:
        return f"uncertainty {row['uncertainty']:.0%}; taken for {category}, rare ones weighed up"
    return strategies.named(strategy).why(row["uncertainty"], category, rank < batch)
