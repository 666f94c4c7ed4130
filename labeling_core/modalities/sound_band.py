"""Features of sounds that leave out nothing of what was recorded: those of ``sounds``, and how
loud each sixth of an octave above 8 kHz is, up to half the rate of the recording.

A module of its own: models that were downloaded before name the other one, and stay of use.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from labeling_core.modalities import sounds
from labeling_core.sources.windows import Span

FEATURES_VERSION = 1
PIXEL_COLUMNS = 0

_LOWEST, _HIGHEST, _PER_OCTAVE = 8_000.0, 256_000.0, 6
# The bands begin at the same frequencies whatever the rate, so that recordings compare.
EDGES = _LOWEST * 2.0 ** (
    np.arange(_PER_OCTAVE * np.log2(_HIGHEST / _LOWEST) + 1) / _PER_OCTAVE
)  # hertz
_WINDOW = 0.004  # seconds: short enough for a single pulse of a bat
_RANGE = 80.0  # dB below the loudest that count
_BLOCK = 1 << 18
# Of what is recorded at higher rates than music is, most lies above hearing: it is described as
# if it were played slowly enough for all of it to be heard.
_ULTRASOUND, _HEARD = 100_000, 22_050  # hertz


def features(path: Path, span: tuple[float, float] | None = None) -> np.ndarray:
    """Descriptors of one sound, or of a ``span`` of it (from, to, in seconds), float32: those of
    ``sounds.features`` (of ultrasound, slowed down), then of each band the mean, the deviation and
    the greatest of its level over time, in dB below the loudest moment of any band (-80..0; what a
    recording cannot hold is -80). Raises LabelingError as they do."""
    parts, rate = sounds.excerpts(path, Span(*span) if span else None)
    level = levels(parts, rate)
    above = [level.mean(axis=0), level.std(axis=0), level.max(axis=0)]
    described = sounds.statistics(parts, _HEARD if rate > _ULTRASOUND else rate)
    return np.concatenate([described, *above]).astype(np.float32)


def levels(parts: list[np.ndarray], rate: int) -> np.ndarray:
    """Moments × bands: the level of each of EDGES' bands in dB, -80..0."""
    size = int(2 ** np.clip(np.round(np.log2(rate * _WINDOW)), 6, 12))
    window = np.hanning(size).astype(np.float32)
    frequencies = np.fft.rfftfreq(size, 1 / rate)
    inside = (frequencies >= EDGES[:-1, None]) & (frequencies < EDGES[1:, None])
    everything = frequencies > 0
    masks = np.vstack([inside, everything]).astype(np.float32)
    powers = [
        (np.abs(np.fft.rfft(frames * window)) ** 2) @ masks.T
        for part in parts
        for frames in _frames(part, size)
    ]
    power = np.concatenate(powers)
    decibels = 10 * np.log10(np.maximum(power[:, :-1], 1e-20))
    loudest = 10 * np.log10(max(float(power[:, -1].max()), 1e-10))  # of silence, too
    return np.clip(decibels - loudest, -_RANGE, 0)


def _frames(part: np.ndarray, size: int) -> list[np.ndarray]:
    """Overlapping windows of ``size`` values, some thousand at a time; one, padded, of a sound
    shorter than that."""
    if len(part) < size:
        part = np.pad(part, (0, size - len(part)))
    windows = np.lib.stride_tricks.sliding_window_view(part, size)[:: size // 2]
    step = max(1, _BLOCK // size)
    return [windows[at : at + step] for at in range(0, len(windows), step)]
