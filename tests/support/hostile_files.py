"""Files that are small and ask for much: pictures, archives."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from io import BytesIO

from broken_media import png_of_size
from PIL import Image


def tiff(
    pages: int, circle: bool = False, width: int = 8, height: int = 8, size: int = 64
) -> bytes:
    """Grey pages that share one strip of 64 bytes, told to have ``size``; ``circle``: behind the
    last comes the first."""
    tags = ((256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8),
            (277, 3, 1), (278, 4, height), (279, 4, size))  # fmt: skip
    first, length = 72, 2 + 12 * len(tags) + 4
    parts = [struct.pack("<2sHL", b"II", 42, first), b"\x80" * 64]
    for number in range(pages):
        last = number == pages - 1
        after = (first if circle else 0) if last else first + (number + 1) * length
        parts.append(struct.pack("<H", len(tags)))
        parts += [struct.pack("<HHLL", name, kind, 1, value) for name, kind, value in tags]
        parts.append(struct.pack("<L", after))
    return b"".join(parts)


def gif(frames: int, width: int = 8, height: int = 8) -> bytes:
    """Frames of one pixel each on a screen of that size."""
    head = struct.pack("<6s2H3B", b"GIF89a", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x21\xf9\4\0\0\0\0\0\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    return head + frame * frames + b";"


def animated(format: str, frames: int = 200) -> bytes:
    pictures = [Image.new("RGB", (64, 64), (each, 255 - each, each)) for each in range(frames)]
    content = BytesIO()
    pictures[0].save(content, format, save_all=True, append_images=pictures[1:])
    return content.getvalue()


def crowded_zip(entries: int, told: int | None = None, wide: bool = False) -> bytes:
    """An archive whose empty entries share one place in it; ``told`` is the number that its end
    tells, ``wide`` writes the end as ZIP64."""
    name = b"a.png"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    entry = struct.pack(
        "<4s4B4H3L5H2L", b"PK\1\2", 20, 3, 20, 0, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0
    )
    listed = (entry + name) * entries
    number, size, start = told or entries, len(listed), len(local)
    end = b""
    if wide:
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, number, number, size, start)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, start + size, 1)
        number, size, start = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
    number = min(number, 0xFFFF)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, size, start, 0)
    return local + listed + end


# File name → what makes it; what is readable among them must be read at the cost of any picture.
PICTURES: dict[str, Callable[[], bytes]] = {
    "huge.png": partial(png_of_size, 50_000, 50_000),
    "wide.png": partial(png_of_size, 2**31 - 1, 1),
    "pages.tif": partial(tiff, 20_000),
    "circle.tif": partial(tiff, 5, circle=True),
    "lies.tif": partial(tiff, 1, width=2**31, height=2**31, size=2**32 - 1),
    "strips.tif": partial(tiff, 1, height=2**16, size=64),
    "frames.gif": partial(gif, 100_000),
    "frames.png": partial(animated, "PNG"),
    "frames.webp": partial(animated, "WEBP"),
    "screen.gif": partial(gif, 1, width=65_535, height=65_535),
}
