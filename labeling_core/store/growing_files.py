"""Files on their way to somebody while they are still written: never whole in memory."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path

import duckdb

from labeling_core.store.database import Database

Write = Callable[[duckdb.DuckDBPyConnection, Path], object]
_PIECE = 1 << 20  # bytes
_TURN = 0.02  # seconds between two looks at a file that has not grown


def stream(
    database: Database, write: Write, head: bytes = b"", settled: int | None = None
) -> Iterator[bytes]:
    """The bytes of the file that ``write`` makes at a path, in pieces of up to 1 MiB.

    A file that grows at its end only is passed on while it is written. Of any other only so many
    bytes as are ``settled`` once they are there, and the rest when it is complete. ``head`` goes
    before the first piece. What ``write`` raises is raised here. Whoever closes the iterator stops
    the writing, and nothing of the file is left; a statement that ``write`` needs to clean up may
    be interrupted too, and should be tried again.
    """
    with tempfile.TemporaryDirectory(prefix="export-") as folder, database.read() as cursor:
        writer = _Writer(write, cursor, Path(folder) / "export")
        writer.start()
        try:
            with closing(writer.pieces(settled)) as pieces:  # a file that is open cannot go away
                for piece in pieces:
                    yield head + piece
                    head = b""
        finally:
            while writer.is_alive():  # again and again: between two statements it has no effect
                cursor.interrupt()
                writer.join(_TURN)


class _Writer(threading.Thread):
    """Writes one file, beside whoever reads it."""

    def __init__(self, write: Write, cursor: duckdb.DuckDBPyConnection, path: Path) -> None:
        super().__init__(name="export", daemon=True)
        self.write, self.cursor, self.path = write, cursor, path
        self.error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            self.write(self.cursor, self.path)
        except BaseException as error:  # raised again by whoever reads
            self.error = error
        finally:
            self.done.set()

    def pieces(self, settled: int | None) -> Generator[bytes]:
        """What is in the file so far, and then what comes."""
        self._await(1 if settled is None else settled)
        sent = b""
        if settled is not None:
            with suppress(OSError), self.path.open("rb") as file:  # Windows waits for its end
                sent = file.read(settled)
            if sent:
                yield sent
            self.done.wait()
        if self.error:
            raise self.error
        with self.path.open("rb") as file:
            if file.read(len(sent)) != sent:
                raise OSError(f"the first {len(sent)} bytes of an export have changed")
            while True:
                last = self.done.is_set()  # asked before reading: what is written since counts
                while piece := file.read(_PIECE):
                    yield piece
                if last:
                    break
                self.done.wait(_TURN)
        if self.error:
            raise self.error

    def _await(self, size: int) -> None:
        """Wait for so many bytes of the file, or its end."""
        while not self.done.is_set():
            with suppress(OSError):  # not there yet
                if self.path.stat().st_size >= size:
                    return
            self.done.wait(_TURN)
        if self.error:
            raise self.error
