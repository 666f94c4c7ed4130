"""Features of tables: every sample becomes one row of a float32 matrix on disk.

For the worker process and the command line: numpy, pyarrow and skops are imported inside the
functions. What happens to a column before the transformer is said in ``features.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labeling_core.errors import LabelingError
from labeling_core.modalities.column_kinds import Found, find_kinds
from labeling_core.modalities.table_columns import CONVERSIONS, FEW, batches, prepare
from labeling_core.modalities.table_transformer import fit_transformer
from labeling_core.modalities.vectors import is_sentence
from labeling_core.store.removal import remove, replace

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.compose import ColumnTransformer

VERSION = 3
FILES = ("features.npy", "transformer.skops", "features.json")
TRUSTED = ["numpy.dtype"]  # besides what skops trusts by itself: scikit-learn and numpy arrays

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class FeatureSet:
    """The features of a table: ``rows`` × ``width`` numbers in ``folder``.

    ``columns`` are name → kind of what is used, ``left_out`` name → reason of what is not, and
    ``missing`` name → texts that stand for no value in a column that is used. ``joined`` are those
    columns that came from elsewhere, name → the fields of joined_vectors.Joined.
    """

    folder: Path
    rows: int
    width: int
    columns: dict[str, str]
    left_out: dict[str, str]
    missing: dict[str, list[str]] = field(default_factory=dict)
    joined: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def matrix(self) -> np.ndarray:
        """The float32 matrix, memory-mapped and read-only; row = position."""
        import numpy as np

        return np.load(self.folder / FILES[0], mmap_mode="r")


def fit_features(
    table: Path,
    folder: Path,
    exclude: Sequence[str] | Mapping[str, str] = (),
    progress: Progress = lambda doing, share: None,
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
    total: int = 0,
    joined: Mapping[str, dict[str, Any]] | None = None,
) -> FeatureSet:
    """Fit on the first rows of the Parquet file ``table`` and write the features of all of it.

    Rows are in position order, which is already random. ``exclude``, ``chosen``
    and ``total`` as for find_kinds, ``joined`` as in FeatureSet.
    ``progress`` is told what is done and the share done (0..1). The files in ``folder`` take
    their names at the end, ``features.json`` last, so a kill leaves no half cache.
    Raises LabelingError if no column can be used.
    """
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    remove(folder / FILES[2])
    progress("Reading the columns", 0.0)
    judged = partial(_told_judging, progress)
    transformer, found = _fit(find_kinds(table, exclude, chosen, total, judged), progress)
    parts = [folder / f"{name}.partial" for name in FILES]
    rows, width = _write_matrix(table, parts[0], transformer, found, progress)
    skops.io.dump(transformer, parts[1])
    features = FeatureSet(
        folder, rows, width, found.kinds, found.left_out, found.missing, dict(joined or {})
    )
    saved = asdict(features) | {"version": VERSION, "conversions": CONVERSIONS}
    del saved["folder"]
    text = json.dumps(saved, ensure_ascii=False, indent=1)
    parts[2].write_text(text, encoding="utf-8", newline="\n")
    for part, name in zip(parts, FILES, strict=True):
        replace(part, folder / name)
    progress("Features are ready", 1.0)
    return features


def _told_judging(progress: Progress, share: float) -> None:
    progress("Reading the columns", 0.1 * share)


def read_features(folder: Path) -> FeatureSet | None:
    """The features that :func:`fit_features` left in ``folder``; None if they are not whole."""
    try:
        saved = json.loads((folder / FILES[2]).read_text(encoding="utf-8"))
        if saved["version"] != VERSION or not (folder / FILES[1]).is_file():
            return None
        names = ("rows", "width", "columns", "left_out", "missing")
        known = {"joined": saved.get("joined", {})} | {name: saved[name] for name in names}
        features = FeatureSet(folder, **known)
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
        transformer.transform(prepare(batch, features.columns, features.missing)).astype(np.float32)
        for batch in batches(table, list(features.columns))
    ]
    return np.concatenate(parts) if parts else np.empty((0, features.width), np.float32)


def _fit(found: Found, progress: Progress) -> tuple[ColumnTransformer, Found]:
    """The transformer, and what it takes and leaves out; without the rows it was fitted on."""
    import pyarrow as pa

    if not found.kinds:
        reasons = "; ".join(f"“{name}” {why}" for name, why in list(found.left_out.items())[:5])
        raise LabelingError(
            f"No column of the table can be used for learning ({reasons or 'it has none'}): "
            "choose a table with columns that differ between samples.",
            field="source",
        )
    progress("Fitting the features", 0.1)
    frame = _prepared(found, progress)
    found = found._replace(rows=pa.table({}))  # not needed beside the frame: both are large
    transformer, failed = fit_transformer(frame, found.kinds)
    used = {name: kind for name, kind in found.kinds.items() if name not in failed}
    return transformer, found._replace(kinds=used, left_out=found.left_out | failed)


def _prepared(found: Found, progress: Progress) -> pd.DataFrame:
    """The rows to fit on; of texts that are read by their meaning, some at a time."""
    import pandas as pd

    if not _reads_meaning(found.kinds):
        return prepare(found.rows, found.kinds, found.missing)
    parts, rows = [], found.rows.num_rows
    for at in range(0, rows, FEW):
        progress("Reading the first texts by their meaning", 0.1 + 0.1 * at / rows)
        parts.append(prepare(found.rows.slice(at, FEW), found.kinds, found.missing))
    return pd.concat(parts, ignore_index=True)


def _reads_meaning(kinds: Mapping[str, str]) -> bool:
    return any(is_sentence(kind) for kind in kinds.values())


def _write_matrix(
    table: Path, file: Path, transformer: ColumnTransformer, found: Found, progress: Progress
) -> tuple[int, int]:
    """Transform the table piece by piece into ``file``; return its rows and width."""
    import numpy as np
    import pyarrow.parquet as pq

    rows, at, width = pq.read_metadata(table).num_rows, 0, 0
    for batch in batches(table, list(found.kinds), few=_reads_meaning(found.kinds)):
        values = transformer.transform(prepare(batch, found.kinds, found.missing))
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
