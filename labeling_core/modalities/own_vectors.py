"""Vectors of files that were computed elsewhere, such as embeddings: a table of paths and vectors.

Parquet with a column ``path`` or ``sample_id`` and one of lists of numbers; or npz with an array
of texts [n] and one of numbers [n, width]. A path is as the program shows it: relative to the
folder, with “/”, and with ``#from-to`` behind it for a window of a recording.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from labeling_core.errors import LabelingError

if TYPE_CHECKING:
    import pyarrow as pa

_PATHS = ("path", "sample_id")


class Vectors(NamedTuple):
    """``rows`` float32 [n, width], and path → its row."""

    rows: np.ndarray
    places: dict[str, int]

    def of(self, path: str) -> np.ndarray | str:
        """The vector of a file, or why it has none."""
        if path not in self.places:
            return f"The vectors that were chosen have none of {path}."
        row: np.ndarray = self.rows[self.places[path]]
        if not np.isfinite(row).all():
            return f"The vector of {path} holds values that are no numbers."
        return row


def of_files(table: Path, files: Sequence[str]) -> Iterator[tuple[str, np.ndarray | str]]:
    """Each of ``files`` with its vector, or why it has none. Raises LabelingError where that is
    so for all of several: the paths are others then."""
    vectors = read(table)
    if len(files) > 1 and not any(each in vectors.places for each in files):
        raise LabelingError(
            f"{table.name} has a vector of none of the files: it begins with "
            f"“{next(iter(vectors.places))}”, the files with “{files[0]}”."
        )
    for each in files:
        yield each, vectors.of(each)


def read(path: Path) -> Vectors:
    """All vectors of a file. Raises LabelingError for what is none."""
    names, rows = _parquet(path) if path.suffix == ".parquet" else _npz(path)
    if len(names) != len(rows) or rows.ndim != 2 or not rows.size:
        raise LabelingError(f"{path.name} should hold a path and a vector a row, and does not.")
    plain = [str(each).replace("\\", "/").removeprefix("./") for each in names]
    places = {each: at for at, each in enumerate(plain)}
    if len(places) < len(plain):
        twice = next(each for at, each in enumerate(plain) if places[each] != at)
        raise LabelingError(f"{path.name} has two vectors of {twice}.")
    return Vectors(np.asarray(rows, dtype=np.float32), places)


def _parquet(path: Path) -> tuple[list[str], np.ndarray]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from labeling_core.modalities.vectors import holds_vectors, numbers_of

    try:
        whole = pq.ParquetFile(path)
        listed = [each.name for each in whole.schema_arrow if holds_vectors(each.type)]
        named = [each for each in _PATHS if each in whole.schema_arrow.names]
        if len(listed) != 1 or not named:
            raise LabelingError(
                f"{path.name} should have a column {' or '.join(_PATHS)} and one column of lists "
                f"of numbers; it has {', '.join(whole.schema_arrow.names)}."
            )
        found = whole.read(columns=[named[0], listed[0]])
    except (pa.ArrowException, OSError) as error:
        raise LabelingError(f"{path.name} cannot be read as Parquet.") from error
    values: pa.ChunkedArray = found[listed[0]]
    usual = next(filter(None, pc.list_value_length(values).to_pylist()), 0)
    return found[named[0]].to_pylist(), numbers_of(values, usual)


def _npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = [arrays[name] for name in arrays.files]
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise LabelingError(
            f"{path.name} cannot be read as arrays of texts and of numbers: {error}."
        ) from error
    names = [each for each in found if each.dtype.kind == "U" and each.ndim == 1]
    rows = [each for each in found if each.dtype.kind in "fiu" and each.ndim == 2]
    if len(names) != 1 or len(rows) != 1:
        raise LabelingError(
            f"{path.name} should hold one array of texts [n] and one of numbers [n, width]."
        )
    return names[0], rows[0]
