"""What is costly to draw is drawn once: bytes made from a file, kept in a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from labeling_core.store.removal import remove, replace

_VERSION = 2  # raised when the same file is drawn in another way: what is kept is drawn anew


def rendition_place(cache: Path, path: Path, what: str) -> Path:
    """Where in ``cache`` that which ``what`` names (say ``picture 900x300``) of ``path`` lies.
    A file that changes gets another place; the name tells nothing of the file."""
    status = path.stat()
    key = f"{_VERSION}\0{path.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\0{what}"
    digest = sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    return cache / digest[:2] / digest[2:]


def remembered(cache: Path, path: Path, what: str, make: Callable[[], bytes]) -> bytes:
    """What ``make`` gives for ``path``, from ``cache`` when it was made before.

    Two that ask at once may both make it; the file is only ever seen whole.
    """
    place = rendition_place(cache, path, what)
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
