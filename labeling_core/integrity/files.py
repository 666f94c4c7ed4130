"""Checks of what lies beside the database, and of the sources that projects are made of."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.integrity.record import (
    Check,
    Cursor,
    Found,
    House,
    Tables,
    in_files,
    remove_paths,
    values,
)
from labeling_core.modalities.extraction_ledger import read_entries, read_vectors
from labeling_core.modalities.registry import modality_of, source_of
from labeling_core.projects import samples
from labeling_core.sessions.features import features_folder
from labeling_core.settings import Project
from labeling_core.simulation.simulations import RECORD
from labeling_core.sources.folders import UPLOADS
from labeling_core.sources.windows import split
from labeling_core.store import backups, put_back
from labeling_core.store.database import OWN_FOLDERS, SIMULATIONS
from labeling_core.store.file_names import folder_name

# Of a project's folder: what is on its way to the worker or back, and what is computed again.
_JOBS = ("session", "start", "review", "final_model", "samples.parquet")
_COMPUTED = (*_JOBS, "features_*", "extracted", "renditions", ".left_over")


def _folder(house: House, project: Project) -> Path:
    return house.files / folder_name(project.project_id)


def _torn_features(house: House, project: Project) -> list[Path]:
    """A feature matrix that counts as complete and is not."""
    folder = features_folder(house.database, project)
    if not (folder / "features.json").exists():
        return []
    needed = ["features.npy"]
    needed += [] if modality_of(project.settings).reads_files else ["transformer.skops"]
    if all((folder / each).exists() for each in needed):
        with suppress(OSError, ValueError):
            if len(np.load(folder / "features.npy", mmap_mode="r")) == project.samples:
                return []
    return [folder]


def _torn_ledgers(house: House, project: Project) -> list[Path]:
    """Numbers of files that are written down, and are not there."""
    return [each for each in _folder(house, project).glob("extracted/*") if _is_torn(each)]


def _is_torn(ledger: Path) -> bool:
    there = len(read_vectors(ledger))
    return any(each.start + 4 * each.length > there for each in read_entries(ledger).values())


def _torn_renditions(house: House, project: Project) -> list[Path]:
    """Pictures and audio without a byte, or of which half was written: no browser shows them. Those
    that this very process writes are on their way to one."""
    made = _folder(house, project).glob("renditions/*/*")
    torn = [each for each in made if each.name.startswith(".") or not each.stat().st_size]
    return [each for each in torn if each.suffixes[-2:-1] != [f".{os.getpid()}"]]


def _stale_jobs(house: House, project: Project) -> list[Path]:
    return [each for name in _JOBS if (each := _folder(house, project) / name).exists()]


def _stale_simulations(house: House) -> list[Found]:
    """Those that were never begun, and data of those that nothing runs any more."""
    stale = [
        each / "data" if (each / RECORD).exists() else each
        for each in sorted((house.files / SIMULATIONS).glob("*_*_*"))
        if (each / "data").exists() or not (each / RECORD).exists()
    ]
    names = tuple(each.relative_to(house.files).as_posix() for each in stale)
    return [Found("", names)] if names else []


def _folders_of_no_project(house: House, ours: bool) -> list[Found]:
    """Folders of files that no project has: ``ours``, with nothing but what is computed, or not."""
    known = {folder_name(each.project_id) for each in house.projects} | OWN_FOLDERS
    folders = [each for each in sorted(house.files.glob("*")) if each.is_dir()]
    names = tuple(
        each.name for each in folders if each.name not in known and _computed(each) == ours
    )
    return [Found("", names)] if names else []


def _computed(folder: Path) -> bool:
    return all(any(each.match(name) for name in _COMPUTED) for each in folder.iterdir())


def _lost_sources(house: House) -> list[Found]:
    """Sources that are gone, and files of theirs that are."""
    found = []
    with house.database.read() as cursor:
        there = Tables.of(cursor)
        for each in house.projects:
            if not samples.source_exists(cursor, each.settings):
                found.append(Found(each.project_id, (each.settings.source,)))
            elif there.have_samples(each):
                root = source_of(each.settings).root(
                    house.database.path.parent, each.settings.source
                )
                lost = _lost_files(root, _present(cursor, each)) if root else ()
                found += [Found(each.project_id, lost)] if lost else []
    return found


def _present(cursor: Cursor, project: Project) -> Iterable[str]:
    table = samples.keys(project.project_id)
    return values(cursor, f"SELECT {samples.SAMPLE_ID} FROM {table} WHERE {samples.PRESENT}")


def _lost_files(root: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of ``names`` that are no file any more, or windows of none."""
    there = cache(lambda file: Path(root, file).exists())  # many windows are of one
    return tuple(each for each in names if not there(split(each).path))


def _uploads_of_no_project(house: House) -> list[Found]:
    used = {each.settings.source for each in house.projects}
    folders = sorted((house.database.path.parent / UPLOADS).glob("[!.]*"))
    names = [f"{UPLOADS}/{each.name}" for each in folders if each.is_dir()]
    free = tuple(each for each in names if each not in used)
    return [Found("", free)] if free else []


def _broken_backups(house: House) -> list[Found]:
    broken = []
    for each in backups.list_backups(house.database.path):
        try:
            put_back.require_backup(each.path)
        except LabelingError:
            broken.append(str(each.path))
    return [Found("", tuple(broken))] if broken else []


CHECKS = (
    Check(
        "feature files", "Is every feature matrix that counts as complete there, row by row?",
        "The feature matrix {named} is not whole.", "It is removed, and computed again.",
        in_files(_torn_features), remove_paths,
    ),
    Check(
        "numbers of files", "Are the numbers of every file that was read there?",
        "Numbers of files that were read lack in {named}.",
        "They are removed; the files are read again.", in_files(_torn_ledgers), remove_paths,
    ),
    Check(
        "renditions", "Is every picture and sound made for browsers whole?",
        "{number} pictures or sounds made for browsers are not whole: {named}.",
        "They are removed, and made again when they are asked for, as those that lack.",
        in_files(_torn_renditions), remove_paths,
    ),
    Check(
        "stale jobs", "Is nothing left of work that has ended?",
        "{named} was left by work that has ended.", "It is removed.",
        in_files(_stale_jobs), remove_paths,
    ),
    Check(
        "stale simulations", "Is nothing left of simulations that have ended?",
        "{named} was left by simulations that have ended; their curves stay.", "It is removed.",
        _stale_simulations, remove_paths,
    ),
    Check(
        "files of no project", "Does every folder of computed files belong to a project?",
        "Computed files are of projects that are gone: {named}.", "They are removed.",
        lambda house: _folders_of_no_project(house, True), remove_paths,
    ),
    Check(
        "other folders", "Is there nothing else beside the database?",
        "{named} beside the database is not the program's.",
        "Move it away, if you know what it is.",
        lambda house: _folders_of_no_project(house, False),
    ),
    Check(
        "sources", "Is everything there that samples are made of?",
        "{number} sources or files of samples are gone: {named}.",
        "Put them back, or choose Look for new samples in the settings, which takes them out of "
        "the pool; labels stay.", _lost_sources,
    ),
    Check(
        "uploads of no project", "Does every upload belong to a project?",
        "No project uses {named}.",
        "Delete it if it is not needed: the program keeps what people have uploaded.",
        _uploads_of_no_project,
    ),
    Check(
        "backups", "Can every backup be put back?",
        "{number} backups cannot be put back: {named}.", "Delete them, and make a new one.",
        _broken_backups,
    ),
)  # fmt: skip
