"""Pictures of more than 8 bits as 8-bit greys, by the range of values that they really hold."""

from __future__ import annotations

import numpy as np
from PIL import Image

# Cameras and scanners of 10 to 14 bits leave the upper bits of 16 empty.
_FEW_BITS = 2**14


def eight_bit(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits as 8-bit greys; every other image as it is.

    16 bits that are all in use go by their full range; all else is stretched from its least to
    its greatest value. What is no number is black, infinity as bright as the brightest.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image, dtype=np.float64)
    low, high = _range(values, image.mode != "F")
    level = np.nan_to_num(np.clip((values - low) * (255 / max(high - low, 1e-300)), 0, 255), nan=0)
    grey = Image.fromarray(np.rint(level).astype(np.uint8))
    grey.info, grey.getexif()[0x0112] = dict(image.info), image.getexif().get(0x0112, 1)
    return grey


def _range(values: np.ndarray, whole: bool) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    all_bits = _FEW_BITS <= high <= 65535 or low == high
    return (0.0, 65535.0) if whole and low >= 0 and all_bits else (low, high)
