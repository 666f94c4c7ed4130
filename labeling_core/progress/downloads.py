"""What of a project can be taken away, as queries that DuckDB itself writes to files."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb

from labeling_core.labeling.queue import Queue
from labeling_core.progress import label_filter, learning_curve
from labeling_core.progress.label_filter import Wanted
from labeling_core.projects import samples
from labeling_core.settings import Project
from labeling_core.store import eventlog
from labeling_core.store.database import literal
from labeling_core.store.exporting import packed

SOURCE = "source with labels"
FILTERED = ("labels", "metadata", SOURCE)  # what label_filter.Wanted is about


class Query(NamedTuple):
    """SQL, and the values of its parameters."""

    sql: str
    values: list[Any]


def exports(project: Project) -> list[str]:
    """The tables of a project that can be downloaded."""
    learns = ["queries", "sessions"] if project.settings.queries_table else []
    return ["labels", "metadata", *learns, "history", SOURCE]


def query(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    what: str,
    queue: Queue | None = None,
    wanted: Wanted = label_filter.ALL,
) -> Query:
    """One of :func:`exports`; those of FILTERED with what is ``wanted`` only, the rest whole.

    With ``queue``, accuracy by session is measured on the probes of today, as on the page; see
    progress.sessions.
    """
    if what == "sessions":
        return _sessions(cursor, project, queue)
    if what == "history":
        return Query(eventlog.history(project.project_id), [])
    tables = project.tables
    if what == "queries":
        return Query(f"SELECT * FROM {tables.queries}", [])
    chosen, values = label_filter.condition(project, wanted)
    if what == "metadata":
        return Query(f"SELECT * FROM {tables.metadata} WHERE {chosen}", values)
    if what == SOURCE:
        return source(cursor, project, wanted)
    if wanted == label_filter.ALL:
        return Query(f"SELECT * FROM {tables.labels}", [])
    ids = f"SELECT {tables.label_id} FROM {tables.metadata} WHERE {chosen}"
    return Query(f"SELECT * FROM {tables.labels} WHERE {tables.label_id} IN ({ids})", values)


def source(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    wanted: Wanted,
    places: range | None = None,
) -> Query:
    """The query of SOURCE: every sample with its label, if it has one; with a filter the wanted
    ones alone; with ``places`` those samples only, and no other label is looked at."""
    tables, settings, pool = project.tables, project.settings, samples.table(project.project_id)
    chosen, values = label_filter.condition(project, wanted)
    ours = ("sample_id", settings.label_column, settings.label_id_column)
    columns = samples.listed(cursor, project.project_id, ours)
    here = "true"
    if places is not None:
        here = f"{samples.PLACE} >= {places.start} AND {samples.PLACE} < {places.stop}"
        chosen += f" AND sample_id IN (SELECT {samples.SAMPLE_ID} FROM {pool} WHERE {here})"
    labeled = (
        f"SELECT m.sample_id AS __labeled, l.{tables.label}, l.{tables.label_id} FROM (SELECT * "
        f"FROM {tables.metadata} WHERE {chosen}) AS m JOIN (SELECT {tables.label}, "
        f"{tables.label_id} FROM {tables.labels}) AS l ON l.{tables.label_id} = m.{tables.label_id}"
    )
    join = "LEFT JOIN" if wanted == label_filter.ALL else "JOIN"
    return Query(
        f"SELECT s.{samples.SAMPLE_ID} AS sample_id, {columns}, d.{tables.label}, "
        f"d.{tables.label_id} FROM (SELECT * FROM {pool} WHERE {here}) AS s "
        f"{join} ({labeled}) AS d ON d.__labeled = s.{samples.SAMPLE_ID} "
        f"WHERE (s.{samples.PRESENT} OR d.__labeled IS NOT NULL)",
        values,
    )


def _sessions(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue | None) -> Query:
    found = learning_curve.sessions(cursor, project, queue)
    shares = ("accuracy", "low", "high", "auc", "score", "score_low", "score_high")
    kinds = {"session_id": "INTEGER", "evaluated": "INTEGER", "measure": "VARCHAR"}
    kinds |= dict.fromkeys(shares, "DOUBLE")
    unnested = ", ".join(f"unnest(?::{kind}[]) AS {each}" for each, kind in kinds.items())
    sql = (
        "SELECT session_id, state, started_by, started, finished, classifier, strategy, labels, "
        "evaluation, m.evaluated, m.accuracy, m.low, m.high, m.auc, "
        "m.measure, m.score, m.score_low, m.score_high, "
        "s.evaluated AS evaluated_then, correct / nullif(s.evaluated, 0) AS accuracy_then, "
        "changed, compared, changed / nullif(compared, 0) AS contradictions, reason "
        f"FROM labeling.sessions AS s JOIN (SELECT {unnested}) AS m USING (session_id) "
        f"WHERE project_id = {literal(project.project_id)} ORDER BY session_id"
    )
    return Query(sql, [[getattr(each, column) for each in found] for column in kinds])


def session_of_model(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int | None:
    """The session whose model :func:`model` gives: the last one, or one before if the program ended
    between serving its queue and keeping its model. None before the first."""
    row = cursor.execute(
        "SELECT session_id FROM labeling.models WHERE project_id = ?", [project_id]
    ).fetchone()
    return int(row[0]) if row else None


def model(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bytes | None:
    """The newest model as a zip of model.skops and model_card.json; None before the first."""
    row = cursor.execute(
        "SELECT card, model FROM labeling.models WHERE project_id = ?", [project_id]
    ).fetchone()
    if row is None:
        return None
    return packed({"model_card.json": row[0], "model.skops": row[1]})
