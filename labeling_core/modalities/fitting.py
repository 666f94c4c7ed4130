"""What the worker asks of a modality, whichever it is: the matrix, rows like those, the steps
of a pipeline that come before the classifier."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeling_core.modalities import file_features, tabular

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[str, float], None]


def fit(table: Path, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the feature matrix of the Parquet ``table`` to the job's ``folder``; arguments and
    answer as of file_features.fit_features, and of a table ``exclude`` and ``chosen``: what
    column_kinds.find_kinds has to know of its columns."""
    if job["features"] != "tabular":
        return file_features.fit_features(table, job, progress)
    fit_table(table, Path(job["folder"]), job["exclude"], progress, job.get("chosen"))
    return {"complete": True, "broken": {}}


def fit_table(
    table: Path,
    folder: Path,
    exclude: Sequence[str] | Mapping[str, str],
    progress: Progress,
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
    total: int = 0,
) -> None:
    """Write the feature matrix of the columns of ``table`` to ``folder``; arguments as of
    tabular.fit_features."""
    tabular.fit_features(table, folder, exclude, progress, chosen, total)


def stamp(asked: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits that differ where a table's features would: by the version of
    their computation, and by what is ``asked`` of its columns (see :func:`fit`)."""
    said = json.dumps([tabular.VERSION, sorted(asked["exclude"]), asked["chosen"]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def columns_of(folder: Path) -> tuple[dict[str, str], dict[str, str]] | None:
    """Name → kind of the columns of a table that its features in ``folder`` hold, and name →
    reason of those that are left out; None where there are none."""
    found = tabular.read_features(folder)
    return (found.columns, found.left_out) if found else None


def transform_table(table: Path, folder: Path) -> np.ndarray:
    """The features of another table with the columns that were fitted in ``folder``."""
    return tabular.transform(table, folder)


def first_steps(folder: Path) -> list[tuple[str, Any]]:
    """What comes before a classifier that learned from the matrix in ``folder``: from the columns
    of a table, or from the features of a file."""
    if (folder / file_features.SCALING).exists():
        return file_features.scaling_steps(folder)
    return [("features", tabular.load_transformer(folder))]
