"""Messages between two processes of this program: values as JSON, files in pieces.

A frame is its length in four bytes and so many bytes. Nothing is unpickled: what comes is plain
values and the few records that are named here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.labeling.label_import import How
from labeling_core.notebook.work import NextSample
from labeling_core.progress.label_filter import Wanted
from labeling_core.progress.learning_curve import Session
from labeling_core.settings import Category, Column, Settings
from labeling_core.simulation.summary import Row
from labeling_core.store.events import Entry

RECORDS: dict[str, Any] = {
    each.__name__: each
    for each in (Settings, Category, Column, NextSample, Session, Wanted, How, Entry, Row)
}
VALUE, ERROR, PIECES = "value", "error", "pieces"  # kinds of answers
PIECE = 1 << 20  # bytes that a file is read at a time
_LENGTH = struct.Struct(">I")
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
    """One end of a connection; EOFError when the other end has gone."""

    def __init__(self, connection: socket.socket) -> None:
        """``connection`` is closed by whoever opened it."""
        self._connection, self._read = connection, connection.makefile("rb")
        self._most = _AT_FIRST

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
        self._most = 1 << 32
        return True

    def send(self, value: Any) -> None:
        """Send a value, and the files that it names."""
        files: list[Path] = []
        with ExitStack() as opened:
            self._send(json.dumps([encode(value, files), len(files)]).encode())
            for each in [opened.enter_context(path.open("rb")) for path in files]:
                self.send_pieces(iter(partial(each.read, PIECE), b""))

    def receive(self, folder: Path) -> Any:
        """The next value, its files put into ``folder``; raises as :func:`decode`."""
        value, number = json.loads(self._frame())
        files = [folder / str(each) for each in range(number)]
        for each in files:
            with each.open("wb") as file:
                file.writelines(self.pieces())
        return decode(value, files)

    def send_pieces(self, pieces: Iterable[bytes]) -> None:
        """Send a file in pieces of up to PIECE bytes."""
        try:
            for piece in pieces:
                if piece:  # nothing at all is the end
                    self._send(piece)
        finally:
            self._send(b"")

    def pieces(self) -> Iterator[bytes]:
        """A file in the pieces in which it comes; to be read to the end."""
        while piece := self._frame():
            yield piece

    def _send(self, content: bytes) -> None:
        try:
            self._connection.sendall(_LENGTH.pack(len(content)) + content)
        except OSError as error:
            raise EOFError from error

    def _frame(self) -> bytes:
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        if length > self._most:
            raise EOFError
        return self._exactly(length)

    def _exactly(self, length: int) -> bytes:
        try:
            found = self._read.read(length)
        except OSError as error:
            raise EOFError from error
        if len(found) < length:
            raise EOFError
        return found


def _proof(key: bytes, who: bytes, asked: bytes) -> bytes:
    return hmac.digest(key, who + b" " + asked, hashlib.sha256)
