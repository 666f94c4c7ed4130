"""How many labels recordings need when their whole band is described, and when nothing above 11 kHz
is, as before 0.3.0.

Recordings of Debian, which nobody here chose for it: strokes on drums by instrument, syllables by
language, prompts by voice and by kind, sounds and spoken names of stamps by theme and by language;
and the spoken words of the sample project. At most 1,000 of each, at random. The query strategy and
session model *automatic*, batches of 10 up to 200 labels or half of the recordings: the share of
the hold-out that is right as the mean over the curve and at its end, and the labels with which the
whole band reaches what the lower one reaches at the end.

Run: apt-get install -y hydrogen-drumkits klettres-data tuxpaint-stamps-default \
       asterisk-core-sounds-{en,es,fr,it,ru}-wav
     PYTHONPATH=. python tests/benchmarks/sounds.py [seeds] [folder in place of /usr/share]
"""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import AUTO
from labeling_core.modalities import sound_band
from labeling_core.modalities.feature_matrix import scaling
from labeling_core.simulation.labeled_data import codes, labeled_files
from labeling_core.simulation.replay import Plan, Run, labels_needed, simulate

ROWS, BUDGET, BATCH = 1_000, 200, 10
ABOVE = 3 * (len(sound_band.EDGES) - 1)  # columns, the last ones, of what is above 8 kHz
WORDS = Path(__file__).parents[2] / "data" / "spoken_words"
INSTRUMENTS = {
    "kick": r"kick|bass ?drum|\bbd",
    "snare": r"snare|\bsn|rim",
    "tom": r"tom",
    "hi-hat": r"hi-?_?hat|hh|hat",
    "cymbal": r"crash|ride|cymb|splash|china",
    "other": r"clap|cowbell|shaker|tamb|perc|bongo|conga|maraca|wood|block",
}
Recordings = list[tuple[Path, str]]  # each with its category


def drums(share: Path) -> Recordings:
    """Samples of drum kits whose name tells one instrument."""
    found = []
    for path in sorted((share / "hydrogen").rglob("*")):
        told = [name for name, words in INSTRUMENTS.items() if re.search(words, path.stem.lower())]
        if path.suffix.lower() in (".wav", ".flac") and len(told) == 1:
            found.append((path, told[0]))
    return found


def syllables(share: Path) -> Recordings:
    """Syllables of an alphabet tutor by language."""
    return [(path, path.parts[-3]) for path in sorted((share / "klettres").glob("*/syllab/*.*"))]


def prompts(share: Path, by: int) -> Recordings:
    """Prompts of a telephone system by voice (0), or digits, letters and phonetic ones (1)."""
    place = share / "asterisk" / "sounds"
    return [
        (path, parts[by])
        for path in sorted(place.rglob("*.wav"))
        for parts in [path.relative_to(place).parts]
        if by == 0 or parts[1] in ("digits", "letters", "phonetic")
    ]


def stamps(share: Path, names: bool) -> Recordings:
    """Sounds of stamps by theme, or the spoken ``names`` of stamps by language."""
    place = share / "tuxpaint" / "stamps"
    found = []
    for path in sorted(place.rglob("*.ogg")):
        named = re.search(r"_desc(?:_(\w+))?$", path.stem)
        if names and named:
            found.append((path, named[1] or "en"))
        elif not names and not named:
            found.append((path, path.relative_to(place).parts[0]))
    return found


def words(share: Path) -> Recordings:
    """The words of the sample project."""
    found = labeled_files(WORDS)
    return [(WORDS / name, label) for name, label in zip(found.files, found.labels, strict=True)]


SETS = {
    "strokes on drums, which instrument": drums,
    "spoken words (sample project)": words,
    "sounds of stamps, which theme": lambda share: stamps(share, names=False),
    "syllables, which language": syllables,
    "prompts: digit, letter or spelling word": lambda share: prompts(share, 1),
    "names of stamps, which language": lambda share: stamps(share, names=True),
    "prompts, which voice": lambda share: prompts(share, 0),
}


def described(path: Path) -> np.ndarray | None:
    """The features as the program computes them; None of what it would set aside."""
    try:
        return sound_band.features(path)
    except LabelingError:
        return None


def told(lower: list[Run], whole: list[Run]) -> str:
    """Cells of Markdown: mean and end of both, the gain ± standard error, labels needed."""
    counts = lower[0].n_labels
    curves = [np.array([run.accuracy for run in runs]) for runs in (lower, whole)]
    before, now = (each.mean(axis=0) for each in curves)
    gain = 100 * (curves[1] - curves[0]).mean(axis=1)
    error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
    needed = labels_needed(counts, now.tolist(), float(before[-1]))
    cells = [f"{100 * each.mean():.1f}, {100 * each[-1]:.1f} %" for each in (before, now)]
    reached = "–" if np.isinf(needed) else f"{needed:.0f} of {counts[-1]}"
    return " | ".join([*cells, f"{gain.mean():+.1f} ± {error:.1f}", reached])


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    share = Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share")
    rng = np.random.default_rng(0)
    print(
        "| recordings | below 11 kHz: mean, end | whole band | gain | labels to what it reached |"
    )
    print("|---|---|---|---|---|")
    for name, find in SETS.items():
        listed = find(share)
        often = {each for each, n in Counter(label for _, label in listed).items() if n >= 12}
        usable = [each for each in listed if each[1] in often]
        chosen = [usable[at] for at in rng.permutation(len(usable))[:ROWS]]
        with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
            rows = pool.map(described, [path for path, _ in chosen], chunksize=16)
        raw = np.array([row for row in rows if row is not None])
        labels = [each for row, (_, each) in zip(rows, chosen, strict=True) if row is not None]
        X, y = scaling(raw, 0)(raw), codes(labels)
        plan = Plan(["auto"], BATCH, min(BUDGET, len(y) // 2 // BATCH * BATCH), seeds, AUTO)
        lower = np.ascontiguousarray(X[:, :-ABOVE])
        both = told(simulate(lower, y, plan), simulate(X, y, plan))
        print(f"| {len(y)}: {name}, {y.max() + 1} | {both} |", flush=True)


if __name__ == "__main__":
    main()
