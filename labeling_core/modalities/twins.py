"""Files that are there twice, found by what was read of them: nothing is compared by pairs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache, partial
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.modalities.extraction import known_entries
from labeling_core.modalities.extraction_ledger import read_vectors, vector
from labeling_core.sources.folders import resolve_file
from labeling_core.sources.pinned import pinned
from labeling_core.sources.remote_storage import OutOfReachError
from labeling_core.sources.windows import Span, split

TWINS = "twins.json"  # beside the feature matrix
BYTES, CONTENT = "bytes", "content"
Content = Callable[..., bytes]


class Twin(NamedTuple):
    """``path`` is the same as ``of``, which comes before it: by its ``bytes``, or by its
    ``content``, all pixels or samples that are decoded (say the same picture in another format)."""

    path: str
    of: str
    same: str


def find(files: Sequence[str], root: Path, ledger: Path, content: Content) -> list[Twin]:
    """The twins among ``files`` (relative to ``root``; or windows of files) that ``ledger`` knows,
    in their order. ``content`` gives a digest of what is decoded of a file, or of a span of it.

    Only those with the same numbers are read again, to tell whether they are the same. Raises
    OutOfReachError where they cannot be had at the moment.
    """
    known, vectors = known_entries(files, root, ledger), read_vectors(ledger)
    groups: dict[bytes, list[str]] = {}
    for path in files:
        entry = known.get(path)
        if entry is not None and entry.length:
            numbers = vector(vectors, entry).tobytes()
            groups.setdefault(blake2b(numbers).digest(), []).append(path)
    of_file = cache(partial(_digest, root))  # of windows, one file has many
    return [
        twin
        for group in groups.values()
        if len(group) > 1
        for twin in _twins(group, root, of_file, content)
    ]


def _twins(
    group: list[str], root: Path, of_file: Callable[[str], bytes], content: Content
) -> list[Twin]:
    """All but the first of what is the same, each beside one that comes before it."""
    by_bytes: dict[tuple[bytes, Span | None], str] = {}
    by_content: dict[bytes, str] = {}
    found = []
    for path in group:
        name, span = split(path)
        try:
            whole = (of_file(name), span)
            if whole in by_bytes:
                found.append(Twin(path, by_bytes[whole], BYTES))
                continue
            with pinned(resolve_file(root, name)) as file:
                decoded = content(file, *([span] if span else []))
        except OutOfReachError:  # says nothing of the file
            raise
        except (OSError, LabelingError):  # gone or changed meanwhile: the same as no other
            continue
        by_bytes[whole] = path
        if decoded in by_content:
            found.append(Twin(path, by_content[decoded], CONTENT))
        by_content.setdefault(decoded, path)
    return found


def _digest(root: Path, name: str) -> bytes:
    with pinned(resolve_file(root, name)) as path, path.open("rb") as file:
        return file_digest(file, "blake2b").digest()


def keep(folder: Path, twins: Sequence[Twin]) -> None:
    """Leave ``twins`` beside the feature matrix in ``folder``."""
    (folder / TWINS).write_text(json.dumps(twins), encoding="utf-8", newline="\n")


def kept(folder: Path) -> list[Twin]:
    """What :func:`keep` left; nothing where files were not looked at for it."""
    place = folder / TWINS
    if not place.exists():
        return []
    return [Twin(*each) for each in json.loads(place.read_text(encoding="utf-8"))]
