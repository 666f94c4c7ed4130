"""From a list of files to the feature matrix of a project. Runs in a worker process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from labeling_core.modalities import own_features, twins
from labeling_core.modalities.extraction import Progress, extract, ledger_folder
from labeling_core.modalities.feature_matrix import FURTHEST, Scaling, matrix
from labeling_core.modalities.registry import (
    modality_with,
    parts,
    require_installed,
    version_of,
    words_of,
)

SCALING = "scaling.npz"  # beside the matrix: what the raw features went through
_EVERY = 0.2  # seconds between two words on the progress


def fit_features(
    table: Path, job: dict[str, Any], progress: Callable[[str, float], None]
) -> dict[str, Any]:
    """Go on reading the files that the Parquet ``table`` lists as ``path``, in the order of their
    places, and write the matrix to the job's ``folder`` once all have been read.

    ``job``: ``features`` (see registry.features_of), ``modality``, ``root`` of the files,
    ``extracted`` (the folder that keeps what was read), ``reading`` (its number: what an earlier
    one refused is tried again), ``seconds`` after which to give a first answer.
    Returns ``complete`` and ``broken``, path → reason of the files set aside so far. Raises
    LabelingError when no file can be read.
    """
    import pyarrow.parquet as pq

    _require_usable(job["features"])
    files = pq.read_table(table, columns=["path"]).column(0).to_pylist()
    root, kept, features = Path(job["root"]), Path(job["extracted"]), job["features"]
    end = time.monotonic() + job["seconds"]
    found = extract(
        files, root, kept, features, _told(progress), lambda: time.monotonic() > end,
        reading=job["reading"],
    )  # fmt: skip
    if found.done < found.total:
        return {"complete": False, "broken": found.broken}
    folder, kind = Path(job["folder"]), modality_with(features, job.get("modality", ""))
    usable, scaling = matrix(files, root, kept, features, folder / "features.npy")
    np.savez_compressed(folder / SCALING, *scaling)
    ledger = ledger_folder(kept, parts(features)[0])
    twins.keep(folder, twins.find(files, root, ledger, kind.content))
    card = {
        "features": features,
        "modality": kind.name,
        "version": version_of(features),
        "computed_by": " and ".join(map(words_of, parts(features))) + ", one row a file",
        "rows": len(files),
        "usable": int(usable.sum()),
        "numbers": len(scaling.centre),
        "width": len(scaling.factor),
        "scaling": "done by the model: mean 0 and deviation 1, cut at ±10; raw pixels as "
        "principal components",
    }
    # The last file to appear: with it the folder is complete.
    (folder / "features.json").write_text(json.dumps(card), encoding="utf-8", newline="\n")
    return {"complete": True, "broken": found.broken}


def _require_usable(features: str) -> None:
    """LabelingError where no file could be read for want of what reads them: told of each file, it
    would be kept as a fault of the files."""
    require_installed(features)
    for each in parts(features):
        if each.startswith(own_features.MODEL):
            own_features.reader(each).try_out()


def scaling_steps(folder: Path) -> list[tuple[str, Any]]:
    """The scaling as steps of a scikit-learn pipeline, which begins with raw features then."""
    from sklearn.decomposition import PCA
    from sklearn.preprocessing import MinMaxScaler

    arrays = np.load(folder / SCALING)
    scaling = Scaling(*(arrays[name] for name in arrays.files))
    # Nothing is fitted anew: these are scikit-learn's own types for a linear map and for limits.
    linear = PCA()
    linear.components_, linear.mean_ = scaling.components(), scaling.centre
    linear.n_features_in_ = len(scaling.centre)
    linear.explained_variance_ = np.ones(len(scaling.factor), np.float32)  # asked for until 1.8
    width = len(scaling.factor)
    limits = MinMaxScaler((-FURTHEST, FURTHEST), clip=True)
    limits.fit(np.repeat(np.array([[-FURTHEST], [FURTHEST]], np.float32), width, axis=1))
    return [("scaling", linear), ("limits", limits)]


def _told(progress: Callable[[str, float], None]) -> Callable[[Progress], None]:
    """Progress in words, a few times a second however quick the files are."""
    last = 0.0

    def tell(now: Progress) -> None:
        nonlocal last
        if time.monotonic() - last < _EVERY and now.done < now.total:
            return
        last = time.monotonic()
        text = f"Reading the files: {now.done:,} of {now.total:,}"
        if now.rate and now.seconds_left:
            text += f", {now.rate:.0f} a second, {_duration(now.seconds_left)} left"
        progress(text, now.done / max(now.total, 1))

    return tell


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
