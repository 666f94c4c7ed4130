"""One file under its own name, whatever becomes of that name while it is read.

Between the moment at which a path is found to lie inside a folder and the moment at which somebody
opens it, whoever may write to the folder can put a link there, to anything that the program may
read. So a file is opened once, without following any link, and whoever reads it gets a path that
leads to what was opened.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labeling_core.errors import LabelingError
from labeling_core.sources.folders import Stamp

_OPENED = Path("/proc/self/fd")  # where Linux has what a process has opened


class _Pinned(type(Path())):  # type: ignore[misc]  # of what a path is on this system
    """Called as the file is, and opened by its number: nothing lies on the disk for that."""

    number: int

    def __str__(self) -> str:
        return str(_OPENED / str(self.number))

    __fspath__ = __str__

    def resolve(self, strict: bool = False) -> Path:
        return Path(os.path.realpath(self, strict=strict))


@dataclass(frozen=True)
class Version:
    """A ``file`` as of its ``stamp``, for what is remembered of it, and the ``path`` by which it is
    read this time, which tells no version from another."""

    file: Path
    stamp: Stamp
    path: Path = field(compare=False)


@contextmanager
def pinned(path: Path) -> Iterator[Path]:
    """A path with the name of ``path`` that leads to the very file which is there now, until the
    end of the block; readers may open it as often as they like, and ``resolve()`` gives ``path``.

    ``path`` is absolute and goes through no link, as ``folders.resolve_file`` gives it. Raises
    LabelingError for one that is a link by now, goes through one, or is no file. Systems other than
    Linux cannot do it: there it is ``path`` itself.
    """
    if sys.platform != "linux" or not hasattr(os, "O_DIRECTORY"):
        yield path
        return
    file = _Pinned(path)
    file.number = _open(path)
    try:
        yield file
    finally:
        os.close(file.number)


def _open(path: Path) -> int:
    """The file, opened from the root on, folder by folder and through no link."""
    if sys.platform != "linux":
        raise NotImplementedError
    here = os.open(path.anchor, os.O_PATH | os.O_DIRECTORY)
    try:
        for name in path.parts[1:-1]:
            folder = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=here)
            os.close(here)
            here = folder
        # One that is no file, but a pipe by now, must not hold up whoever opens it.
        how = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.open(path.name, how, dir_fd=here)
    except OSError as error:
        raise LabelingError(
            f"{path.name} cannot be read: it is gone, may not be read, or is a link by now."
        ) from error
    finally:
        os.close(here)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise LabelingError(f"{path.name} is no file any more.")
    return file
