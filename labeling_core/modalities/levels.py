"""Pictures of more than 8 bits a channel, by the range of values that they really hold."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

# Cameras and scanners of 10 to 14 bits leave the upper bits of 16 empty.
_FEW_BITS = 2**14
# Raw modes of 16 bits, of which Pillow keeps the upper 8 → that of the lower 8.
_SWAPPED = {
    f"{name};16{order}": f"{name};16{other}"
    for name in ("RGB", "RGBA", "RGBX")
    for order, other in (("B", "L"), ("L", "B"), ("N", "B" if sys.byteorder == "little" else "L"))
} | {"LA;16B": "RGBA"}


class Values(NamedTuple):
    """What a picture of more than 8 bits a channel holds: ``channels`` [height, width, 1 or 3] in
    the file's own numbers, ``alpha`` [height, width] 0..255 or None, the value that is shown as
    ``black`` and the one that is shown as ``white`` where nobody says otherwise, and by what Exif
    number all of it is turned."""

    channels: np.ndarray
    alpha: np.ndarray | None
    black: float
    white: float
    turned: int


def is_deep(image: Image.Image) -> bool:
    """Whether an image, loaded or not, has greys of 16 or 32 bits."""
    return image.mode.startswith(("I", "F"))


def eight_bit(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits as 8-bit greys; every other image as it is.

    16 bits that are all in use go by their full range; all else is stretched from its least to
    its greatest value. What is no number is black, infinity as bright as the brightest.
    """
    if not is_deep(image):
        return image
    values = np.asarray(image, dtype=np.float64)
    low, high = _range(values, image.mode != "F")
    level = np.nan_to_num(np.clip((values - low) * (255 / max(high - low, 1e-300)), 0, 255), nan=0)
    return _like(image, np.rint(level).astype(np.uint8))


def in_words(image: Image.Image) -> str:
    """What values of more than 8 bits an image, not loaded yet, has a channel; empty for others."""
    if raw_mode(image):
        return "16-bit colours"
    if not is_deep(image):
        return ""
    return "floating-point greys" if image.mode == "F" else "greys of more than 8 bits"


def of_greys(image: Image.Image) -> Values:
    """The values of a loaded image that is_deep."""
    values = np.asarray(image, dtype=np.float64)
    black, white = _range(values, image.mode != "F")
    return Values(values[..., None], None, black, white, _turned(image))


def of_colours(image: Image.Image, again: Any) -> Values:
    """The values of 16-bit colours: ``image`` has their upper bytes, ``again`` is the same file,
    not loaded yet."""
    values = _sixteen_bits(image, again)
    colours, alpha = values[..., :3], values[..., 3:]
    black, white = _used(int(colours.min()), int(colours.max()))
    seen = _stretched(alpha, 0)[..., 0] if alpha.size else None
    return Values(colours, seen, black, white, _turned(image))


def _turned(image: Image.Image) -> int:
    return int(image.getexif().get(0x0112, 1))


def _range(values: np.ndarray, whole: bool) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    return _used(low, high) if whole and low >= 0 else (low, high)


def _used(low: float, high: float) -> tuple[float, float]:
    """The range that whole numbers from ``low`` to ``high`` stand for: that of 16 bits where all
    of these are in use, or nothing tells."""
    all_bits = _FEW_BITS <= high <= 65535 or low == high
    return (0.0, 65535.0) if all_bits else (low, high)


def _like(image: Image.Image, pixels: np.ndarray) -> Image.Image:
    """``pixels`` with the colour profile and the orientation of ``image``."""
    made = Image.fromarray(pixels)
    made.info, made.getexif()[0x0112] = dict(image.info), _turned(image)
    return made


def raw_mode(image: Image.Image) -> str:
    """How 16-bit colours are stored in an image that is not loaded yet; empty for all others."""
    modes = {_mode_of(tile) for tile in image.tile} if hasattr(image, "tile") else set()
    return modes.pop() if len(modes) == 1 and modes <= _SWAPPED.keys() else ""


def _mode_of(tile: Any) -> str:
    return tile.args if isinstance(tile.args, str) else next(iter(tile.args or ()), "")


def hold_few_bits(image: Image.Image) -> bool:
    """Whether 16-bit colours, whose upper bytes ``image`` has, leave the upper bits empty."""
    extremes: Any = image.getextrema()
    return max(high for _, high in extremes[:3]) < _FEW_BITS >> 8


def with_lower_bytes(image: Image.Image, again: Any) -> Image.Image:
    """16-bit colours stretched as greys are, all channels alike; the arguments are those of
    of_colours."""
    values = _sixteen_bits(image, again)
    colours, alpha = values[..., :3], values[..., 3:]
    parts = [_stretched(colours, int(colours.min()))]
    if alpha.size:
        parts.append(_stretched(alpha, 0))
    return _like(image, np.concatenate(parts, axis=2))


def _sixteen_bits(image: Image.Image, again: Any) -> np.ndarray:
    """All 16 bits of colours, and of alpha where there is one: uint16 [height, width, 3 or 4]."""
    raw = raw_mode(again)
    again.tile = [_with_mode(tile, _SWAPPED[raw]) for tile in again.tile]
    if raw.startswith("LA"):  # read as four bytes: grey and its lower byte, alpha and its own
        again._mode = "RGBA"
    lower = np.asarray(again)
    if raw.startswith("LA"):
        lower = lower[..., [1, 1, 1, 3]]
    return np.asarray(image).astype(np.uint16) << 8 | lower


def _with_mode(tile: Any, mode: str) -> Any:
    return tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))


def _stretched(values: np.ndarray, low: int) -> np.ndarray:
    """From ``low`` to the greatest value, unless all bits are in use."""
    black, white = _used(low, int(values.max()))
    steps = np.clip((np.arange(65536) - black) * (255 / (white - black)), 0, 255)
    return np.rint(steps).astype(np.uint8)[values]
