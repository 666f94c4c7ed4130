"""The feature matrix of a project: made by the worker, and the samples it found broken."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from labeling_core.labeling.queue import Queue
from labeling_core.modalities import fitting, joined_vectors, own_features, twins
from labeling_core.modalities.extraction import ledger_folder
from labeling_core.modalities.registry import (
    features_of,
    modality_of,
    parts,
    require_installed,
    source_of,
    version_of,
)
from labeling_core.projects import samples, set_aside
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import USES, Project, Settings
from labeling_core.store import watched
from labeling_core.store.database import Database, literal
from labeling_core.store.removal import is_left_over, remove

# Seconds of reading files between two looks at what is broken.
FIRST_SLICE, SLICE = 15.0, 120.0
_WRITING = 0.1  # share of the work on a table until the worker can read it
# Use of a column (see settings.USES) → why it is no feature.
_NOT_LEARNED = {
    "shown": "is shown only, by choice",
    "neither": "is neither shown nor learned from, by choice",
    "labels": "holds labels",
    "annotator": "says who labeled",
    "time": "says when it was labeled",
    "comment": "holds comments on labels",
}


def features_folder(database: Database, project: Project) -> Path:
    """Where the feature matrix lies; its name holds the version of the samples, the kind of
    features and what was chosen for them, so that what has changed is computed anew."""
    settings = project.settings
    name = f"features_{project.source_version}_{features_of(settings)}"
    if not modality_of(settings).reads_files:
        name += f"_{stamp(settings)}"
    return database.files(project.project_id) / name


def stamp(settings: Settings) -> str:
    """A short text that differs where what is learned from a table, and how it is read, differs."""
    return fitting.stamp(asked_of_columns(settings))


def asked_of_columns(settings: Settings) -> dict[str, Any]:
    """What the job that computes features has to know of a table's columns: ``exclude``, name →
    why it is no feature, and ``chosen``, name → kind and missing markers that a person has said."""
    ours = (settings.label_column, settings.label_id_column, "label_id")
    exclude = dict.fromkeys(ours, "has the name of a column of the labels") | {
        each.name: _NOT_LEARNED[each.use] for each in settings.columns if not each.learned
    }
    chosen = {
        each.name: {"kind": each.kind, "missing": each.missing}
        for each in settings.columns
        if each.learned and (each.kind or each.missing is not None)
    }
    return {"exclude": exclude, "chosen": chosen}


class Learned(NamedTuple):
    """What the features of a table hold: ``columns`` name → kind, ``left_out`` name → reason; and
    those columns that were ``joined`` from elsewhere, name → a sentence on what was found."""

    columns: dict[str, str]
    left_out: dict[str, str]
    joined: dict[str, str]


def learned(database: Database, project: Project) -> Learned | None:
    """What is learned from and what is left out; None for files, and until it is computed."""
    if modality_of(project.settings).reads_files:
        return None
    found = fitting.columns_of(features_folder(database, project))
    if found is None:
        return None
    return Learned(found.columns, found.left_out, joined_vectors.notes(found.joined))


def learned_rows(settings: Settings, found: Learned) -> list[dict[str, str]]:
    """A row per column of the source, for people: those that are learned from first, then those
    that are left out with the reason."""

    def use(name: str) -> str:
        return "learned" if name in found.joined else settings.column(name).use

    used = [
        {"column": name, "use": USES[use(name)], "learned as": kind, "why not": ""}
        for name, kind in found.columns.items()
    ]
    return used + [
        {
            "column": name,
            "use": USES[use(name)],
            "learned as": "",
            "why not": _NOT_LEARNED.get(use(name), reason),
        }
        for name, reason in found.left_out.items()
    ]


def have_features(database: Database, project: Project) -> bool:
    """Whether the feature matrix is there, whole, and as the program computes it today."""
    folder = features_folder(database, project)
    whole = folder / "features.json"
    return whole.exists() and not is_left_over(whole, folder) and _is_of_today(whole, project)


def _is_of_today(card: Path, project: Project) -> bool:
    """Whether files were turned into the numbers that they would be turned into today; of tables,
    the name of the folder says so, but for vectors that were joined to them. What is gone for now
    counts as what it was."""
    features = features_of(project.settings)
    is_table = not modality_of(project.settings).reads_files
    if is_table and not joined_vectors.keys_of(parts(features)):
        return True
    today = None if is_table else version_of(features)
    with suppress(OSError, ValueError):  # it is being removed
        told = json.loads(card.read_text("utf-8"))
        if is_table:
            joined = told.get("joined", {}).items()
            return all(own_features.version(key) in ("", each["version"]) for key, each in joined)
        return today is None or bool(told["version"] == today)
    return False


def _outdated(extracted: Path, features: str) -> list[Path]:
    """What was read from files for an earlier version of these ``features``."""
    return [
        each
        for key in parts(features)
        for each in extracted.glob(f"{key}-*")
        if each != ledger_folder(extracted, key)
    ]


def same_files(database: Database, project: Project) -> list[twins.Twin]:
    """The files that are there twice, as the last whole reading found them."""
    if not modality_of(project.settings).reads_files or not have_features(database, project):
        return []
    return twins.kept(features_folder(database, project))


def must_be_read(database: Database, project: Project) -> bool:
    """Whether files have to be read before anything can be learned from them."""
    return modality_of(project.settings).reads_files and not have_features(database, project)


def ensure_features(
    database: Database,
    project: Project,
    get_queue: Callable[[], Queue],
    worker: Worker,
    progress: Progress,
) -> Path:
    """The folder of the project's feature matrix; computed by the worker where missing.

    Older versions are deleted; that files are read once more for their sake is said. Samples that
    turn out to be broken are set aside in tables and queue as soon as the worker has told of them;
    ``held`` gives the queue of that moment, since reading files may take hours and the queue be
    read anew meanwhile.
    """
    root, folder = database.files(project.project_id), features_folder(database, project)
    if have_features(database, project):
        return folder
    settings = project.settings
    key, extracted = features_of(settings), root / "extracted"
    require_installed(key)  # before anything is removed
    for old in root.glob("features_*"):
        remove(old)
    folder.mkdir(exist_ok=True)  # something in it may still be in use
    table = root / "samples.parquet"
    _write_samples(database, project, table, progress)
    media = source_of(settings).root(database.path.parent, settings.source)
    outdated = _outdated(extracted, key) if modality_of(settings).reads_files else []
    told = _telling_why(progress) if outdated else _of_worker(progress, settings)
    job: dict[str, Any] = {
        "kind": "features", "features": key, "modality": settings.modality,
        "table": str(table), "folder": str(folder),
        "root": media, "extracted": str(extracted), "seconds": FIRST_SLICE,
        "reading": project.source_version,
        **asked_of_columns(settings),
    }  # fmt: skip
    while True:
        answer = worker.run(job, told)
        _set_aside(database, project, get_queue, answer["broken"])
        if answer["complete"]:
            break
        job["seconds"] = SLICE
    for left in (table, *outdated):
        remove(left)
    return folder


def _telling_why(progress: Progress) -> Progress:
    """The same progress, and why files are read that were read before."""
    return lambda text, share: progress(
        f"{text}, anew: other numbers of them are learned from now", share
    )


def _of_writing(progress: Progress, share: float) -> None:
    progress("Reading the samples", _WRITING * share)


def _of_worker(progress: Progress, settings: Settings) -> Progress:
    """The same progress, for the worker's share of the work."""
    start = 0.0 if modality_of(settings).reads_files else _WRITING
    return lambda text, share: progress(text, start + (1 - start) * share)


