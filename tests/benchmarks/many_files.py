"""Folders of many small files: from *Create* to the first sample, and until all are read.

    python tests/benchmarks/many_files.py [--pictures 100000] [--recordings 20000]

JPEGs of 64 × 64 pixels and WAV files of a second at 16 kHz, noise each, a thousand to a folder. The
aim for the first sample is 3 s. Reading them for the model is compared with decoding alone: the
same files by Pillow and soundfile, in as many processes as there are cores, before and after, with
the files in the system's cache. The share is the decoder's time in that of all that is done: to
find each file whole, decode it, describe it, and keep what was found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import scale  # noqa: E402

from labeling_core.projects.lifecycle import create_project  # noqa: E402
from labeling_core.workspace import Workspace  # noqa: E402

SIDE, RATE, FOLDER = 64, 16_000, 1_000
CORES = os.cpu_count() or 1


def make_pictures(folder: Path, start: int, stop: int) -> None:
    rng = np.random.default_rng(start)
    for n in range(start, stop):
        coarse = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE)).save(folder / f"{n:06}.jpg", quality=85)


def make_recordings(folder: Path, start: int, stop: int) -> None:
    rng = np.random.default_rng(start)
    times = np.arange(RATE) / RATE
    for n in range(start, stop):
        tone = np.sin(2 * np.pi * rng.uniform(200, 4_000) * times)
        noise = rng.normal(0, 0.1, RATE)
        soundfile.write(folder / f"{n:06}.wav", (0.3 * tone + noise).clip(-1, 1), RATE)


def decode_picture(path: str) -> None:
    with Image.open(path) as image:
        image.convert("RGB").load()


def decode_recording(path: str) -> None:
    soundfile.read(path, dtype="float32")


def make(root: Path, count: int, maker: Callable[[Path, int, int], None]) -> list[str]:
    with multiprocessing.Pool() as pool:
        jobs = []
        for start in range(0, count, FOLDER):
            folder = root / f"{start // FOLDER:03}"
            folder.mkdir(parents=True)
            jobs.append((folder, start, min(start + FOLDER, count)))
        pool.starmap(maker, jobs)
    return [str(each) for each in sorted(root.glob("*/*"))]


def decoded(files: list[str], decode: Callable[[str], None]) -> float:
    """Seconds to decode them all on all cores."""
    with multiprocessing.Pool() as pool:
        started = time.perf_counter()
        for _ in pool.imap_unordered(decode, files, chunksize=64):
            pass
        return time.perf_counter() - started


def measure(
    folder: Path, modality: str, count: int,
    maker: Callable[[Path, int, int], None], decode: Callable[[str], None],
) -> None:  # fmt: skip
    files = make(folder / modality, count, maker)
    alone = [decoded(files, decode)]
    workspace = Workspace(folder / f"{modality}.duckdb")
    settings = replace(scale.SETTINGS, modality=modality, source=str(folder / modality))
    started = time.perf_counter()
    project = create_project(workspace.database, settings)
    scale.Browser(workspace, project).send([], want=1)
    first = time.perf_counter() - started
    workspace.loop.prepare(project)
    while workspace.loop.reader.running(project.project_id):
        time.sleep(0.05)
    ready = time.perf_counter() - started
    workspace.close()
    alone.append(decoded(files, decode))
    decoding = statistics.mean(alone)
    missed = "  MISSED" if first > 3 else ""
    print(f"{count:,} {modality}: first sample {first:.1f} s (aim 3{missed}), all read "
          f"{ready:.0f} s ({count / (ready - first):.0f} a second); decoded alone "
          f"{alone[0]:.0f} and {alone[1]:.0f} s, {decoding / (ready - first):.2f} of it on "
          f"{CORES} cores", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--recordings", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LABELING_DATA_ROOTS"] = folder
        if given.pictures:
            measure(Path(folder), "images", given.pictures, make_pictures, decode_picture)
        if given.recordings:
            measure(Path(folder), "sounds", given.recordings, make_recordings, decode_recording)


if __name__ == "__main__":
    main()
