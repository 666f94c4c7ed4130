"""Sessions in the database: what an iteration needs, and publishing what it found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core import samples
from labeling_core.classifiers import AUTO
from labeling_core.database import Database, columns, literal, now, quote
from labeling_core.errors import LabelingError
from labeling_core.evaluation import wilson
from labeling_core.labels import Labels, measuring_end, read_labels, split
from labeling_core.publishing import publish
from labeling_core.queue import Queue
from labeling_core.renames import follow, read_renames
from labeling_core.settings import Project
from labeling_core.sources import source_folder
from labeling_core.trainer import Progress, Worker

# Seconds of reading files between two looks at what is broken.
FIRST_SLICE, SLICE = 15.0, 120.0


def begin(database: Database, project: Project, started_by: str, number: int, trigger: int) -> int:
    """Write the row of a session that starts with ``number`` labels; returns its session_id."""
    settings = project.settings
    with database.transaction() as cursor:
        row = cursor.execute(
            "SELECT coalesce(max(session_id), 0) + 1 FROM labeling.sessions WHERE project_id = ?",
            [project.project_id],
        ).fetchone()
        session_id = int(row[0]) if row else 1
        cursor.execute(
            "INSERT INTO labeling.sessions (project_id, session_id, state, started_by, started, "
            "classifier, strategy, labels, trigger_labels) "
            "VALUES (?, ?, 'RUNNING', ?, ?, ?, ?, ?, ?)",
            [project.project_id, session_id, started_by, now(), settings.classifier,
             settings.strategy, number, trigger],
        )  # fmt: skip
    return session_id


def fail(database: Database, project_id: str, session_id: int, reason: str) -> None:
    """Note why a session failed; the last good model and queue stay as they are."""
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET state = 'FAILED', finished = ?, reason = ? "
            "WHERE project_id = ? AND session_id = ?",
            [now(), reason, project_id, session_id],
        )


def fail_interrupted(database: Database) -> None:
    """After a start: sessions that ran when the program ended did not finish."""
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET state = 'FAILED', finished = ?, reason = ? "
            "WHERE state = 'RUNNING'",
            [now(), "The program ended while this session ran."],
        )


def last_failure(cursor: duckdb.DuckDBPyConnection, project_id: str) -> str:
    """Why the last session failed; empty if it did not, or there was none."""
    row = cursor.execute(
        "SELECT reason FROM labeling.sessions WHERE project_id = ? AND session_id = "
        "(SELECT max(session_id) FROM labeling.sessions WHERE project_id = ?) AND state = 'FAILED'",
        [project_id, project_id],
    ).fetchone()
    return str(row[0]) if row else ""


def last_trigger(cursor: duckdb.DuckDBPyConnection, project_id: str) -> int:
    """How many labels there were at the last trigger point; 0 before the first session."""
    row = cursor.execute(
        "SELECT trigger_labels FROM labeling.sessions WHERE project_id = ? "
        "ORDER BY session_id DESC LIMIT 1",
        [project_id],
    ).fetchone()
    return int(row[0]) if row else 0


def features_folder(database: Database, project: Project) -> Path:
    """Where the feature matrix lies; its name holds the version of the samples and the kind of
    features, so that what has changed is computed anew."""
    name = f"features_{project.source_version}_{project.settings.features}"
    return database.files(project.project_id) / name


def have_features(database: Database, project: Project) -> bool:
    """Whether the feature matrix is there, whole."""
    return (features_folder(database, project) / "features.json").exists()


def ensure_features(
    database: Database,
    project: Project,
    held: Callable[[], Queue],
    worker: Worker,
    progress: Progress,
) -> Path:
    """The folder of the project's feature matrix; computed by the worker where missing.

    Older versions are deleted. Samples that turn out to be broken are set aside in tables and
    queue as soon as the worker has told of them; ``held`` gives the queue of that moment, since
    reading files may take hours and the queue be read anew meanwhile.
    """
    root, folder = database.files(project.project_id), features_folder(database, project)
    if have_features(database, project):
        return folder
    for old in root.glob("features_*"):
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir()
    table = root / "samples.parquet"
    progress("Reading the samples", 0.0)
    _write_samples(database, project, table)
    settings = project.settings
    exclude = sorted({settings.label_column, settings.label_id_column, "label_id"})
    media = source_folder(settings.source, database.path.parent) if settings.is_media else ""
    job: dict[str, Any] = {
        "kind": "features", "features": settings.features, "table": str(table),
        "folder": str(folder), "exclude": exclude, "root": str(media),
        "extracted": str(root / "extracted"), "seconds": FIRST_SLICE,
    }  # fmt: skip
    while True:
        answer = worker.run(job, progress)
        set_aside(database, project, held, answer["broken"])
        if answer["complete"]:
            break
        job["seconds"] = SLICE
    table.unlink()
    return folder


def _write_samples(database: Database, project: Project, path: Path) -> None:
    with database.read() as cursor:
        cursor.execute(
            f"COPY (SELECT {samples.SOURCE_COLUMNS} FROM {samples.table(project.project_id)} "
            f"ORDER BY {samples.PLACE}) TO {literal(str(path))} (FORMAT parquet)"
        )


def set_aside(
    database: Database, project: Project, held: Callable[[], Queue], broken: dict[str, str]
) -> None:
    """Keep which samples (sample_id → reason) cannot be used; they leave the pool."""
    with database.transaction() as cursor:
        cursor.execute("DELETE FROM labeling.broken WHERE project_id = ?", [project.project_id])
        cursor.execute(
            "INSERT INTO labeling.broken SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
            [project.project_id, list(broken), list(broken.values())],
        )
        found = cursor.execute(
            f"SELECT {samples.PLACE}, {samples.SAMPLE_ID} FROM {samples.table(project.project_id)} "
            f"WHERE {samples.SAMPLE_ID} IN (SELECT unnest(?::VARCHAR[]))",
            [list(broken)],
        ).fetchall()
        queue = held()
        for place, sample_id in found:
            queue.set_aside(place, sample_id)


def broken_samples(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[tuple[str, str]]:
    """``(sample_id, reason)`` of what was set aside, in the order of their names."""
    return cursor.execute(
        "SELECT sample_id, reason FROM labeling.broken WHERE project_id = ? ORDER BY ALL",
        [project_id],
    ).fetchall()


def run(
    database: Database,
    project: Project,
    queue: Queue,
    session_id: int,
    limit: int,
    worker: Worker,
    progress: Progress,
) -> str:
    """Run session ``session_id`` in the worker and publish it; returns a word on it.

    It learns from the first ``limit`` labels only: a session that catches up stands for an
    earlier moment.
    Raises LabelingError after having noted the reason in the session's row.
    """
    try:
        folder = ensure_features(database, project, lambda: queue, worker, progress)
        out = database.files(project.project_id, "session")
        task, train = _task(database, project, queue, limit)
        np.savez(out / "task.npz", **task)  # type: ignore[arg-type]  # keywords are the names
        job = _job(database, project, session_id, folder, out)
        result = worker.run(job, progress)
        project = _told_choice(database, project, session_id, result["classifier"])
        publish(database, project, queue, session_id, folder, out, result["evaluation"], train)
        shutil.rmtree(out)
    except LabelingError as error:
        fail(database, project.project_id, session_id, str(error))
        raise
    except Exception as error:
        reason = f"The session stopped on an unexpected fault ({type(error).__name__})."
        fail(database, project.project_id, session_id, reason)
        raise
    return _last_word(result["evaluation"])


def _told_choice(database: Database, project: Project, session_id: int, chosen: str) -> Project:
    """Note in the session's row what “auto” stood for; the project as the model card tells it."""
    if project.settings.classifier != AUTO:
        return project
    told = f"{AUTO}: {chosen}"
    with database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.sessions SET classifier = ? WHERE project_id = ? AND session_id = ?",
            [told, project.project_id, session_id],
        )
    return project._replace(settings=replace(project.settings, classifier=told))


