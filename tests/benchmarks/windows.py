"""What a window of a recording costs, by the length of the recording and its format.

Run: PYTHONPATH=. python tests/benchmarks/windows.py FOLDER (2 GB are written there for a while)
Prints, for 40 minutes and 10 hours of each format, the longer made by putting the same ten minutes
behind each other: seconds to cut it and to read the first window, then milliseconds to read one
window of five seconds at random and in order, to draw its picture (medians, both lengths by turns),
all of the processor; and the greatest memory of the process in MB (Linux).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from labeling_core.modalities import sound_pictures, sounds
from labeling_core.modalities.registry import MODALITIES
from labeling_core.sources.windows import Span, split

RATE, PIECE, MINUTES = 44_100, 10, (40, 600)
ENDINGS = {".flac": "", ".mp3": "libmp3lame", ".m4a": "aac"}
ROUNDS, EACH = 4, 10


def write(folder: Path, ending: str) -> list[Path]:
    """Noise and tones for so many MINUTES, in one format."""
    draw = np.random.default_rng(0)
    times = np.arange(60 * RATE) / RATE
    minute = draw.normal(0, 0.05, times.size) + 0.2 * np.sin(3_000 * times)
    values = np.tile(minute.astype(np.float32), PIECE)
    targets = [folder / f"{minutes}{ending}" for minutes in MINUTES]
    if not ENDINGS[ending]:  # its frames are numbered, so that none can be copied
        for target, minutes in zip(targets, MINUTES, strict=True):
            with soundfile.SoundFile(target, "w", RATE, 1) as file:
                for _ in range(minutes // PIECE):
                    file.write(values)
        return targets
    piece = folder / f"piece{ending}"
    encode(values, piece, ENDINGS[ending])
    for target, minutes in zip(targets, MINUTES, strict=True):
        join(piece, target, minutes // PIECE)
    piece.unlink()
    return targets


def encode(values: np.ndarray, target: Path, codec: str) -> None:
    import av

    with av.open(str(target), "w") as file:
        stream = file.add_stream(codec, rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(values.reshape(1, -1), "flt", "mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)


def join(piece: Path, target: Path, times: int) -> None:
    """The packets of ``piece``, so many times."""
    import av

    with av.open(str(target), "w") as out:
        stream, place = None, 0
        for _ in range(times):
            with av.open(str(piece)) as part:
                stream = stream or out.add_stream_from_template(part.streams.audio[0])
                for packet in part.demux(part.streams.audio[0]):
                    if packet.size:
                        packet.pts = packet.dts = place
                        place += packet.duration
                        packet.stream = stream
                        out.mux(packet)


def serve(path: Path) -> None:
    """Read a line, measure, and write one, until nothing comes: in a process of its own, so that
    its memory can be told."""
    begun = time.process_time()
    found = MODALITIES["sounds"].source.cut(5.0, 2.5).sample_ids(path.parent, [path.name])
    spans = [span for each in found if (span := split(each).span)]
    cut = time.process_time() - begun
    sounds.excerpts(path, spans[-1])
    first = time.process_time() - begun - cut
    answer({"windows": len(spans), "cut": cut, "first": first})
    draw = np.random.default_rng(0)
    for number, _ in enumerate(sys.stdin):
        some = [spans[at] for at in draw.integers(0, len(spans), EACH)]
        start = len(spans) // 2 + number * EACH
        answer({
            "random": each(lambda span: sounds.excerpts(path, span), some),
            "order": each(lambda span: sounds.excerpts(path, span), spans[start : start + EACH]),
            "picture": each(
                lambda span: sound_pictures.picture(path, 1200, 360, span=span), some
            ),
            "memory": memory(),
        })  # fmt: skip


def each(make: Callable[[Span], object], chosen: list[Span]) -> list[float]:
    """Milliseconds of each."""
    found = []
    for span in chosen:
        begun = time.process_time()
        make(span)
        found.append(1000 * (time.process_time() - begun))
    return found


def memory() -> float:
    """The most that this program has had, in MB; `getrusage` counts what its parent had, too."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def answer(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


def measure(paths: list[Path]) -> None:
    """Print the lines of some files, measured by turns, and the ratio of the last to the first."""
    workers = [
        subprocess.Popen([sys.executable, __file__, "one", str(path)], text=True,
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for path in paths
    ]  # fmt: skip
    opened = [json.loads(each.stdout.readline()) for each in workers if each.stdout]
    found: list[dict[str, list[float]]] = [{} for _ in workers]
    for _ in range(ROUNDS):
        for worker, known in zip(workers, found, strict=True):
            assert worker.stdin and worker.stdout
            print("go", file=worker.stdin, flush=True)
            for what, values in json.loads(worker.stdout.readline()).items():
                known.setdefault(what, []).extend(np.atleast_1d(values))
    for worker in workers:
        worker.communicate()
    medians = [
        {what: float(np.median(known[what])) for what in ("random", "order", "picture")}
        for known in found
    ]
    for path, first, known, all_known in zip(paths, opened, medians, found, strict=True):
        shown = "  ".join(f"{what} {value:6.1f} ms" for what, value in known.items())
        print(f"{path.name:10} {first['windows']:6,} windows  cut {first['cut']:5.2f} s  "
              f"first {first['first']:5.2f} s  {shown}  {max(all_known['memory']):4.0f} MB",
              flush=True)  # fmt: skip
    ratios = "  ".join(
        f"{what} × {medians[-1][what] / medians[0][what]:.2f}" for what in medians[0]
    )
    print(f"{'':10} the longest to the shortest: {ratios}", flush=True)


def main() -> None:
    if len(sys.argv) == 3:
        serve(Path(sys.argv[2]))
        return
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ENDINGS:
        paths = write(folder, ending)
        measure(paths)
        for path in paths:
            path.unlink()


if __name__ == "__main__":
    main()
