"""The feature matrix of a folder: what was extracted, scaled, in the order of the positions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import known_entries, ledger_folder
from labeling_core.modalities.extraction_ledger import read_vectors, vector
from labeling_core.modalities.registry import parts, pixels_of
from labeling_core.store.removal import replace

PIXEL_COMPONENTS = 32
_SAMPLE = 5_000
_CHUNK = 4_096
FURTHEST = 10.0


class Scaling(NamedTuple):
    """The map from raw rows to scaled ones: (row - ``centre``) @ ``axes`` of the raw pixels, which
    come first, and the other columns as they are; all by ``factor``, cut at ±FURTHEST."""

    centre: np.ndarray
    axes: np.ndarray
    factor: np.ndarray

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        reduced = _reduced(rows - self.centre, self.axes)
        return np.clip(reduced * self.factor, -FURTHEST, FURTHEST)

    def components(self) -> np.ndarray:
        """Centre, axes and factor as one linear map of centred rows: columns out × columns in."""
        pixels, kept = self.axes.shape
        linear = np.zeros((len(self.factor), len(self.centre)), np.float32)
        linear[:kept, :pixels] = self.axes.T
        linear[kept:, pixels:] = np.eye(len(self.centre) - pixels)
        return linear * self.factor[:, None]


class Extracted:
    """What was extracted of ``files``, arguments as of ``extract``: raw rows, of several features
    their numbers one after the other."""

    def __init__(self, files: Sequence[str], root: Path, folder: Path, features: str) -> None:
        self._ledgers = [ledger_folder(folder, each) for each in parts(features)]
        self._files = files
        self._known = [known_entries(files, root, each) for each in self._ledgers]

    @cached_property
    def _vectors(self) -> list[np.ndarray]:
        """Opened by whoever reads numbers: on Windows nobody can remove them from then on."""
        return [read_vectors(each) for each in self._ledgers]

    def usable(self) -> list[int]:
        """The places of the files that have all their numbers."""
        return [
            at
            for at, path in enumerate(self._files)
            if all(path in known and known[path].length for known in self._known)
        ]

    def widths(self, path: str) -> list[int]:
        """How many numbers each of the features has."""
        return [known[path].length for known in self._known]

    def row(self, path: str) -> np.ndarray:
        """The numbers of a usable file, float32."""
        both = zip(self._vectors, self._known, strict=True)
        found = [vector(vectors, known[path]) for vectors, known in both]
        return found[0] if len(found) == 1 else np.concatenate(found)


def matrix(
    files: Sequence[str], root: Path, folder: Path, features: str, target: Path
) -> tuple[np.ndarray, Scaling]:
    """Write the feature matrix of ``files`` to ``target`` (.npy, float32), a row a file, in order.

    Arguments as of ``extract``. Every column has mean 0 and deviation 1 (over at most 5,000
    rows), cut at ±10; columns of raw pixels give way to their first 32 principal components.
    Of several features each then counts as much as the one with the fewest columns. Returns for
    each row whether it is usable (rows of broken, changed or unread files are all zero), and the
    scaling. Raises LabelingError when no row is. Memory: a few thousand rows.
    """
    read = Extracted(files, root, folder, features)
    positions = np.array(read.usable())
    if not len(positions):
        raise LabelingError("None of the files could be read: see the reasons in the list.")

    def rows(at: np.ndarray) -> np.ndarray:
        return np.array([read.row(files[position]) for position in at.tolist()])

    sample = np.random.default_rng(0).permutation(positions)[:_SAMPLE]
    widths = read.widths(files[positions[0]])
    scaled = scaling(rows(np.sort(sample)), pixels_of(features), widths)
    _write(target, len(files), positions, lambda at: scaled(rows(at)))
    usable = np.zeros(len(files), dtype=bool)
    usable[positions] = True
    return usable, scaled


def scaling(sample: np.ndarray, pixels: int, widths: Sequence[int] = ()) -> Scaling:
    """The scaling fitted to ``sample``, whose first ``pixels`` columns are raw pixels, and whose
    columns come in blocks of ``widths``. The width of what it gives does not depend on the number
    of rows."""
    centre = sample.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = _principal_axes(sample[:, :pixels] - centre[:pixels])
    spread = _reduced(sample - centre, axes).std(axis=0)
    # What does not vary tells nothing; blown up, its rounding errors would.
    factor = np.where(spread > 1e-6, 1 / np.maximum(spread, 1e-6), 0).astype(np.float32)
    if len(widths) > 1:
        made = np.array([widths[0] - pixels + axes.shape[1], *widths[1:]])
        factor *= np.repeat(np.sqrt(made.min() / made), made).astype(np.float32)
    return Scaling(centre, axes, factor)


def _reduced(centred: np.ndarray, axes: np.ndarray) -> np.ndarray:
    pixels = len(axes)
    return np.hstack([centred[:, :pixels] @ axes, centred[:, pixels:]])


def _principal_axes(centred: np.ndarray) -> np.ndarray:
    """The first PIXEL_COMPONENTS eigenvectors of the covariance, as columns, signs fixed."""
    if centred.shape[1] == 0:
        return np.zeros((0, 0), np.float32)
    _, axes = np.linalg.eigh((centred.T @ centred).astype(np.float64))
    axes = axes[:, ::-1][:, :PIXEL_COMPONENTS]
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return (axes * np.sign(largest)).astype(np.float32)


def _write(
    target: Path, count: int, positions: np.ndarray, rows: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The rows at ``positions``, a chunk at a time; ``target`` appears only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    width = rows(positions[:1]).shape[1]
    result = np.lib.format.open_memmap(part, "w+", np.float32, (count, width))
    for chunk in np.array_split(positions, -(-len(positions) // _CHUNK)):
        result[chunk] = rows(chunk)
    result.flush()
    del result
    replace(part, target)
