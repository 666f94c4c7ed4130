"""What is costly to draw is drawn once: bytes made from a file, kept in a folder.

The folders of all projects together have a limit; what was not shown for longest goes first.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from labeling_core.sources import windows
from labeling_core.sources.windows import Span
from labeling_core.store.removal import remove, replace

FOLDER = "renditions"  # in that of a project
_VERSION = 2  # raised when the same file is drawn in another way: what is kept is drawn anew
_HOUR, _MINUTE = 3600.0, 60.0


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


def shown(place: Path, cache: Path) -> None:
    """Remember, to the hour, that the file at ``place`` was shown, if it is one of ``cache``."""
    with suppress(OSError):
        if place.is_relative_to(cache) and abs(time.time() - place.stat().st_mtime) > _HOUR:
            os.utime(place)


def trim(files: Path, most: float) -> int:
    """Remove renditions of all projects below ``files`` until they take at most ``most`` bytes;
    how many went.

    Down to nine tenths, so that it is not done for each new one; what was shown within the last
    minute stays, as it may be on its way to a browser. What was shown by a clock that ran ahead
    goes first: it would be the youngest for as long.
    """
    found, total, now = [], 0, time.time()
    for place in files.glob(f"*/{FOLDER}/*/*"):
        with suppress(OSError):  # another has removed it meanwhile
            status = place.stat()
            used = status.st_mtime if status.st_mtime <= now + _MINUTE else 0.0
            found.append((used, status.st_size, place))
            total += status.st_size
    if total <= most:
        return 0
    went, young = 0, now - _MINUTE
    for used, size, place in sorted(found):
        if total <= most * 0.9 or used > young:
            break
        remove(place)
        total -= size
        went += 1
    return went
