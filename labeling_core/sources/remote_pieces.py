"""Files elsewhere, read in pieces by DuckDB: of a table only the columns that are asked for come.

Each piece is kept beside the database under the file's version, among the contents that are fetched
(see remote_folders), so that what has come once is not asked for again: an unchanged file costs the
storage nothing. A server that sends no pieces sends the whole file, which is kept then.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.sources import remote_folders, remote_storage

_PROTOCOL = "labeling-notes"
_registering = threading.Lock()
_failed: dict[str, LabelingError] = {}  # path → why it could not be read last


def paths(cursor: duckdb.DuckDBPyConnection, folder: Path, names: Sequence[str]) -> list[str]:
    """What DuckDB calls the files ``names`` of the ``listed`` ``folder``, which it can read from
    now on. Raises LabelingError where the package that it takes is not installed."""
    try:
        with _registering:
            if not cursor.filesystem_is_registered(_PROTOCOL):
                cursor.register_filesystem(_file_system())
    except ImportError as error:
        raise LabelingError(
            f"Files elsewhere need what is not installed: run {remote_storage.INSTALL}, and start "
            "the app again.",
            "source",
        ) from error
    return [f"{_PROTOCOL}://{folder.as_posix()}//{each}" for each in names]


def failure(paths: Sequence[str]) -> LabelingError | None:
    """Why DuckDB could not read one of ``paths``, when it was not for what is in the file."""
    found = [error for each in paths if (error := _failed.pop(each, None))]
    return found[0] if found else None


class _Pieces(io.RawIOBase):
    """A file elsewhere, of which what is read comes when it is read."""

    def __init__(self, path: str) -> None:
        self._path, self._at = path, 0
        self._folder, self._name = _split(path)
        note = self._folder / self._name
        self._entry, self._changed = remote_folders.read_note(note), note.stat().st_mtime_ns

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes from where it is. Raises LabelingError, see :func:`failure`."""
        end = self._entry.size if size < 0 else min(self._at + size, self._entry.size)
        if end <= self._at:
            return b""
        try:
            found = self._piece(self._at, end)
        except LabelingError as error:
            _failed[self._path] = error
            raise
        self._at = end
        return found

    def _piece(self, start: int, end: int) -> bytes:
        kept = remote_folders.pieces(self._folder, self._name) / f"{start}-{end}"
        if remote_folders.is_kept(kept, end - start, self._changed):
            with suppress(OSError):  # it went meanwhile
                return kept.read_bytes()
        with remote_folders.asked(self._folder) as address:
            found = remote_storage.piece(address, self._name, self._entry, start, end)
        if found is None:
            whole = remote_folders.content(self._folder, self._folder / self._name)
            with whole.open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        with suppress(OSError):  # a full disk: it is asked for again
            remote_folders.write(self._folder.parent, kept, found, self._changed)
            remote_folders.make_room(self._folder.parent.parent, len(found))
        return found

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go on reading at ``offset``."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._entry.size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        """Where reading goes on."""
        return self._at


def _split(path: str) -> tuple[Path, str]:
    folder, _, name = path.removeprefix(f"{_PROTOCOL}://").rpartition("//")
    return Path(folder), name


@lru_cache(1)
def _file_system() -> Any:
    from fsspec.spec import AbstractFileSystem

    class Notes(AbstractFileSystem):  # type: ignore[misc]
        """What DuckDB asks of files, answered from their notes."""

        protocol = _PROTOCOL

        def open(self, path: str, mode: str = "rb", **_: Any) -> _Pieces:
            return _Pieces(path)

        def size(self, path: str) -> int:
            folder, name = _split(path)
            return remote_folders.read_note(folder / name).size

        def modified(self, path: str) -> datetime:
            folder, name = _split(path)
            return datetime.fromtimestamp((folder / name).stat().st_mtime, UTC)

        def glob(self, path: str, **_: Any) -> list[str]:
            return [re.sub(r"\[([*?\[])\]", r"\1", path)]  # as it was before it was escaped

        def exists(self, path: str, **_: Any) -> bool:
            folder, name = _split(path)
            return (folder / name).is_file()

        isfile = exists

    return Notes()