def _last_word(evaluation: dict[str, Any]) -> str:
    if not evaluation["evaluated"]:
        return "finished"
    share = wilson(evaluation["correct"], evaluation["evaluated"])
    told = f"accuracy {share.share:.1%} ({share.low:.1%}–{share.high:.1%})"
    if evaluation["kind"] == "cross-validation":
        return f"{told} by cross-validation"
    number, one = evaluation["evaluated"], {"probes": "probe", "test table": "row"}
    return f"{told} on {number:,} {one[evaluation['kind']]}{'s' * (number != 1)}"


def _task(
    database: Database, project: Project, queue: Queue, limit: int
) -> tuple[dict[str, NDArray[Any]], Labels]:
    closed = queue.closed.copy()  # first: what is labeled meanwhile is only unused this time
    with database.read() as cursor:
        found, kept = read_labels(cursor, project), queue.probe_limit
        end = measuring_end(cursor, project, closed, kept)
    train, probes = split(found, kept, end)
    early = np.isin(train.label_ids, np.sort(found.label_ids)[:limit])
    if len(np.unique(train.codes[early])) > 1:
        train = Labels(*(each[early] for each in train))
    pool = np.flatnonzero(~closed)
    task = {
        "train": train.places, "train_codes": train.codes,
        "probes": probes.places, "probe_codes": probes.codes,
        "pool": pool, "queryable": pool >= kept,
    }  # fmt: skip
    return task, train


def _job(
    database: Database, project: Project, session_id: int, folder: Path, out: Path
) -> dict[str, Any]:
    settings = project.settings
    test, renamed = "", {}
    if settings.test_table:
        test = str(out / "test.parquet")
        with database.read() as cursor:
            renames = read_renames(cursor, project.project_id)
            renamed = {each.old: follow(renames, each.old) for each in renames}
            listed = ", ".join(
                quote(name)
                for name, _ in [*columns(cursor, settings.source), (settings.label_column, "")]
            )
            cursor.execute(
                f"COPY (SELECT {listed} FROM main.{quote(settings.test_table)}) "
                f"TO {literal(test)} (FORMAT parquet)"
            )
    return {
        "kind": "session", "folder": str(folder), "out": str(out), "test": test,
        "classes": list(settings.classes), "renamed": renamed,
        "label_column": settings.label_column,
        "classifier": settings.classifier, "strategy": settings.strategy,
        "batch": settings.every, "seed": settings.seed + session_id,
    }  # fmt: skip
