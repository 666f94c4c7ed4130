"""What the worker asks of a modality, whichever it is: the matrix, rows like those, the steps
of a pipeline that come before the classifier."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeling_core.modalities import file_features, joined_vectors, tabular
from labeling_core.modalities.registry import modality_with, parts
from labeling_core.store.removal import remove

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[str, float], None]
_JOINED = "joined.parquet"  # while the features are computed


def fit(table: Path, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the feature matrix of the Parquet ``table`` to the job's ``folder``; arguments and
    answer as of file_features.fit_features, and of a table ``exclude`` and ``chosen``: what
    column_kinds.find_kinds has to know of its columns."""
    features = job["features"]
    if modality_with(features, job.get("modality", "")).reads_files:
        return file_features.fit_features(table, job, progress)
    chosen = job.get("chosen")
    fit_table(table, Path(job["folder"]), job["exclude"], progress, chosen, features=features)
    return {"complete": True, "broken": {}}


def fit_table(
    table: Path,
    folder: Path,
    exclude: Sequence[str] | Mapping[str, str],
    progress: Progress,
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
    total: int = 0,
    features: str = "",
) -> None:
    """Write the feature matrix of the columns of ``table`` to ``folder``; arguments as of
    tabular.fit_features. ``features`` (a key of registry.features_of) may name vectors that are
    joined to the columns, or taken alone; rows are known as joined_vectors.join says."""
    wanted = parts(features)
    vectors = joined_vectors.keys_of(wanted)
    if not vectors:
        tabular.fit_features(table, folder, exclude, progress, chosen, total)
        return
    if len(vectors) == len(wanted):
        exclude, chosen = dict.fromkeys(_columns(table), "is not seen by the model, by choice"), {}
    folder.mkdir(parents=True, exist_ok=True)
    progress("Joining the vectors to the rows", 0.0)
    joined = joined_vectors.join(table, vectors, folder / _JOINED)
    said = {key: each._asdict() for key, each in joined.items()}
    tabular.fit_features(folder / _JOINED, folder, exclude, progress, chosen, total, said)
    remove(folder / _JOINED)


def _columns(table: Path) -> list[str]:
    import pyarrow.parquet as pq

    return [each for each in pq.read_schema(table).names if each != joined_vectors.ROW_ID]


def stamp(asked: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that differ where a table's features would: by the version of
    their computation, and by what is ``asked`` of its columns (see :func:`fit`)."""
    said = json.dumps([tabular.VERSION, sorted(asked["exclude"]), asked["chosen"]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def columns_of(folder: Path) -> tabular.FeatureSet | None:
    """What the features of a table in ``folder`` hold; None where there are none."""
    return tabular.read_features(folder)


def joined_notes(folder: Path) -> dict[str, str]:
    """Column → a sentence on what was found, of the vectors that were joined to the table in
    ``folder``."""
    found = tabular.read_features(folder)
    return joined_vectors.notes(found.joined) if found else {}


def transform_table(table: Path, folder: Path) -> np.ndarray:
    """The features of another table with the columns that were fitted in ``folder``; vectors that
    were joined there, and that it has no column of, are joined to it."""
    found = tabular.read_features(folder)
    joined = found.joined if found else {}
    target = table.with_name(_JOINED)
    try:
        return tabular.transform(joined_vectors.completed(table, joined, target), folder)
    finally:
        remove(target)


def first_steps(folder: Path) -> list[tuple[str, Any]]:
    """What comes before a classifier that learned from the matrix in ``folder``: from the columns
    of a table, or from the features of a file."""
    if (folder / file_features.SCALING).exists():
        return file_features.scaling_steps(folder)
    return [("features", tabular.load_transformer(folder))]
