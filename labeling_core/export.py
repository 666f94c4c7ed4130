"""Tables and models out of the database, written by DuckDB itself."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from labeling_core import progress
from labeling_core.database import literal, quote
from labeling_core.queue import Queue
from labeling_core.settings import Project

FORMATS = {"CSV": ("csv", "FORMAT csv, HEADER true"), "Parquet": ("parquet", "FORMAT parquet")}
_SESSIONS = "session table"
# A text that begins like this is a formula to a spreadsheet, also behind blanks.
_FORMULA = r"^\s*[=+\-@\t\r\n＝＋－＠]"
# Types whose values are written as numbers, times or truth values.
_HARMLESS = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN|DATE|TIME.*|UUID"


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
    found = progress.sessions(cursor, project, queue)
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


def to_file(
    cursor: duckdb.DuckDBPyConnection,
    query: str,
    form: str,
    safe: bool = False,
    values: Sequence[Any] = (),
) -> bytes:
    """The rows of a query as a file in one of FORMATS.

    A ``safe`` CSV has an apostrophe in front of each text that a spreadsheet would take for a
    formula (OWASP, “CSV Injection”); numbers, and texts that are numbers, are left alone.
    """
    if safe and form == "CSV":
        query = _without_formulas(cursor, query, values)
    suffix, options = FORMATS[form]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"export.{suffix}"
        cursor.execute(f"COPY ({query}) TO {literal(str(path))} ({options})", list(values))
        return path.read_bytes()


def _without_formulas(cursor: duckdb.DuckDBPyConnection, query: str, values: Sequence[Any]) -> str:
    """``query`` with its texts made harmless, column names included."""
    described = cursor.execute(f"DESCRIBE {query}", list(values)).fetchall()
    columns = []
    for name, kind, *_ in described:
        column = quote(name)
        if not re.fullmatch(_HARMLESS, kind):
            text = f"{column}::VARCHAR"
            column = (
                f"CASE WHEN regexp_matches({text}, {literal(_FORMULA)}) "
                f"AND try_cast({text} AS DOUBLE) IS NULL THEN '''' || {text} ELSE {text} END"
            )
        shown = f"'{name}" if re.match(_FORMULA, name) else name
        columns.append(f"{column} AS {quote(shown)}")
    return f"SELECT {', '.join(columns)} FROM ({query})"


def model(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bytes | None:
    """The current model as a zip of model.skops and model_card.json; None before the first."""
    row = cursor.execute(
        "SELECT card, model FROM labeling.models WHERE project_id = ?", [project_id]
    ).fetchone()
    if row is None:
        return None
    return packed({"model_card.json": row[0], "model.skops": row[1]})


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of files, name → content."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return archive.getvalue()
