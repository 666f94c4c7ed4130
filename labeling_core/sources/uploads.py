"""Uploads wait beside the database until a project is made of them, for a day at most.

Media are unpacked there, and move to their place then; of a table the waiting file goes.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO, NamedTuple

from labeling_core.sources.archives import store_upload
from labeling_core.sources.folders import UPLOADS, Refusal, list_files
from labeling_core.sources.importing import Preview
from labeling_core.store.file_names import is_device
from labeling_core.store.removal import remove, replace

WAITING = ".waiting-"
_LONGEST = 24 * 3600.0  # seconds that an upload nobody made a project of is kept


class Staged(NamedTuple):
    """An upload that waits: ``folder`` holds ``files`` files, ``refusals`` were not taken,
    ``renamed`` got another name."""

    folder: Path
    files: int
    refusals: list[Refusal]
    renamed: Sequence[Refusal] = ()


class Upload(NamedTuple):
    """An uploaded table that waits: its file, looked at and not yet loaded."""

    path: Path
    preview: Preview


def stage(home: Path, uploads: Iterable[tuple[str, BinaryIO]], suffixes: Collection[str]) -> Staged:
    """Unpack ``uploads`` (name, content; zip archives among them) to a new folder that waits.

    ``home`` is the folder of the database. One bad file never stops the others.
    """
    folder = _waiting_folder(home)
    renamed: list[Refusal] = []
    refusals = store_upload(uploads, folder, suffixes, renamed=renamed)
    return Staged(folder, len(list_files(folder, suffixes).files), refusals, renamed)


def stage_table(home: Path, content: bytes | memoryview) -> Path:
    """Write an uploaded table to a new folder that waits; the path of the file.

    ``home`` is the folder of the database.
    """
    path = waiting_table(home)
    path.write_bytes(content)
    return path


def waiting_table(home: Path) -> Path:
    """Where a table may be written to wait: the path of a file in a new folder."""
    return _waiting_folder(home) / "table"


def _waiting_folder(home: Path) -> Path:
    """A new folder; those that have waited too long are deleted."""
    place = home / UPLOADS
    place.mkdir(parents=True, exist_ok=True)
    remove_forgotten(home)
    return Path(mkdtemp(prefix=WAITING, dir=place))


def remove_forgotten(home: Path) -> None:
    """Delete the uploads below ``home`` that have waited for a day, or are of as far ahead."""
    for old in (home / UPLOADS).glob(f"{WAITING}*"):
        if abs(time.time() - old.stat().st_mtime) > _LONGEST:
            remove(old)


def discard(staged: Staged) -> None:
    """Delete an upload that is not wanted any more."""
    remove(staged.folder)


def discard_table(path: Path) -> None:
    """Delete a table of :func:`stage_table`, if it still waits."""
    remove(path.parent)


def free_source(home: Path, name: str) -> str:
    """A source ``uploads/<name>`` that does not exist yet, numbered if need be."""
    names = (name if number == 1 else f"{name}_{number}" for number in range(1, 100_000))
    free = (each for each in names if not is_device(each))
    return next(f"{UPLOADS}/{each}" for each in free if not (home / UPLOADS / each).exists())


@contextmanager
def placed(staged: Staged, home: Path, source: str) -> Iterator[None]:
    """Move an upload to where ``source`` says; it goes back if what follows fails."""
    place = home / source
    replace(staged.folder, place)
    place.chmod(0o755)
    try:
        yield
    except BaseException:
        replace(place, staged.folder)
        raise
