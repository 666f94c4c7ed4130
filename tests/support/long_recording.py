"""A long recording of which it is known what is heard when."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 8_000
WINDOW = 5.0
CATEGORIES = ("high", "low", "nothing")
_PITCHES = {"high": 3_000.0, "low": 400.0}


def scenes(seconds: float, seed: int = 0, longest: int = 3) -> list[str]:
    """What is heard in each window of WINDOW seconds; runs of one to ``longest`` windows."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < seconds / WINDOW:
        found += [CATEGORIES[rng.integers(3)]] * int(rng.integers(1, longest + 1))
    return found[: int(seconds / WINDOW)]


def write(path: Path, seconds: float, seed: int = 0, longest: int = 3) -> list[str]:
    """Write one, scene by scene, to ``path``; its scenes."""
    rng, told = np.random.default_rng(seed + 1), scenes(seconds, seed, longest)
    times = np.arange(int(WINDOW * RATE)) / RATE
    path.parent.mkdir(parents=True, exist_ok=True)
    with soundfile.SoundFile(path, "w", RATE, 1) as file:
        for scene in told:
            heard = rng.normal(0, 0.01, times.size)
            if scene in _PITCHES:
                pitch = _PITCHES[scene] * rng.uniform(0.9, 1.1)
                heard += 0.3 * np.sin(2 * np.pi * pitch * times)
            file.write(heard)
    return told


def truth(told: list[str], start: float, end: float) -> str:
    """What is heard in the middle of a part."""
    return told[min(int((start + end) / 2 // WINDOW), len(told) - 1)]
