"""What the worker asks of a modality, whichever it is: the matrix, rows like those, the steps
of a pipeline that come before the classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeling_core.modalities import file_features, tabular

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[str, float], None]


def fit(table: Path, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the feature matrix of the Parquet ``table`` to the job's ``folder``; arguments and
    answer as of file_features.fit_features, and ``exclude``, the columns that are no features."""
    if job["features"] != "tabular":
        return file_features.fit_features(table, job, progress)
    fit_table(table, Path(job["folder"]), job["exclude"], progress)
    return {"complete": True, "broken": {}}


def fit_table(table: Path, folder: Path, exclude: Sequence[str], progress: Progress) -> None:
    """Write the feature matrix of the columns of ``table`` to ``folder``."""
    tabular.fit_features(table, folder, exclude, progress)


def transform_table(table: Path, folder: Path) -> np.ndarray:
    """The features of another table with the columns that were fitted in ``folder``."""
    return tabular.transform(table, folder)


def first_steps(folder: Path) -> list[tuple[str, Any]]:
    """What comes before a classifier that learned from the matrix in ``folder``: from the columns
    of a table, or from the features of a file."""
    if (folder / file_features.SCALING).exists():
        return file_features.scaling_steps(folder)
    return [("features", tabular.load_transformer(folder))]
