"""The data of a simulation on their way to the worker: drawn, cut to a size, written down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from labeling_core.config import DATA
from labeling_core.errors import LabelingError
from labeling_core.learning.out_of_fold import FOLDS
from labeling_core.modalities import joined_vectors
from labeling_core.modalities.column_kinds import BY_CHOICE
from labeling_core.modalities.registry import TOGETHER, features_of, parts
from labeling_core.people import EVERYWHERE, Person
from labeling_core.projects.labels import read_labels, to_learn
from labeling_core.sessions import features
from labeling_core.settings import Project
from labeling_core.simulation.labeled_data import (
    Drawn,
    chosen_features,
    draw,
    draw_file,
    labeled_files,
)
from labeling_core.sources.folders import chosen_folder
from labeling_core.store.database import SIMULATIONS, Database

ROWS = 6_000  # more would make each session longer, and the curves hardly smoother
IDS = ("label_id", "sample_id")  # columns of this program's own that are no features


class Prepared(NamedTuple):
    """``data`` as job.py reads it; ``source`` and ``notes`` in words."""

    data: dict[str, Any]
    source: str
    notes: list[str]


class Source(NamedTuple):
    """What may be replayed: ``prepare`` writes the data into the folder it is given.

    ``project_id`` says whose data they are; empty if no project's.
    """

    title: str
    prepare: Callable[[Path], Prepared]
    project_id: str = EVERYWHERE


def table(database: Database, name: str, label: str, by: Person, features: str = "") -> Source:
    """The labeled rows of a table in the database; ``features`` as in Settings, the usual ones
    where empty."""
    by.require("manage")
    chosen_features("", features)

    def prepare(folder: Path) -> Prepared:
        with database.read() as cursor:
            drawn = draw(cursor, name, label, folder / "table.parquet", ROWS)
        return _table(drawn, label, f"Table {name}, label column {label}", features)

    return Source(name, prepare)


def upload(
    path: Path, name: str, label: str, reading: Mapping[str, Any], by: Person, features: str = ""
) -> Source:
    """The labeled rows of an uploaded file called ``name``; ``reading`` as in importing.inspect,
    ``features`` as in Settings, the usual ones where empty."""
    by.require("manage")
    chosen_features("", features)

    def prepare(folder: Path) -> Prepared:
        drawn = draw_file(path, name, label, folder / "table.parquet", ROWS, reading)
        return _table(drawn, label, f"File {name}, label column {label}", features)

    return Source(Path(name).stem, prepare)


def wine_colour(by: Person) -> Source:
    """The labeled wines that come with the program."""
    by.require("manage")

    def prepare(folder: Path) -> Prepared:
        path = DATA / "wine_colour" / "answers.csv"
        drawn = draw_file(path, path.name, "label", folder / "table.parquet", ROWS)
        return _table(drawn, "label", "The wines of the sample project, with their true colour")

    return Source("Wine colour", prepare)


def _table(drawn: Drawn, label: str, source: str, seen: str = "") -> Prepared:
    data = {
        "form": "table", "label": label, "exclude": [label, *IDS], "chosen": {},
        "total": drawn.total, "features": chosen_features("", seen),
    }  # fmt: skip
    words = f"{source}: {drawn.taken:,} labeled rows{_as_seen(seen)}"
    return Prepared(data, words, _cut(drawn, "rows"))


def _as_seen(features: str) -> str:
    """What the model sees, for the end of a sentence; of the usual ones nothing."""
    return f", seen as {features.replace(TOGETHER, ' and ')}" if features else ""


def _cut(drawn: Drawn, what: str) -> list[str]:
    if drawn.taken == drawn.labeled:
        return []
    return [f"A random {drawn.taken:,} of the {drawn.labeled:,} labeled {what} were taken."]


def folder(database: Database, text: str, by: Person, features: str = "") -> Source:
    """A labeled folder of images or sounds below the allowed roots; ``features`` as in Settings,
    the usual ones where empty.

    Raises LabelingError (``field="folder"``) as chosen_folder does, and when it has no labels.
    """
    by.require("manage")
    root = chosen_folder(text, database.path.parent)
    found = labeled_files(root)
    chosen_features(found.modality, features)

    def prepare(target: Path) -> Prepared:
        order = np.random.default_rng(0).permutation(len(found.files))[:ROWS].tolist()
        files = [found.files[at] for at in order]
        taken = found._replace(files=files, labels=[found.labels[at] for at in order])
        (target / "files.json").write_text(json.dumps(taken._asdict()), encoding="utf-8")
        known = hashlib.sha256(str(root).encode()).hexdigest()[:16]
        data = {
            "form": "files", "root": str(root), "features": features,
            "extracted": str(database.files(SIMULATIONS, "extracted", known)),
        }  # fmt: skip
        words = f"Folder {root.name}: {len(files):,} labeled {found.modality}{_as_seen(features)}"
        return Prepared(data, words, _cut(Drawn(len(found.files), len(files)), "files"))

    return Source(root.name, prepare)


def project(database: Database, chosen: Project, by: Person) -> Source:
    """All labeled samples of a project, with its feature matrix if there is one."""
    by.require("manage", chosen.project_id)

    def prepare(folder: Path) -> Prepared:
        settings, note = (
            chosen.settings,
            (
                "These samples were chosen for labeling by a strategy, so they are no random draw; "
                "that tends to make the strategies look more alike than they are."
            ),
        )
        if features.must_be_read(database, chosen):
            raise LabelingError(
                "The files of this project have not been read yet: open its labeling page, and "
                "come back when they are."
            )
        if not features.have_features(database, chosen):
            if joined_vectors.keys_of(parts(features_of(settings))):
                # Perhaps by sample_id: rows of the labels' own table have other numbers.
                raise LabelingError(
                    "The vectors have not been joined to the rows of this project yet: run a "
                    "session, or open its labeling page, and come back when its features are ready."
                )
            with database.read() as cursor:
                target = folder / "table.parquet"
                drawn = draw(cursor, settings.labels_table, settings.label_column, target, ROWS)
            made = _table(drawn, settings.label_column, f"Labels of {settings.title}")
            made.data["features"] = features_of(settings)
            asked = features.asked_of_columns(settings)
            asked["exclude"] = dict.fromkeys(made.data["exclude"], BY_CHOICE) | asked["exclude"]
            made.data.update(asked, total=chosen.samples)
            return made._replace(notes=[*made.notes, note])
        drawn = _project_arrays(database, chosen, folder / "arrays.npz")
        words = f"Labels of {settings.title}: {drawn.taken:,} samples"
        return Prepared({"form": "arrays"}, words, [*_cut(drawn, "samples"), note])

    return Source(chosen.settings.title, prepare, chosen.project_id)


def _project_arrays(database: Database, chosen: Project, target: Path) -> Drawn:
    with database.read() as cursor:
        labels = read_labels(cursor, chosen)
        total = len(labels.positions)
        taken = np.random.default_rng(0).permutation(total)[:ROWS]
        labels = labels.where(np.isin(np.arange(total), taken))
        task = to_learn(cursor, chosen, labels, FOLDS)
    found = features.features_folder(database, chosen) / "features.npy"
    matrix = np.load(found, mmap_mode="r")
    task["X"] = matrix[task.pop("positions")]
    task["y"] = np.unique(task.pop("codes"), return_inverse=True)[1]
    np.savez(target, **task)  # type: ignore[arg-type]  # keywords are names
    return Drawn(total, len(taken))
