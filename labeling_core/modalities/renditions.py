"""What is costly to draw is drawn once: bytes made from a file, kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from labeling_core.sources import windows
from labeling_core.sources.windows import Span
from labeling_core.store.removal import remove, replace

_VERSION = 2  # raised when the same file is drawn in another way: what is kept is drawn anew


def rendition_place(cache: Path, path: Path, what: str, span: Span | None = None) -> Path:
    """Where in ``cache`` that which ``what`` names (say ``picture 900x300``) of ``path``, or of a
    ``span`` of it, lies. A file that changes gets another place; the name tells nothing of it."""
    status = path.stat()
    named = windows.name(what, span) if span else what
    key = f"{_VERSION}\0{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{named}"
    digest = sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return cache / digest[:2] / digest[2:]


def remembered(place: Path, make: Callable[[], bytes]) -> bytes:
    """What ``make`` gives, from its ``place`` (see rendition_place) when it was made before.

    Two that ask at once may both make it; the file is only ever seen whole.
    """
    if place.exists():
        return place.read_bytes()
    content = make()
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_name(f".{place.name}.{os.getpid()}.{id(content)}")
    part.write_bytes(content)
    keep(part, place)
    return content


def keep(part: Path, place: Path) -> None:
    """Give a rendition its name, unless another who asked has done so: both are the same, and one
    that somebody reads cannot be replaced on every system."""
    if place.exists():
        remove(part)
    else:
        replace(part, place)
