"""Tables and models out of the database, written by DuckDB itself."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

import duckdb

from labeling_core.database import literal, quote, tables
from labeling_core.errors import LabelingError
from labeling_core.settings import Project

FORMATS = {"CSV": ("csv", "FORMAT csv, HEADER true"), "Parquet": ("parquet", "FORMAT parquet")}
_SESSIONS = "session table"


def exports(project: Project) -> dict[str, str]:
    """What can be downloaded of a project: a word for it, and its table's name."""
    settings = project.settings
    found = {"labels": settings.labels_table, "metadata": settings.metadata_table}
    if settings.queries_table:
        found |= {"queries": settings.queries_table, "sessions": _SESSIONS}
    return found


def available(cursor: duckdb.DuckDBPyConnection, project: Project) -> list[str]:
    """Those of :func:`exports` that exist by now."""
    there = {*tables(cursor), _SESSIONS}
    return [what for what, name in exports(project).items() if name in there]


def table(cursor: duckdb.DuckDBPyConnection, project: Project, what: str, form: str) -> bytes:
    """One of :func:`exports` as a file in one of FORMATS.

    Raises LabelingError when there is no such table yet.
    """
    name = exports(project)[what]
    if name == _SESSIONS:
        query = (
            "SELECT session_id, state, started_by, started, finished, classifier, strategy, "
            "labels, evaluation, evaluated, correct, correct / nullif(evaluated, 0) AS accuracy, "
            "auc, changed, compared, changed / nullif(compared, 0) AS contradictions, reason "
            f"FROM labeling.sessions WHERE project_id = {literal(project.project_id)} "
            "ORDER BY session_id"
        )
    elif name in tables(cursor):
        query = f"SELECT * FROM main.{quote(name)}"
    else:
        raise LabelingError(f"The table “{name}” does not exist before the first session.")
    suffix, options = FORMATS[form]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export.{suffix}"
        cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})")
        return path.read_bytes()


def model(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bytes | None:
    """The current model as a zip of model.skops and model_card.json; None before the first."""
    row = cursor.execute(
        "SELECT card, model FROM labeling.models WHERE project_id = ?", [project_id]
    ).fetchone()
    if row is None:
        return None
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("model_card.json", row[0])
        file.writestr("model.skops", row[1])
    return archive.getvalue()
