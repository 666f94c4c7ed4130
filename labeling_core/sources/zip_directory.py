"""How many entries a zip archive has, before anything is made of them.

The standard library makes an object of each as soon as it opens an archive: half a gigabyte and
seconds of the interpreter's for the million that fit into 50 MB. The number that an archive tells
at its end need not be true, so the entries themselves are counted, from the head of each to the
next (APPNOTE.TXT 4.3.12, 4.3.14 and 4.3.16).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_END, _END64, _LOCATOR, _ENTRY = b"PK\5\6", b"PK\6\6", b"PK\6\7", b"PK\1\2"
_END_SIZE, _LOCATOR_SIZE, _END64_SIZE, _ENTRY_SIZE = 22, 20, 56, 46
_COMMENT = 65_535  # bytes that may stand behind the end
MOST = 200_000  # entries of an archive, folders included
_BLOCK = 1 << 20


def has_more_than(archive: Path | BinaryIO, most: int = MOST) -> bool:
    """Whether an archive lists more than ``most`` entries; False for what is no archive, which
    whoever opens it is told."""
    if isinstance(archive, Path):
        with archive.open("rb") as file:
            return has_more_than(file, most)
    try:
        return _count(archive, most) > most
    finally:
        archive.seek(0)


def _count(file: BinaryIO, most: int) -> int:
    """The entries, counted up to one more than ``most``."""
    start, size = _directory(file)
    found, end = 0, start + size
    while found <= most and end - start >= _ENTRY_SIZE:
        file.seek(start)
        data, place = file.read(min(_BLOCK, end - start)), 0
        while len(data) - place >= _ENTRY_SIZE and data.startswith(_ENTRY, place):
            found += 1
            place += _ENTRY_SIZE + sum(struct.unpack_from("<3H", data, place + 28))
        if not place:  # no entry begins here
            break
        start += place
    return found


def _directory(file: BinaryIO) -> tuple[int, int]:
    """Where the list of entries begins, and its length in bytes; (0, 0) where there is none."""
    whole = file.seek(0, os.SEEK_END)
    file.seek(max(0, whole - _END_SIZE - _COMMENT - _LOCATOR_SIZE - _END64_SIZE))
    tail = file.read()
    place = len(tail) - _END_SIZE  # without a comment: nothing in it is taken for another end
    if not (tail.startswith(_END, max(place, 0)) and tail.endswith(b"\0\0")):
        place = tail.rfind(_END)
    if place < 0 or len(tail) - place < _END_SIZE:
        return 0, 0
    size, end = struct.unpack_from("<L", tail, place + 12)[0], whole - len(tail) + place
    place -= _LOCATOR_SIZE + _END64_SIZE
    has_locator = place >= 0 and tail.startswith(_LOCATOR, place + _END64_SIZE)
    if has_locator and tail.startswith(_END64, place):
        size = struct.unpack_from("<Q", tail, place + 40)[0]
        end -= _LOCATOR_SIZE + _END64_SIZE
    return max(0, end - size), min(size, end)
