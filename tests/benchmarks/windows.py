"""What a window of a recording costs, by the length of the recording and its format.

Run: PYTHONPATH=. python tests/benchmarks/windows.py FOLDER (10 hours: some 4 GB are written there).
Prints, for each format: seconds to cut and draw, then milliseconds to read one window of five
seconds, to draw its picture, and the greatest memory of the process in MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import soundfile

from labeling_core.modalities import sound_pictures, sounds
from labeling_core.modalities.registry import MODALITIES

RATE, MINUTES = 44_100, (10, 40, 600)
ENDINGS = (".wav", ".flac", ".mp3", ".m4a")


def write(folder: Path, minutes: int) -> Path:
    """A minute of noise and tones, again and again."""
    path = folder / f"{minutes}.wav"
    times = np.arange(60 * RATE) / RATE
    minute = np.random.default_rng(0).normal(0, 0.05, times.size) + 0.2 * np.sin(3_000 * times)
    with soundfile.SoundFile(path, "w", RATE, 1, format="WAV") as file:
        for _ in range(minutes):
            file.write(minute)
    return path


def convert(path: Path, ending: str) -> Path:
    """The same in another format, written piece by piece."""
    import av

    target = path.with_suffix(ending)
    if ending == ".flac":
        with soundfile.SoundFile(path) as source, soundfile.SoundFile(target, "w", RATE, 1) as file:
            for block in source.blocks(1 << 20):
                file.write(block)
        return target
    with av.open(str(path)) as source, av.open(str(target), "w") as file:
        stream = file.add_stream("aac" if ending == ".m4a" else "libmp3lame", rate=RATE)
        for frame in source.decode(audio=0):
            frame.pts = None
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return target


def measure(path: Path) -> None:
    """Print the line of one file."""
    begun = time.perf_counter()
    found = MODALITIES["sounds"].source.cut(5.0, 2.5).sample_ids(path.parent, [path.name])
    cut = time.perf_counter() - begun
    from labeling_core.sources.windows import split

    spans = [split(each).span for each in found]
    some = [spans[at] for at in np.random.default_rng(0).integers(0, len(spans), 40)]
    in_order = spans[len(spans) // 2 :][:40]

    def each(make: object, chosen: list) -> float:
        begun = time.perf_counter()
        for span in chosen:
            make(path, span)  # type: ignore[operator]
        return 1000 * (time.perf_counter() - begun) / len(chosen)

    read = each(sounds.excerpts, some)
    on = each(sounds.excerpts, in_order)
    draw = each(lambda path, span: sound_pictures.picture(path, 1200, 360, span=span), some)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{path.name:10} {len(found):6,} windows, cut {cut:6.2f} s  at random {read:6.1f} ms"
          f"  in order {on:6.1f} ms  picture {draw:6.1f} ms  {memory:5.0f} MB")  # fmt: skip


def main() -> None:
    """Each file in a process of its own, so that memory can be told."""
    if len(sys.argv) == 3:
        measure(Path(sys.argv[2]))
        return
    folder = Path(sys.argv[1])
    for ending in ENDINGS:
        for minutes in MINUTES:
            path = write(folder, minutes)
            target = path if ending == ".wav" else convert(path, ending)
            subprocess.run([sys.executable, __file__, "one", str(target)], check=True)
            path.unlink(missing_ok=True)
            target.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
