"""Recordings of what nobody hears."""

from __future__ import annotations

import numpy as np

RATE = 250_000  # hertz


def pulses(pitch: float, seed: int, rate: int = RATE) -> np.ndarray:
    """A fifth of a second of noise with some pulses of about that pitch."""
    draw = np.random.default_rng(seed)
    signal = draw.normal(0, draw.uniform(0.0003, 0.01), rate // 5)
    for start in draw.integers(0, len(signal) - 1_500, draw.integers(2, 6)):
        times = np.arange(draw.integers(500, 1_500)) / rate
        pulse = np.sin(2 * np.pi * pitch * draw.uniform(0.95, 1.05) * times)
        signal[start : start + len(times)] += (
            draw.uniform(0.05, 0.5) * pulse * np.hanning(len(times))
        )
    return signal.astype(np.float32)
