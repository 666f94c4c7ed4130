"""Which pictures are read: by Pillow, and by two plugins of it that are loaded at their first file.

What a file is, its content says. A few old formats have no mark to know them by; those are
looked for under their own suffix only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, _imaging

from labeling_core.errors import LabelingError

_MARKED = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM", "ICNS",
           "DDS", "QOI", "SGI", "PSD")  # fmt: skip
_BY_SUFFIX = {".tga": "TGA", ".pcx": "PCX", ".ico": "ICO"}
SUFFIXES = frozenset({
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".gif", ".webp", ".bmp", ".dib",
    ".tif", ".tiff", ".avif", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".j2c", ".jpx",
    ".ppm", ".pgm", ".pbm", ".pnm", ".icns", ".dds", ".qoi", ".sgi", ".psd", *_BY_SUFFIX,
})  # fmt: skip
MOST_PAGES = 100  # counted: each takes a while, and 50,000 fit into 6 MB
KNOWN = "PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF, HEIC, JPEG XL, JPEG 2000 and others"


class _Plugin(NamedTuple):
    """A format that Pillow reads with ``package``; ``marks`` its files by their first bytes."""

    name: str
    package: str
    module: str
    marks: Callable[[bytes], bool]


_PLUGINS = (
    _Plugin("HEIF", "pillow-heif", "pillow_heif",
            lambda head: head[4:8] == b"ftyp" and head[8:12] not in (b"avif", b"avis")),
    _Plugin("JXL", "pillow-jxl-plugin", "pillow_jxl",
            lambda head: head.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \x0d\x0a\x87\x0a"))),
)  # fmt: skip


def _hush_libtiff() -> None:
    """libtiff would write into the server's log what is wrong with a file, beside the error."""
    with suppress(OSError, AttributeError):  # on Windows it cannot be reached inside of Pillow
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


_hush_libtiff()


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture, not yet decoded. Raises LabelingError where its plugin is not installed, and
    whatever Pillow raises."""
    with path.open("rb") as file:
        head = file.read(16)
    plugin = next((each for each in _PLUGINS if each.marks(head)), None)
    if plugin is not None and not _loaded(plugin):
        raise LabelingError(
            f"{path.name} can be read once a decoder is there: pip install {plugin.package}"
        )
    weak = _BY_SUFFIX.get(path.suffix.lower())
    known = (plugin.name,) if plugin else (*_MARKED, weak) if weak else _MARKED
    with Image.open(path, formats=known) as image:
        yield image


def _loaded(plugin: _Plugin) -> bool:
    if find_spec(plugin.module) is None:  # not kept: it may be installed any moment
        return False
    _load(plugin)
    return True


@cache
def _load(plugin: _Plugin) -> None:
    module = import_module(plugin.module)
    if hasattr(module, "register_heif_opener"):
        module.register_heif_opener()


def pages(image: Image.Image) -> int:
    """How many pictures the file holds, at most MOST_PAGES + 1; of those that move only that there
    are several (2)."""
    if image.format != "TIFF":
        return 2 if getattr(image, "is_animated", False) else 1
    number = 0
    with suppress(Exception):  # there are no more, or the next one is damaged, which is no matter
        while number <= MOST_PAGES:
            image.seek(number)
            number += 1
    image.seek(0)
    return max(number, 1)


def without_end_mark(path: Path) -> Image.Image | None:
    """A JPEG that lacks nothing but the mark at its end, decoded; None where more is missing.

    Whether something is missing shows in that it depends on what is put in its place.
    """
    content = path.read_bytes().removesuffix(b"\xff")
    versions = [_decoded(content + fill + b"\xff\xd9") for fill in (b"", b"\0" * 64, b"\x55" * 64)]
    first = versions[0]
    pixels = [np.asarray(each) for each in versions]
    return first if all(np.array_equal(pixels[0], each) for each in pixels[1:]) else None


def _decoded(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content), formats=("JPEG",))
    image.load()
    return image
