"""Removing and replacing files that some process may still have open.

Windows refuses both as long as a file is open or mapped anywhere, by a reader, an indexer, a virus
scanner. So a replacement waits for a moment, and what cannot be removed is written down in a file
beside it (``.left_over``), and removed later: at the next start, or when work has come to its end.
"""

from __future__ import annotations

import json
import logging
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from labeling_core.errors import LabelingError

log = logging.getLogger(__name__)
LEFT_OVER = ".left_over"
# Of Windows: access denied, sharing violation, lock violation, a mapped file.
_IN_USE = (5, 32, 33, 1224)
_PATIENCE, _PAUSE = 2.0, 0.05  # seconds
# Path, and what tells the file there from a later one of its name: size, time of change, number.
_Stamp = tuple[int, int, int]


def replace(part: Path, target: Path, patience: float = _PATIENCE) -> None:
    """Give the file or folder ``part`` the name ``target``, in the place of the file there.

    Waits ``patience`` seconds for whoever has one of them open; raises LabelingError then.
    """
    end = time.monotonic() + patience
    while True:
        try:
            os.replace(part, target)
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            if time.monotonic() > end:
                raise LabelingError(
                    f"{target} cannot be written: another program has {target.name} open. Close "
                    "that one, then try again."
                ) from error
        time.sleep(_PAUSE)


def remove(path: Path) -> bool:
    """Remove a file, or a folder with all that is in it; nothing happens where there is none.

    What is still in use stays, is removed by a later :func:`sweep`, and makes the answer False.
    """
    kept = [each for each in _emptied(path) if not _gone(each)]
    if kept:
        _write_down(path.parent, kept)
    return not kept


def is_left_over(path: Path, folder: Path) -> bool:
    """Whether ``path`` is a file that was to be removed with ``folder``, and still is that one."""
    return (path, _stamp(path)) in _read(folder.parent)


def sweep(folder: Path, deep: int = 0) -> None:
    """Remove what was left over in ``folder``, and in folders up to ``deep`` levels below it."""
    for level in range(deep + 1):
        for ledger in folder.glob("*/" * level + LEFT_OVER):
            _sweep(ledger)


def _sweep(ledger: Path) -> None:
    kept = []
    for path, stamp in _read(ledger.parent):
        # One of this name that was made since is not ours to remove.
        if _stamp(path) == stamp and not _gone(path):
            kept.append(path)
        elif not path.exists():
            _remove_empty(path.parent, ledger.parent)
    with suppress(OSError):
        ledger.unlink()
    if kept:
        _write_down(ledger.parent, kept)


def _remove_empty(folder: Path, top: Path) -> None:
    """Remove the folders from here up to ``top`` in which nothing is left."""
    while folder != top and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _emptied(path: Path) -> Iterator[Path]:
    """The file itself, or the files in a folder; each folder goes when they are gone."""
    if path.is_symlink() or not path.is_dir():
        yield path
        return
    for root, folders, files in os.walk(path, topdown=False):
        yield from (Path(root, each) for each in files)
        yield from (Path(root, each) for each in folders if Path(root, each).is_symlink())
        with suppress(OSError):  # something in it is in use
            os.rmdir(root)


def _gone(path: Path) -> bool:
    """Remove one file; whether it is gone."""
    try:
        path.unlink(missing_ok=True)
        return True
    except PermissionError:  # Windows removes no file that is marked as read-only
        with suppress(OSError):
            path.chmod(stat.S_IWRITE | stat.S_IREAD)
            path.unlink()
            return True
    except OSError:
        pass
    return False


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(folder: Path) -> list[tuple[Path, _Stamp]]:
    try:
        lines = (folder / LEFT_OVER).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        with suppress(ValueError):  # the half line of a kill
            name, size, changed, number = json.loads(line)
            found.append((folder / name, (size, changed, number)))
    return found


def _write_down(folder: Path, kept: list[Path]) -> None:
    """Add these files below ``folder`` to what is to be removed there."""
    log.info("%d files in %s are in use, and are removed later", len(kept), folder)
    lines = []
    for path in kept:
        stamp = _stamp(path)
        if stamp is not None:
            lines.append(json.dumps([path.relative_to(folder).as_posix(), *stamp]) + "\n")
    try:
        with (folder / LEFT_OVER).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(lines)
    except OSError as error:
        log.warning("Files are left over in %s: %s", folder, error)
