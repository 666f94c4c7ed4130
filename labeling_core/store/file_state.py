"""Whether the file that is open is still the one that lies on the disk, with its log beside it.

DuckDB notices nothing when either is removed, replaced or cut short under it. The sizes and
numbers (inodes) of both stand still between two transactions, so looking costs two calls of the
system. What a mark beside the file tells is for the next start, see :meth:`FileState.require_log`.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.store.file_names import files_of

_HEADERS = 3 * 4096  # bytes: the main header, and the two of which a checkpoint writes one anew
_MARK = "logged"


class _Seen(NamedTuple):
    """What tells a file from any other, and from itself at another time."""

    device: int
    number: int
    size: int
    written: int


def _look(path: Path) -> _Seen | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return _Seen(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def log_of(path: Path) -> Path:
    """Where DuckDB keeps the log of the database at ``path``."""
    return path.with_name(path.name + ".wal")


class FileState:
    """How a database file and its log were left by the last transaction."""

    def __init__(self, path: Path) -> None:
        """Take what lies at ``path`` now, which is open, for whole.

        The file is read through one descriptor that stays open until :meth:`close`: closing any
        of a file gives up the lock that this process has on it (POSIX), and another could open it.
        """
        self._path, self._log = path, log_of(path)
        self._file, self._logged = _look(path), _look(self._log)
        self._descriptor: int | None = None
        with suppress(OSError):  # Windows lets nobody read a file that DuckDB has open
            self._descriptor = os.open(path, os.O_RDONLY)

    def close(self) -> None:
        """Let go of the file; to be called after DuckDB has."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def require_log(self) -> None:
        """Raise LabelingError where the file was copied or moved without the log it needs.

        The mark beside it is the hash of the headers as they were when its log began. A
        checkpoint writes other headers: with the same ones and without a log, the file lacks
        what was in it. To be asked before anything is written.
        """
        path, mark = self._path, _mark(self._path)
        lacks = self._as_its_log_began()
        if lacks and not any(each.name.startswith(path.name) for each in path.parent.glob("*.wal")):
            raise LabelingError(
                f"The database {path} lacks what was last written to it, which lay in "
                f"{self._log.name}: put that file back beside it, or bring back a backup with "
                "`python -m labeling_core restore BACKUP`; to go on without what is lacking, "
                f"delete {mark}."
            )

    def trouble(self) -> str:
        """What is wrong with the database file, for a sentence; empty while it is whole."""
        now = _look(self._path)
        if now is None or self._file is None or now[:2] != self._file[:2]:
            return "has been moved away or replaced"
        return "has been cut short" if now.size < self._file.size else ""

    def log_lost(self) -> bool:
        """Whether the log was removed, replaced or cut short since the last transaction."""
        now, was = _look(self._log), self._logged
        return was is not None and (now is None or now[:2] != was[:2] or now.size < was.size)

    def log_ended(self) -> bool:
        """Whether DuckDB has written the file since its log began, which ends the log: beside the
        transactions a large table may make it do so. False where that cannot be told."""
        return self._as_its_log_began() is False

    def log_lost_meanwhile(self) -> bool:
        """The same just after a commit, which ends the log itself where it writes the file."""
        file, log, was = _look(self._path), _look(self._log), self._logged
        same = file is not None and self._file is not None and file.written == self._file.written
        return same and was is not None and (log is None or log[:2] != was[:2])

    def logged(self) -> int:
        """Bytes that lie in the log only."""
        log = _look(self._log)
        return log.size if log is not None else 0

    def remember(self) -> None:
        """Take both as they are now for whole; leaves a mark when a log has begun."""
        began, self._file = self._logged, _look(self._path)
        self._logged = _look(self._log)
        if self._logged is not None and (began is None or began[:2] != self._logged[:2]):
            with suppress(OSError):  # without room or the folder: the next start knows less
                _mark(self._path).write_text(self._headers(), encoding="ascii")

    def _as_its_log_began(self) -> bool | None:
        """Whether the headers are those of when the log began; None where that cannot be told."""
        try:
            return _mark(self._path).read_text(encoding="ascii") == self._headers()
        except (OSError, ValueError):
            return None

    def _headers(self) -> str:
        if self._descriptor is None:
            raise OSError(f"{self._path.name} cannot be read beside DuckDB")
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        return hashlib.sha256(os.read(self._descriptor, _HEADERS)).hexdigest()


def _mark(path: Path) -> Path:
    return files_of(path) / _MARK
