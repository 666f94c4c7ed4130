"""Pictures and recordings in formats that browsers do not know, and in one that they do, for
deck_latency.py: what is in them is the same in all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  so that Pillow can write it
from broken_media import coded, recorded
from PIL import Image, ImageChops

PICTURES: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 88},
    "heic": {"format": "HEIF", "quality": 60, "enc_params": {"preset": "ultrafast"}},
    "avif": {"format": "AVIF", "quality": 70, "speed": 10},
    "jxl": {"format": "JXL", "quality": 85, "effort": 3},
}
_RATE, _SECONDS = 48_000, 10
SOUNDS: dict[str, Callable[[np.ndarray], bytes]] = {
    "flac": lambda signal: recorded(signal, _RATE, "FLAC"),
    "m4a": lambda signal: coded(signal, _RATE, "mp4", "aac"),
    "opus": lambda signal: coded(signal, _RATE, "opus", "libopus"),
    "amr": lambda signal: coded(signal[::6], _RATE // 6, "amr", "libopencore_amrnb"),
}


def scene(width: int = 3840, height: int = 2160) -> Image.Image:
    """Pixels with as much detail as a photograph has."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width] / 400
    waves = np.stack([127 + 90 * np.sin(columns * c + rows) for c in (1, 2, 3)], axis=-1)
    return Image.fromarray((waves + random.normal(0, 9, waves.shape)).clip(0, 255).astype(np.uint8))


def make(folder: Path, suffix: str, number: int) -> None:
    """So many files of a format in ``folder``, no two the same: pictures of 1920 × 1080 pixels,
    recordings of 10 s."""
    folder.mkdir()
    pillow_heif.register_heif_opener()
    picture = scene(1920, 1080)
    time = np.arange(_RATE * _SECONDS)[:, None] / _RATE
    for each in range(number):
        path = folder / f"{each:03}.{suffix}"
        if suffix in PICTURES:
            ImageChops.offset(picture, 31 * each, 0).save(path, **PICTURES[suffix])
        else:
            noise = np.random.default_rng(each).normal(0, 0.02, time.shape)
            signal = 0.4 * np.sin(2 * np.pi * (200 + 150 * time) * time) + noise
            path.write_bytes(SOUNDS[suffix](signal.astype(np.float32)))
