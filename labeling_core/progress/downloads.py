"""Tables and models out of the database, written by DuckDB itself."""

from __future__ import annotations

import duckdb

from labeling_core.labeling.queue import Queue
from labeling_core.progress import learning_curve
from labeling_core.settings import Project, quote
from labeling_core.store.database import literal
from labeling_core.store.exporting import packed, to_file

_SESSIONS = "session table"


def exports(project: Project) -> dict[str, str]:
    """What can be downloaded of a project: a word for it, and its table's name."""
    settings = project.settings
    found = {"labels": settings.labels_table, "metadata": settings.metadata_table}
    if settings.queries_table:
        found |= {"queries": settings.queries_table, "sessions": _SESSIONS}
    return found


def table(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    what: str,
    form: str,
    safe: bool = False,
    queue: Queue | None = None,
) -> bytes:
    """One of :func:`exports` as a file in one of FORMATS; ``safe`` as for :func:`to_file`.

    With ``queue``, accuracy by session is measured on the probes of today, as on the page; see
    progress.sessions.
    """
    name = exports(project)[what]
    if name != _SESSIONS:
        return to_file(cursor, f"SELECT * FROM main.{quote(name)}", form, safe)
    found = learning_curve.sessions(cursor, project, queue)
    measured = ("session_id", "evaluated", "accuracy", "low", "high", "auc")
    unnested = ", ".join(f"unnest(?::{'INTEGER' if n < 2 else 'DOUBLE'}[]) AS {each}"
                         for n, each in enumerate(measured))  # fmt: skip
    query = (
        "SELECT session_id, state, started_by, started, finished, classifier, strategy, labels, "
        "evaluation, m.evaluated, m.accuracy, m.low, m.high, m.auc, "
        "s.evaluated AS evaluated_then, correct / nullif(s.evaluated, 0) AS accuracy_then, "
        "changed, compared, changed / nullif(compared, 0) AS contradictions, reason "
        f"FROM labeling.sessions AS s JOIN (SELECT {unnested}) AS m USING (session_id) "
        f"WHERE project_id = {literal(project.project_id)} ORDER BY session_id"
    )
    values = [[getattr(each, column) for each in found] for column in measured]
    return to_file(cursor, query, form, safe, values)


def model(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bytes | None:
    """The current model as a zip of model.skops and model_card.json; None before the first."""
    row = cursor.execute(
        "SELECT card, model FROM labeling.models WHERE project_id = ?", [project_id]
    ).fetchone()
    if row is None:
        return None
    return packed({"model_card.json": row[0], "model.skops": row[1]})
