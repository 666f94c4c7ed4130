"""What a simulation learns from: labeled tables, folders and arrays, as features and codes."""

from __future__ import annotations

import csv
import math
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.modalities import fitting
from labeling_core.modalities.column_kinds import BY_CHOICE
from labeling_core.modalities.joined_vectors import ROW_ID
from labeling_core.modalities.registry import (
    SUFFIXES,
    TOGETHER,
    features_of,
    modality_of,
    offered,
)
from labeling_core.settings import Settings, quote
from labeling_core.sources.folders import list_files
from labeling_core.sources.importing import inspect, load
from labeling_core.store.database import columns, literal

USUAL = ("label", "class", "category", "target", "y")  # what label columns are often called
Progress = Callable[[str, float], None]
Arrays = tuple[NDArray[np.float32], NDArray[np.intp]]


class Drawn(NamedTuple):
    """How many rows have a label, how many of them were taken, and how many there are in all."""

    labeled: int
    taken: int
    total: int = 0


class LabeledFiles(NamedTuple):
    """Files of a folder (relative, POSIX) with their labels, aligned; ``modality`` of them all."""

    modality: str
    files: list[str]
    labels: list[str]


def read_arrays(path: Path) -> Arrays:
    """Arrays ``X`` [n, d] and ``y`` [n] of an NPZ file: columns standardised, classes coded.

    A missing number (NaN) stands at the mean of its column, as in a table.
    Raises LabelingError for anything else than numbers and plain labels.
    """
    _require_file(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            X, y = np.asarray(arrays["X"], dtype=np.float64), arrays["y"]
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        # Arrays of Python objects are pickles, which could run anything when they are read.
        raise LabelingError(
            f"{path.name} is no NPZ file with plain arrays X and y (labels that are texts must be "
            "saved as y.astype(str))."
        ) from error
    if X.ndim != 2 or y.ndim != 1 or len(X) != len(y):
        raise LabelingError(
            f"{path.name}: X must be [n, d] and y [n]; they are {list(X.shape)} and "
            f"{list(y.shape)}."
        )
    if not X.size:
        raise LabelingError(f"{path.name}: X is empty; it needs rows and columns.")
    if np.isinf(X).any():
        raise LabelingError(f"{path.name}: X holds infinite numbers; replace them.")
    if y.dtype.kind == "f" and np.isnan(y).any():
        raise LabelingError(f"{path.name}: y holds NaN; leave out the rows without a label.")
    known = np.ma.masked_invalid(X)
    spread = known.std(axis=0).filled(0.0)
    scaled = (known - known.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled.filled(0.0).astype(np.float32), codes(y)


def codes(labels: NDArray[np.generic] | Sequence[str]) -> NDArray[np.intp]:
    """Class codes 0..classes-1 in the sorted order of the labels."""
    return np.unique(np.asarray(labels), return_inverse=True)[1].astype(np.intp)


def read_table(
    path: Path, label: str, part: str = "", features: str = "",
    told: Callable[[str], None] = lambda text: None,
) -> Arrays:  # fmt: skip
    """Features and class codes of a labeled table; unlabeled rows are left out.

    The features are those a tabular project would be given with ``features`` as in Settings, the
    usual ones where empty; ``label`` is none of them. ``part`` as in containers.opened. What was
    found of vectors that are joined is ``told``.
    """
    _require_file(path)
    key = chosen_features("", features)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.parquet"
        drawn = draw_file(path, path.name, label, table, reading={"part": part})
        arrays = table_features(
            table, label, [label], Path(folder), total=drawn.total, features=key
        )
        for each in fitting.joined_notes(Path(folder)).values():
            told(each)
        return arrays


def usual_label(names: Sequence[str]) -> str:
    """The one of ``names`` that a label column is often called; empty if there is none."""
    known = {name.lower(): name for name in reversed(names)}
    return next((known[each] for each in USUAL if each in known), "")


def has_labels(cursor: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether ``main.table`` has a column that :func:`usual_label` finds, with a label in it."""
    label = usual_label([each for each, _ in columns(cursor, table)])
    query = f"SELECT 1 FROM main.{quote(table)} WHERE CAST({quote(label)} AS VARCHAR) <> '' LIMIT 1"
    return bool(label) and cursor.execute(query).fetchone() is not None


def draw_file(
    path: Path, name: str, label: str, target: Path, rows: int | None = None,
    reading: Mapping[str, Any] | None = None,
) -> Drawn:  # fmt: skip
    """As :func:`draw`, from a file called ``name`` by the user; ``reading`` as in ``inspect``."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        load(connection, path, inspect(path, name, **(reading or {})), "source")
        return draw(connection, "source", label, target, rows, name)


def draw(
    cursor: duckdb.DuckDBPyConnection,
    table: str,
    label: str,
    target: Path,
    rows: int | None = None,
    name: str = "",
) -> Drawn:
    """Write the labeled rows of ``main.table``, shuffled with a fixed seed, to Parquet ``target``.

    At most ``rows`` of them if given; the column ROW_ID is their number in the table, from 1.
    Raises LabelingError (``field="label"``) without such a column; ``name`` is what the sentence
    calls the table.
    """
    found = cursor.execute(f"DESCRIBE main.{quote(table)}").fetchall()
    if label not in [row[0] for row in found]:
        raise LabelingError(f"{name or table} has no column “{label}”.", field="label")
    given = f"CAST({quote(label)} AS VARCHAR) <> ''"  # neither missing nor an empty text
    row = cursor.execute(
        f"SELECT count(*) FILTER ({given}), count(*) FROM main.{quote(table)}"
    ).fetchone()
    number, total = row or (0, 0)
    cursor.execute(
        # Shuffled, because the features are fitted on the first rows of a long table.
        f"COPY (SELECT * EXCLUDE (__number), (__number + 1)::VARCHAR AS {ROW_ID} FROM "
        f"(SELECT *, row_number() OVER () - 1 AS __number FROM main.{quote(table)}) "
        f"WHERE {given} ORDER BY hash(__number) "
        f"LIMIT {number if rows is None else rows}) TO {literal(str(target))} (FORMAT parquet)"
    )
    return Drawn(number, number if rows is None else min(rows, number), total)


def table_features(
    table: Path, label: str, exclude: Sequence[str] | Mapping[str, str], folder: Path,
    progress: Progress = lambda text, share: None,
    chosen: Mapping[str, Mapping[str, Any]] | None = None, total: int = 0, features: str = "",
) -> Arrays:  # fmt: skip
    """Features and class codes of the rows of a Parquet file that are all labeled; ``exclude``,
    ``chosen`` and ``total`` as for column_kinds.find_kinds, ``features`` as for fitting.fit_table.

    What was computed is left in ``folder``.
    """
    import pyarrow.parquet as pq

    labels = [str(each) for each in pq.read_table(table, columns=[label]).column(0).to_pylist()]
    if not labels:
        raise LabelingError(f"No row has a label in the column “{label}”.", field="label")
    hidden = exclude if isinstance(exclude, Mapping) else dict.fromkeys(exclude, BY_CHOICE)
    hidden = {ROW_ID: "is the number of the row"} | dict(hidden)
    fitting.fit_table(table, folder, hidden, progress, chosen, total, features)
    return np.load(folder / "features.npy"), codes(labels)


def read_folder(folder: Path, features: str = "") -> Arrays:
    """Features and class codes of a labeled folder of images or sounds (see labeled_files);
    ``features`` as in Settings, the usual ones where empty."""
    if not folder.is_dir():
        raise LabelingError(f"There is no folder {folder}.", field="folder")
    with tempfile.TemporaryDirectory() as kept:
        found = labeled_files(folder)
        data = found, folder, Path(kept) / "features", Path(kept) / "extracted"
        return features_of_files(*data, features=features)


def labeled_files(folder: Path) -> LabeledFiles:
    """The images or sounds of ``folder``, whichever are more, with their labels.

    The label is the first sub-folder on the way to a file; or what a CSV file in the folder, or
    beside it, says in its columns ``path`` and ``label``. Raises LabelingError for neither.
    """
    modality, files = max(
        ((each, list_files(folder, SUFFIXES[each]).files) for each in SUFFIXES),
        key=lambda found: len(found[1]),
    )
    if not files:
        raise LabelingError(f"{folder.name} holds no images or sounds.", field="folder")
    given = _told_labels(folder) or {
        name: PurePosixPath(name).parts[0] for name in files if "/" in name
    }
    labeled = [(name, given[name]) for name in files if given.get(name)]
    if not labeled:
        raise LabelingError(
            f"The files of {folder.name} have no labels: put each category into a sub-folder, or "
            "a CSV file with the columns path and label beside them.",
            field="folder",
        )
    return LabeledFiles(modality, [name for name, _ in labeled], [label for _, label in labeled])


def _told_labels(folder: Path) -> dict[str, str]:
    """Path → label of the first CSV file that has these two columns; empty if there is none."""
    for path in [*sorted(folder.glob("*.csv")), folder.with_name(f"{folder.name}.csv")]:
        if path.is_file():
            with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
                rows = csv.DictReader(file)
                if {"path", "label"} <= set(rows.fieldnames or ()):
                    return {row["path"].replace("\\", "/"): row["label"] or "" for row in rows}
    return {}


def features_of_files(
    found: LabeledFiles, root: Path, folder: Path, extracted: Path,
    progress: Progress = lambda text, share: None, features: str = "",
) -> Arrays:  # fmt: skip
    """Features and class codes of labeled files; those that cannot be read are left out.

    ``features`` as in Settings, the usual ones where empty. The matrix is left in ``folder``, what
    was read of each file in ``extracted``, so that it is not read again.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "files.parquet"
    pq.write_table(pa.table({"path": found.files}), table)
    job = {
        "features": chosen_features(found.modality, features), "modality": found.modality,
        "root": str(root), "folder": str(folder),
        "extracted": str(extracted), "seconds": math.inf, "reading": time.time_ns(),
    }  # fmt: skip
    broken = fitting.fit(table, job, progress)["broken"]
    usable = np.array([name not in broken for name in found.files])
    return np.load(folder / "features.npy")[usable], codes(np.array(found.labels)[usable])


def chosen_features(modality: str, features: str) -> str:
    """The key of ``features`` (as in Settings; empty for the usual ones) of files of a modality, or
    of a table where it is empty. Raises LabelingError (field ``features``) for what is not on
    offer."""
    settings = Settings(modality=modality or Settings.modality, features=features)
    listed = offered(modality_of(settings))
    for each in features.split(TOGETHER) if features else []:
        if each not in listed:
            raise LabelingError(
                f"“{each}” are no features of {modality or 'tables'}: there are "
                f"{', '.join(listed)}.",
                "features",
            )
    return features_of(settings)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise LabelingError(f"There is no file {path}.")