def _write_samples(database: Database, project: Project, path: Path, progress: Progress) -> None:
    settings = project.settings
    joins = not modality_of(settings).reads_files and joined_vectors.keys_of(
        parts(features_of(settings))
    )
    ids = f", {samples.SAMPLE_ID} AS {joined_vectors.ROW_ID}" if joins else ""
    with database.read() as cursor:
        watched.execute(
            cursor,
            f"COPY (SELECT {samples.SOURCE_COLUMNS}{ids} FROM {samples.table(project.project_id)} "
            f"ORDER BY {samples.PLACE}) TO {literal(str(path))} (FORMAT parquet)",
            partial(_of_writing, progress),
        )


def _set_aside(
    database: Database, project: Project, get_queue: Callable[[], Queue], broken: dict[str, str]
) -> None:
    """Keep which samples (sample_id → reason) cannot be used; they leave the pool."""
    with database.transaction() as cursor:
        set_aside.store(cursor, project.project_id, broken)
        found = cursor.execute(
            f"SELECT {samples.PLACE}, {samples.SAMPLE_ID} FROM {samples.table(project.project_id)} "
            f"WHERE {samples.SAMPLE_ID} IN (SELECT unnest(?::VARCHAR[]))",
            [list(broken)],
        ).fetchall()
        queue = get_queue()
        for position, sample_id in found:
            queue.set_aside(position, sample_id)
