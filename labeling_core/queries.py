"""The queries table for looking at: how uncertain the pool is, and what is asked next."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.database import quote, tables
from labeling_core.settings import Project
from labeling_core.strategies import STRATEGIES

BINS = 40


class Histogram(NamedTuple):
    """``counts`` of the pool between consecutive ``edges``, which span 0..1."""

    edges: NDArray[np.float64]
    counts: list[int]


def exist(cursor: duckdb.DuckDBPyConnection, project: Project) -> bool:
    """Whether a session has written the queries table."""
    return project.settings.queries_table in tables(cursor)


def histogram(cursor: duckdb.DuckDBPyConnection, project: Project) -> Histogram:
    """How the pool's uncertainty is spread, computed in the database."""
    rows = cursor.execute(
        "SELECT least(floor(uncertainty * ?)::INTEGER, ? - 1) AS bin, count(*) "
        f"FROM main.{quote(project.settings.queries_table)} WHERE uncertainty IS NOT NULL "
        "GROUP BY bin",
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
    found = cursor.execute(
        "SELECT sample_id, uncertainty, prediction, * EXCLUDE (sample_id, uncertainty, "
        f"prediction, session_id) FROM main.{quote(project.settings.queries_table)} "
        "ORDER BY rowid LIMIT ?",
        [count],
    )
    names = [each[0] for each in found.description or []]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return [
        {"place in the queue": number, "why": _why(strategy, row)} | row
        for number, row in enumerate(rows, start=1)
    ]


def _why(strategy: str, row: dict[str, Any]) -> str:
    """The reason in words; the scores are those of strategies.py turned around."""
    score, name = row["uncertainty"], row["prediction"]
    if score is None:
        return "not scored yet"
    reasons = {
        "confidence": f"{name} is likeliest, with only {1 - score:.0%}",
        "margin": f"{name} leads the second likeliest by only {1 - score:.0%}",
        "entropy": f"probabilities spread at {score:.0%} of the most possible; likeliest: {name}",
        "random": f"drawn at random; likeliest: {name}",
    }
    return reasons.get(strategy, f"{STRATEGIES[strategy].title}; likeliest: {name}")
