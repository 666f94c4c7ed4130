"""Makes the sample folders ``digits`` and ``spoken_words`` beside this file.

Run from the project: ``python data/make_samples.py`` (needs scikit-learn and, for the words,
the program espeak-ng). README.md tells the sources and licences.
"""

from __future__ import annotations

import csv
import random
import subprocess
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
import soxr
from PIL import Image
from sklearn.datasets import load_digits

HERE = Path(__file__).resolve().parent
WORDS = ("yes", "no", "up", "down", "left", "right", "stop", "go", "on", "off")
LANGUAGES = ("en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbcwmd")
SPEAKERS = ("m1", "m2", "m3", "m4", "m5", "m7", "f1", "f2", "f3", "f4")
CLIPS_PER_WORD = 40


def main() -> None:
    write_answers(HERE / "digits", make_digits(HERE / "digits"))
    write_answers(HERE / "spoken_words", make_words(HERE / "spoken_words"))


def make_digits(folder: Path) -> dict[str, str]:
    """The 1,797 digits of scikit-learn, 8 × 8 pixels of 17 greys, dark on light."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    answers = {}
    for number, (pixels, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        name = f"digit_{number:04d}.png"
        grey = np.rint(255 - pixels * 255 / 16).astype(np.uint8)
        Image.fromarray(grey).save(folder / name, optimize=True)
        answers[name] = str(digit)
    return answers


def make_words(folder: Path) -> dict[str, str]:
    """Each word by many voices: speaker, accent, pitch, speed, loudness, silence and noise are
    drawn at random (seeded). OGG/Vorbis, mono, 16 kHz."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    plan = [word for word in WORDS for _ in range(CLIPS_PER_WORD)]
    draw.shuffle(plan)
    answers = {}
    for number, word in enumerate(plan):
        name = f"clip_{number:03d}.ogg"
        signal, rate = spoken(word, draw)
        soundfile.write(folder / name, signal, rate, format="OGG", compression_level=0.7)
        answers[name] = word
    return answers


def spoken(word: str, draw: random.Random) -> tuple[np.ndarray, int]:
    """One clip (float32 in -1..1, at 16,000 Hz) and its rate."""
    voice = f"{draw.choice(LANGUAGES)}+{draw.choice(SPEAKERS)}"
    options = ["-v", voice, "-p", str(draw.randint(25, 75)), "-s", str(draw.randint(130, 190))]
    command = ["espeak-ng", *options, "--stdout", word]
    wave = subprocess.run(command, check=True, capture_output=True).stdout
    # Written to a pipe, the header cannot know its length.
    signal, rate = soundfile.read(BytesIO(wave), dtype="float32")
    signal = soxr.resample(signal, rate, 16_000)
    loud = np.flatnonzero(np.abs(signal) > 0.01)
    signal = signal[loud[0] : loud[-1] + 1]
    before, after = (np.zeros(int(draw.uniform(0.02, 0.12) * 16_000)) for _ in range(2))
    signal = np.concatenate([before, signal, after]) * (draw.uniform(0.3, 0.9) / abs(signal).max())
    noise = np.random.default_rng(draw.randrange(2**32)).normal(size=signal.size)
    return (signal + noise * draw.uniform(0.0005, 0.006)).astype("float32"), 16_000


def write_answers(folder: Path, answers: dict[str, str]) -> None:
    """answers.csv: path, label. It is for checking and demonstrations; labeling never reads it."""
    with (folder / "answers.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "label"])
        writer.writerows(sorted(answers.items()))


if __name__ == "__main__":
    main()
