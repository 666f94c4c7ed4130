"""Files that are there twice, found by what was read of them: nothing is compared by pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import NamedTuple

from labeling_core.modalities.extraction import known_entries
from labeling_core.modalities.extraction_ledger import read_vectors, vector

TWINS = "twins.json"  # beside the feature matrix
BYTES, NUMBERS = "bytes", "numbers"


class Twin(NamedTuple):
    """``path`` is the same as ``of``, which comes first: by its ``bytes``, or by all ``numbers``
    that are learned from (say the same picture in another format)."""

    path: str
    of: str
    same: str


def find(files: Sequence[str], root: Path, ledger: Path) -> list[Twin]:
    """The twins among ``files`` (relative to ``root``) that ``ledger`` knows, in their order.

    Only files with the same numbers are read again, to tell whether their bytes are the same too.
    """
    known, vectors = known_entries(files, root, ledger), read_vectors(ledger)
    groups: dict[bytes, list[str]] = {}
    for path in files:
        entry = known.get(path)
        if entry is not None and entry.length:
            numbers = vector(vectors, entry).tobytes()
            groups.setdefault(blake2b(numbers).digest(), []).append(path)
    return [twin for group in groups.values() if len(group) > 1 for twin in _twins(group, root)]


def _twins(group: list[str], root: Path) -> list[Twin]:
    """All but the first of files with the same numbers, each beside one that comes before it."""
    firsts: dict[bytes, str] = {}
    found = []
    for path in group:
        digest = _digest(root / path)
        if digest in firsts:
            found.append(Twin(path, firsts[digest], BYTES))
        elif firsts:
            found.append(Twin(path, group[0], NUMBERS))
        firsts.setdefault(digest, path)
    return found


def _digest(path: Path) -> bytes:
    """Of the bytes; of a file that has gone away meanwhile one that no other has."""
    try:
        with path.open("rb") as file:
            return file_digest(file, "blake2b").digest()
    except OSError:
        return str(path).encode("utf-8", "surrogateescape")


def keep(folder: Path, twins: Sequence[Twin]) -> None:
    """Leave ``twins`` beside the feature matrix in ``folder``."""
    (folder / TWINS).write_text(json.dumps(twins), encoding="utf-8", newline="\n")


def kept(folder: Path) -> list[Twin]:
    """What :func:`keep` left; nothing where files were not looked at for it."""
    place = folder / TWINS
    if not place.exists():
        return []
    return [Twin(*each) for each in json.loads(place.read_text(encoding="utf-8"))]
