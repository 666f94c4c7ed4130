"""The pages of an Ogg file (RFC 3533): whether the last one is there to its end.

Many programs do not mark the last page as such, so that mark says nothing.
"""

from __future__ import annotations

from pathlib import Path

_CAPTURE = b"OggS"
_HEAD = 27  # bytes of a page before its table of segments
_LARGEST = 65_307  # bytes of a page


def is_cut(path: Path) -> bool:
    """Whether an Ogg file ends within a page. False for any other file."""
    if _serial(_first(path)) is None:
        return False
    page = _last(path)
    if _serial(page) is None or len(page) < _HEAD or len(page) < _HEAD + page[26]:
        return True
    table = page[_HEAD : _HEAD + page[26]]
    rest = page[_HEAD + len(table) + sum(table) :]
    whole = len(page) >= _HEAD + len(table) + sum(table)
    return not whole or (bool(rest) and _CAPTURE.startswith(rest))


def is_chain(path: Path) -> bool:
    """Whether one stream follows another: the last page is of another than the first."""
    return _serial(_first(path)) != _serial(_last(path))


def links(path: Path) -> list[bytes]:
    """The contents of the streams that follow one another, each a file of its own."""
    starts, place, size, begins = [0], 0, path.stat().st_size, True
    with path.open("rb") as file:
        while place + _HEAD <= size:
            file.seek(place)
            head = file.read(_HEAD)
            if not head.startswith(_CAPTURE):
                break
            if head[5] & 2 and not begins:
                starts.append(place)
            begins = bool(head[5] & 2)  # streams that run side by side all begin at once
            place += _HEAD + head[26] + sum(file.read(head[26]))
        contents = []
        for start, end in zip(starts, [*starts[1:], size], strict=True):
            file.seek(start)
            contents.append(file.read(end - start))
    return contents


def _first(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEAD)


def _last(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 2 * _LARGEST))
        tail = file.read()
    start = tail.rfind(_CAPTURE)
    return tail[start:] if start >= 0 else b""


def _serial(page: bytes) -> bytes | None:
    return page[14:18] if page.startswith(_CAPTURE) and len(page) >= 18 else None
