"""Pictures of more than 8 bits a channel, on their way to a browser that shows a part of the range.

What is sent is no picture, which browsers would fit to screens, but numbers: 16 bits a channel,
exact where the file has whole numbers of no wider range.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from labeling_core.modalities import images
from labeling_core.modalities.levels import Values
from labeling_core.modalities.renditions import remembered, rendition_place

_MOST = 65535


def shown(cache: Path, path: Path) -> tuple[Path, str]:
    """The file that a browser gets of the values of an image, kept in ``cache``, and its media
    type. Raises LabelingError."""
    place = rendition_place(cache, path, "values")
    remembered(place, lambda: packed(images.values(path), *images.SHOWN_SIZE))
    return place, "application/octet-stream"


def packed(values: Values, max_width: int, max_height: int) -> bytes:
    """Values for a browser, of at most ``max_width`` × ``max_height`` pixels, upright, by zlib.

    First a line of JSON: ``width``, ``height``, ``channels``, ``alpha`` (whether there is one), the
    values that are ``black`` and ``white`` unless a person says otherwise, and those that the
    picture holds, from ``low`` to ``high``; a code c stands for low + ``step`` · c. Then for each
    channel the upper bytes of all codes, row by row, and the lower ones; then alpha.
    """
    numbers = values.channels.astype(np.float64, copy=False)
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    whole = bool((finite == np.rint(finite)).all()) and high - low <= _MOST
    step = 1.0 if whole or high == low else (high - low) / _MOST
    codes = np.nan_to_num(np.clip((numbers - low) / step, 0, _MOST), nan=0)
    size = (max_width, max_height)
    planes = [_fitted(codes[..., each], size, values.turned) for each in range(codes.shape[2])]
    height, width = planes[0].shape
    head = {
        "width": width, "height": height, "channels": len(planes),
        "alpha": values.alpha is not None, "low": low, "high": high, "step": step,
        "black": values.black, "white": values.white,
    }  # fmt: skip
    bytes_ = [
        half.astype(np.uint8).tobytes() for each in planes for half in (each >> 8, each & 255)
    ]
    if values.alpha is not None:
        bytes_.append(_fitted(values.alpha, size, values.turned).astype(np.uint8).tobytes())
    return zlib.compress(json.dumps(head).encode() + b"\n" + b"".join(bytes_), 4)


def _fitted(plane: np.ndarray, size: tuple[int, int], turned: int) -> np.ndarray:
    """Whole numbers of 0..65535, upright and no larger than ``size``, as the image itself is."""
    image = Image.fromarray(plane.astype(np.float32))
    image.getexif()[0x0112] = turned
    image = ImageOps.exif_transpose(image)
    image.thumbnail(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.rint(np.clip(np.asarray(image), plane.min(), plane.max())).astype(np.uint16)
