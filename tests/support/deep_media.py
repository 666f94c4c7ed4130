"""Pictures of 16 bits a channel, which Pillow reads and does not write."""

from __future__ import annotations

import struct
import zlib

import numpy as np


def png16(values: np.ndarray) -> bytes:
    """``values`` (height × width × 2, 3 or 4: grey and alpha, colours, colours and alpha; uint16)
    as a PNG."""
    height, width, channels = values.shape
    rows = b"".join(b"\1" + _filtered(row.astype(">u2").tobytes(), 2 * channels) for row in values)
    kind = {2: 4, 3: 2, 4: 6}[channels]
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in parts)


def _filtered(row: bytes, step: int) -> bytes:
    """Each byte less that of the pixel before it: PNG's filter 1."""
    bytes_ = np.frombuffer(row, np.uint8).astype(int)
    less = bytes_.copy()
    less[step:] -= bytes_[:-step]
    return (less % 256).astype(np.uint8).tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def tiff16(values: np.ndarray, order: str = "<", deflated: bool = False) -> bytes:
    """``values`` (height × width × 3, or 4 with alpha; uint16) as a TIFF of that byte order."""
    height, width, channels = values.shape
    pixels = values.astype(f"{order}u2").tobytes()
    content = zlib.compress(pixels) if deflated else pixels
    tags = [(256, 3, width), (257, 3, height), (258, 3, None), (259, 3, 8 if deflated else 1),
            (262, 3, 2), (273, 4, 8), (277, 3, channels), (278, 3, height), (279, 4, len(content)),
            (284, 3, 1), *([(338, 3, 2)] if channels == 4 else [])]  # fmt: skip
    bits, directory = 8 + len(content), 8 + len(content) + 2 * channels
    entries = b""
    for tag, kind, value in tags:
        if value is None:
            entries += struct.pack(f"{order}HHII", tag, kind, channels, bits)
        else:
            shape = "HHIHH" if kind == 3 else "HHII"
            entries += struct.pack(order + shape, tag, kind, 1, value, *[0] * (kind == 3))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return (
        mark + struct.pack(f"{order}I", directory) + content
        + struct.pack(f"{order}{channels}H", *[16] * channels)
        + struct.pack(f"{order}H", len(tags)) + entries + bytes(4)
    )  # fmt: skip
