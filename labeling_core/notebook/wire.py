"""Messages between two processes of this program: values as JSON, files in pieces.

A frame is its length in four bytes and so many bytes. Nothing is unpickled: what comes is plain
values and the few records that are named here. While one end works, it tells the other every few
seconds that it is still there: whoever hears nothing for longer than SILENCE waits no more.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.integrity.checks import Finding, Report
from labeling_core.integrity.storage import Storage, Use
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_plan import Brought
from labeling_core.notebook.meanwhile import meanwhile
from labeling_core.notebook.work import NextSample
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Category, Column, Settings
from labeling_core.simulation.summary import Row
from labeling_core.store.events import Entry

RECORDS: dict[str, Any] = {
    each.__name__: each
    for each in (
        Settings,
        Category,
        Column,
        NextSample,
        Session,
        Wanted,
        How,
        Entry,
        Row,
        Brought,
        Storage,
        Use,
        Report,
        Finding,
    )
}
VALUE, ERROR, PIECES = "value", "error", "pieces"  # kinds of answers
PIECE = 1 << 20  # bytes that a file is read at a time
SILENCE = 60.0  # seconds without a sign of the other end, after which it counts as gone
_LENGTH = struct.Struct(">I")
_STILL_THERE = (1 << 32) - 1  # in the place of a length: no frame, only a sign of life
_SIGN = 2.0  # seconds between two of them
_NONCE = 32  # bytes
_AT_FIRST = 1 << 10  # bytes that a frame may have until both have shown that they know the key


def encode(value: Any, files: list[Path]) -> Any:
    """``value`` for JSON; what JSON has no word for is an object with the kind as its one key. A
    Path is put into ``files``, which have to follow."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, Path):
        files.append(value)
        return {"file": len(files) - 1}
    if isinstance(value, dict):
        return {"dict": encode([list(each) for each in value.items()], files)}
    if isinstance(value, list):
        return [encode(each, files) for each in value]
    if type(value) in RECORDS.values():
        kind, inner = type(value).__name__, [getattr(value, each) for each in _names(value)]
        return {kind: encode(inner, files)}
    if type(value) is tuple:
        return {"tuple": encode(list(value), files)}
    raise LabelingError(f"{value!r} cannot be handed to the app: it is a {type(value).__name__}.")


def decode(value: Any, files: Sequence[Path]) -> Any:
    """What :func:`encode` was given; for anything else LookupError, TypeError or ValueError."""
    if isinstance(value, list):
        return [decode(each, files) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, coded),) = value.items()
    inner = decode(coded, files)
    if kind in RECORDS:
        return RECORDS[kind](**dict(zip(_names(RECORDS[kind]), inner, strict=True)))
    made: dict[str, Callable[[Any], Any]] = {
        "time": datetime.fromisoformat,
        "bytes": bytes.fromhex,
        "file": files.__getitem__,
        "dict": dict,
        "tuple": tuple,
    }
    return made[kind](inner)


def _names(record: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(record)) if is_dataclass(record) else record._fields


class Wire:
    """One end of a connection; EOFError when the other end has gone, or is silent for too long."""

    def __init__(self, connection: socket.socket) -> None:
        """``connection`` is closed by whoever opened it; until the other end has shown who it is,
        its own timeout holds."""
        self._connection, self._read = connection, connection.makefile("rb")
        self._most = _AT_FIRST
        self._one = threading.Lock()  # a frame is sent whole

    def close(self) -> None:
        """Read no more."""
        self._read.close()

    def greet(self, key: bytes, ours: bytes, theirs: bytes) -> bool:
        """Whether the other end knows ``key``, too, which it is shown that we do. ``ours`` and
        ``theirs`` name the two ends, so that neither can be answered with its own words."""
        asked = secrets.token_bytes(_NONCE)
        self._send(asked)
        self._send(_proof(key, ours, self._frame()))
        if not hmac.compare_digest(self._frame(), _proof(key, theirs, asked)):
            return False
        self._most = _STILL_THERE - 1
        self._connection.settimeout(SILENCE)
        return True

    def await_next(self) -> None:
        """Wait for whatever comes next, for as long as it takes: nothing has been asked for.
        Nobody may send meanwhile."""
        self._connection.settimeout(None)
        with _gone_if_broken():
            if not self._read.peek(1):
                raise EOFError
        self._connection.settimeout(SILENCE)

    @contextmanager
    def working(self, gone: threading.Event) -> Iterator[None]:
        """In this block the other end is told that we are still there; when it is not, ``gone`` is
        set."""

        def tell() -> None:
            try:
                if not gone.is_set():
                    self._send_all(_LENGTH.pack(_STILL_THERE))
            except EOFError:
                gone.set()

        with meanwhile(tell, _SIGN):
            yield

    def send(self, value: Any) -> None:
        """Send a value, and the files that it names; LabelingError, and nothing is sent, where one
        of them cannot be opened."""
        paths: list[Path] = []
        message = json.dumps([encode(value, paths), len(paths)]).encode()
        with ExitStack() as opened:
            try:
                files = [opened.enter_context(path.open("rb")) for path in paths]
            except OSError as error:
                raise LabelingError(
                    f"{error.filename} cannot be read: {error.strerror}."
                ) from error
            self._send(message)
            for each in files:
                self.send_pieces(iter(partial(each.read, PIECE), b""))

    def receive(self, folder: Path | None) -> Any:
        """The next value, its files put into ``folder``; raises as :func:`decode`, and ValueError
        for files where there is no folder for them."""
        value, number = json.loads(self._frame())
        if folder is None:
            if number:
                raise ValueError("Files came where none are taken.")
            return decode(value, [])
        files = [folder / str(each) for each in range(number)]
        for each in files:
            with each.open("wb") as file:
                file.writelines(self.pieces())
        return decode(value, files)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Send a file in pieces of up to PIECE bytes, and its end. Without its end it is not taken:
        when ``pieces`` raises, the connection has to be closed, or :meth:`end_pieces` called and
        the error told."""
        for piece in pieces:
            if piece:  # nothing at all is the end
                self._send(piece)
        self.end_pieces()

    def end_pieces(self) -> None:
        """Send the end of a file."""
        self._send(b"")

    def pieces(self) -> Iterator[bytes]:
        """A file in the pieces in which it comes; to be read to the end."""
        while piece := self._frame():
            yield piece

    def _send(self, content: bytes) -> None:
        self._send_all(_LENGTH.pack(len(content)) + content)

    def _send_all(self, content: bytes) -> None:
        with self._one, _gone_if_broken():
            self._connection.sendall(content)

    def _frame(self) -> bytes:
        while True:
            (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
            if length <= self._most:
                return self._exactly(length)
            if length != _STILL_THERE or self._most == _AT_FIRST:
                raise EOFError

    def _exactly(self, length: int) -> bytes:
        with _gone_if_broken():
            found = self._read.read(length)
        if len(found) < length:
            raise EOFError
        return found


@contextmanager
def _gone_if_broken() -> Iterator[None]:
    """A connection that breaks, or is silent for too long, is one whose other end has gone."""
    try:
        yield
    except OSError as error:
        raise EOFError(str(error)) from error


def _proof(key: bytes, who: bytes, asked: bytes) -> bytes:
    return hmac.digest(key, who + b" " + asked, hashlib.sha256)
