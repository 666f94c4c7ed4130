"""Features of tables: every sample becomes one row of a float32 matrix on disk.

For the worker process and the command line: numpy, pyarrow and skops are imported inside the
functions. What happens to a column before the transformer is said in ``features.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from labeling_core.errors import LabelingError
from labeling_core.modalities.column_kinds import find_kinds
from labeling_core.modalities.table_columns import CONVERSIONS, batches, prepare
from labeling_core.modalities.table_transformer import fit_transformer

if TYPE_CHECKING:
    import numpy as np
    from sklearn.compose import ColumnTransformer

VERSION = 1
FILES = ("features.npy", "transformer.skops", "features.json")
TRUSTED = ["numpy.dtype"]  # besides what skops trusts by itself: scikit-learn and numpy arrays

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class FeatureSet:
    """The features of a table: ``rows`` × ``width`` numbers in ``folder``.

    ``columns`` are name → kind of what is used, ``left_out`` name → reason of what is not.
    """

    folder: Path
    rows: int
    width: int
    columns: dict[str, str]
    left_out: dict[str, str]

    @property
    def matrix(self) -> np.ndarray:
        """The float32 matrix, memory-mapped and read-only; row = position."""
        import numpy as np

        return np.load(self.folder / FILES[0], mmap_mode="r")


def fit_features(
    table: Path,
    folder: Path,
    exclude: Sequence[str] = (),
    progress: Progress = lambda doing, share: None,
) -> FeatureSet:
    """Fit on the first rows of the Parquet file ``table`` and write the features of all of it.

    Rows are in position order, which is already random. Columns in ``exclude`` are no features.
    ``progress`` is told what is done and the share done (0..1). The files in ``folder`` take
    their names at the end, ``features.json`` last, so a kill leaves no half cache.
    Raises LabelingError if no column can be used.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILES[2]).unlink(missing_ok=True)
    transformer, kinds, left_out = _fit(table, exclude, progress)
    parts = [folder / f"{name}.partial" for name in FILES]
    rows, width = _write_matrix(table, parts[0], transformer, kinds, progress)
    skops.io.dump(transformer, parts[1])
    features = FeatureSet(folder, rows, width, kinds, left_out)
    saved = asdict(features) | {"version": VERSION, "conversions": CONVERSIONS}
    del saved["folder"]
    parts[2].write_text(json.dumps(saved, ensure_ascii=False, indent=1), encoding="utf-8")
    for part, name in zip(parts, FILES, strict=True):
        part.replace(folder / name)
    progress("Features are ready", 1.0)
    return features


def read_features(folder: Path) -> FeatureSet | None:
    """The features that :func:`fit_features` left in ``folder``; None if they are not whole."""
    try:
        saved = json.loads((folder / FILES[2]).read_text(encoding="utf-8"))
        if saved["version"] != VERSION or not (folder / FILES[1]).is_file():
            return None
        features = FeatureSet(
            folder, saved["rows"], saved["width"], saved["columns"], saved["left_out"]
        )
        whole = features.matrix.shape == (features.rows, features.width)
    except (OSError, ValueError, KeyError):
        return None
    return features if whole else None


def load_transformer(folder: Path) -> ColumnTransformer:
    """The fitted transformer; nothing but scikit-learn's and numpy's types is trusted."""
    import skops.io

    return skops.io.load(folder / FILES[1], trusted=TRUSTED)


def transform(table: Path, folder: Path) -> np.ndarray:
    """The features (rows × width, float32) of another Parquet table with the same columns.

    Further columns do no harm. Raises LabelingError if one that is needed is missing.
    """
    import numpy as np
    import pyarrow.parquet as pq

    features = read_features(folder)
    if features is None:
        raise LabelingError("The features of this project are not computed yet: run a session.")
    missing = [name for name in features.columns if name not in pq.read_schema(table).names]
    if missing:
        raise LabelingError(
            f"The table lacks the column “{missing[0]}”, which the model uses: add it, or choose "
            "another table."
        )
    transformer = load_transformer(folder)
    parts = [
        transformer.transform(prepare(batch, features.columns)).astype(np.float32)
        for batch in batches(table, list(features.columns))
    ]
    return np.concatenate(parts) if parts else np.empty((0, features.width), np.float32)


def _fit(
    table: Path, exclude: Sequence[str], progress: Progress
) -> tuple[ColumnTransformer, dict[str, str], dict[str, str]]:
    """The transformer, name → kind of what it takes, and name → reason of what is left out."""
    progress("Reading the columns", 0.0)
    kinds, left_out, sample = find_kinds(table, exclude)
    if not kinds:
        reasons = "; ".join(f"“{name}” {reason}" for name, reason in list(left_out.items())[:5])
        raise LabelingError(
            f"No column of the table can be used for learning ({reasons or 'it has none'}): "
            "choose a table with columns that differ between samples.",
            field="source",
        )
    progress("Fitting the features", 0.1)
    frame = prepare(sample, kinds)
    del sample  # not needed beside the frame: both are large
    transformer, failed = fit_transformer(frame, kinds)
    used = {name: kind for name, kind in kinds.items() if name not in failed}
    return transformer, used, left_out | failed


def _write_matrix(
    table: Path,
    file: Path,
    transformer: ColumnTransformer,
    kinds: dict[str, str],
    progress: Progress,
) -> tuple[int, int]:
    """Transform the table piece by piece into ``file``; return its rows and width."""
    import numpy as np
    import pyarrow.parquet as pq

    rows, at, width = pq.read_metadata(table).num_rows, 0, 0
    for batch in batches(table, list(kinds)):
        values = transformer.transform(prepare(batch, kinds))
        width = values.shape[1]
        # Opened for each piece anew: pages of a mapping count as memory while it is open.
        matrix = np.lib.format.open_memmap(
            file, mode="r+" if at else "w+", dtype=np.float32, shape=(rows, width)
        )
        matrix[at : at + len(values)] = values
        del matrix
        at += len(values)
        progress("Computing the features", 0.2 + 0.8 * at / rows)
    return rows, width
