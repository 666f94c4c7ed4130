"""Every file of a folder, judged by ffprobe and Pillow, against what this program says of it.

    PYTHONPATH=. python tests/benchmarks/judged_files.py FOLDER

Say of Debian's packages klettres-data and tuxpaint-stamps-default, unpacked. The scan leaves a
file out or takes it; what is taken is read to its end, or refused with a sentence. The judges say
whether there is a picture or sound in it, how large or long. Prints how often both agree, and each
file about which they do not; exits with 1 if there is one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  so that Pillow can read it
from PIL import Image

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, sounds
from labeling_core.sources.left_out import groups, look_through

_PROBE = ("ffprobe", "-v", "error", "-of", "json", "-select_streams", "a:0", "-show_entries",
          "frame=nb_samples:stream=sample_rate,channels:format=probe_score")  # fmt: skip
_SURE = 50  # of 100: ffprobe's score below which it has only guessed by the ending
_SECONDS = 0.05  # by which lengths may differ: of what an encoder has put around it


class Verdict(NamedTuple):
    """What a file is: ``what`` is sound, picture or neither; ``measures`` rate (Hz), channels,
    or width, height; and the ``seconds`` of a sound."""

    what: str
    measures: tuple[int, ...] = ()
    seconds: float = 0.0

    def agrees(self, other: Verdict) -> bool:
        """Whether both say the same."""
        return self[:2] == other[:2] and abs(self.seconds - other.seconds) <= _SECONDS


NEITHER = Verdict("neither")


def judged_sound(path: Path) -> Verdict:
    """What ffprobe says, once all frames are decoded."""
    run = subprocess.run([*_PROBE, str(path)], capture_output=True, text=True, check=False)
    found = json.loads(run.stdout or "{}")
    samples = sum(int(each.get("nb_samples", 0)) for each in found.get("frames", ()))
    if not samples or found["format"]["probe_score"] < _SURE:
        return NEITHER
    stream = found["streams"][0]
    rate = int(stream["sample_rate"])
    return Verdict("sound", (rate, int(stream["channels"])), samples / rate)


def judged_picture(path: Path) -> Verdict:
    """What Pillow says, once all pixels are decoded."""
    try:
        with Image.open(path) as image:
            image.load()
            return Verdict("picture", image.size)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return NEITHER


def read_sound(path: Path) -> Verdict:
    """What this program makes of a sound, read to its end. Raises LabelingError."""
    with sounds.opened(path) as sound:
        sounds.require_complete(sound, path)
        blocks = sound.blocks(1 << 16, dtype="float32", always_2d=True)
        frames = sum(len(block) for block in blocks if np.isfinite(block).all())
        return Verdict("sound", (sound.samplerate, sound.channels), frames / sound.samplerate)


def read_picture(path: Path) -> Verdict:
    """What this program makes of a picture. Raises LabelingError."""
    found = images.facts(path)
    images.decoded(path).load()
    return Verdict("picture", (int(found["width"]), int(found["height"])))


def compare(
    folder: Path,
    taken: list[str],
    read: Callable[[Path], Verdict],
    judge: Callable[[Path], Verdict],
) -> Counter[str]:
    """How often both agree on the files ``taken``; the others are printed."""
    counted: Counter[str] = Counter()
    for name in taken:
        try:
            ours, reason = read(folder / name), ""
        except LabelingError as error:
            ours, reason = NEITHER, str(error)
        theirs = judge(folder / name)
        alike = ours.agrees(theirs)
        counted[f"{'agree' if alike else 'DISAGREE'}: {theirs.what}"] += 1
        if not alike:
            print(f"DISAGREE {name}: here {ours} {reason}, the judge {theirs}", flush=True)
        elif reason:
            print(f"refused by both {name}: {reason}", flush=True)
    return counted


def compare_left_out(folder: Path) -> Counter[str]:
    """The same for what neither kind of project takes."""
    listings = [look_through(folder, each) for each in (images.SUFFIXES, sounds.SUFFIXES)]
    named = [{each.name: each for each in listing.refusals} for listing in listings]
    counted: Counter[str] = Counter()
    left_out = [each for name, each in named[0].items() if name in named[1]]
    for each in left_out:
        path = folder / each.name
        found = [judge(path).what for judge in (judged_picture, judged_sound)]
        wrong = found != [NEITHER.what] * 2
        counted[f"left out, {'DISAGREE' if wrong else 'agree'}"] += 1
        if wrong:
            print(f"LEFT OUT, but {found}: {each.name}: {each.reason}", flush=True)
    for group in groups(left_out):
        print(f"left out: {group.files:6,}  {group.reason}  say {group.example}", flush=True)
    return counted


def main() -> None:
    pillow_heif.register_heif_opener()
    folder = Path(sys.argv[1]).resolve()
    counted = compare_left_out(folder)
    for suffixes, read, judge in (
        (images.SUFFIXES, read_picture, judged_picture),
        (sounds.SUFFIXES, read_sound, judged_sound),
    ):
        counted += compare(folder, look_through(folder, suffixes).files, read, judge)
    for what, number in sorted(counted.items()):
        print(f"{number:7,}  {what}")
    sys.exit(any("DISAGREE" in what for what in counted))


if __name__ == "__main__":
    main()
