"""What has been extracted so far, in two files that only ever grow.

``vectors.f32`` holds the numbers, ``entries.jsonl`` one line a file: what it was, and where its
numbers are or why there are none. The line is written after the numbers, so a kill at any
moment leaves at most bytes that no line speaks of, or a half line, which is passed over.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from labeling_core.sources.folders import Stamp

_LINES, _VECTORS = "entries.jsonl", "vectors.f32"


class Entry(NamedTuple):
    """One file: its numbers are ``length`` float32 from byte ``start``, or ``reason`` says why
    the ``reading`` of that number set it aside."""

    path: str
    size: int
    changed: int
    start: int
    length: int
    reason: str | None
    reading: int = 0

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.size, self.changed)


def read_entries(folder: Path) -> dict[str, Entry]:
    """The last whole entry of every path; nothing where nothing was extracted yet."""
    lines = folder / _LINES
    if not lines.exists():
        return {}
    entries = {}
    for line in lines.read_bytes().splitlines():
        try:
            entry = Entry(*json.loads(line))
        except (ValueError, TypeError):  # the half line of a kill
            continue
        entries[entry.path] = entry
    return entries


def read_vectors(folder: Path) -> np.ndarray:
    """The bytes of all vectors, memory-mapped; ``vector`` cuts one out."""
    path = folder / _VECTORS
    if not path.exists() or not path.stat().st_size:
        return np.zeros(0, np.uint8)
    return np.memmap(path, np.uint8, mode="r")


def vector(vectors: np.ndarray, entry: Entry) -> np.ndarray:
    """The float32 numbers of one entry."""
    return np.frombuffer(vectors[entry.start : entry.start + 4 * entry.length].tobytes(), "<f4")


@contextmanager
def recorder(
    folder: Path, reading: int = 0
) -> Iterator[Callable[[str, Stamp, np.ndarray | str], Entry]]:
    """A function that keeps one result of a ``reading`` (numbers, or the reason for none) and tells
    its entry."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _VECTORS).open("ab") as vectors, (folder / _LINES).open("a+b") as lines:
        if lines.tell():
            lines.write(b"\n")  # ends the half line of a kill, if there is one

        def record(path: str, stamp: Stamp, result: np.ndarray | str) -> Entry:
            reason = result if isinstance(result, str) else None
            numbers = np.zeros(0, "<f4") if isinstance(result, str) else result.astype("<f4")
            entry = Entry(path, *stamp, vectors.tell(), len(numbers), reason, reading)
            vectors.write(numbers.tobytes())
            vectors.flush()
            lines.write(json.dumps(entry).encode() + b"\n")
            lines.flush()
            return entry

        yield record
