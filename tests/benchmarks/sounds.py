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
import time
from collections import Counter
from pathlib import Path

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import AUTO, predict_probabilities
from labeling_core.modalities import sound_band
from labeling_core.modalities.feature_matrix import scaling
from labeling_core.simulation.labeled_data import codes, labeled_files
from labeling_core.simulation.replay import HOLDOUT, Plan, labels_needed, sessions, split

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


def replay(X: np.ndarray, y: np.ndarray, seed: int) -> list[float]:
    """The share of the hold-out that is right after each batch."""
    from threadpoolctl import threadpool_limits

    pool, test = split(y, HOLDOUT, seed)
    plan = Plan(["auto"], BATCH, min(BUDGET, len(y) // 2 // BATCH * BATCH), 1, AUTO)
    classes, right = int(y.max()) + 1, []
    with threadpool_limits(1):
        for _, seen, model in sessions(X, y, pool, "auto", seed, plan):
            taken = np.full(len(test), seen[0])
            if model is not None:
                taken = predict_probabilities(model, X[test], classes).argmax(axis=1)
            right.append(float((taken == y[test]).mean()))
    return right


def told(curves: dict[str, np.ndarray]) -> str:
    """Cells of Markdown: mean and end of both, the gain ± standard error, labels needed."""
    means = {kind: each.mean(axis=0) for kind, each in curves.items()}
    gain = 100 * (curves["whole"] - curves["lower"]).mean(axis=1)
    counts = [BATCH * (at + 1) for at in range(len(means["lower"]))]
    needed = labels_needed(counts, means["whole"].tolist(), float(means["lower"][-1]))
    cells = [f"{100 * each.mean():.1f}, {100 * each[-1]:.1f} %" for each in means.values()]
    error = gain.std(ddof=1) / len(gain) ** 0.5 if len(gain) > 1 else 0.0
    return " | ".join(
        [*cells, f"{gain.mean():+.1f} ± {error:.1f}", f"{needed:.0f} of {counts[-1]}"]
    )


def main() -> None:
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
    share = Path(sys.argv[2] if len(sys.argv) > 2 else "/usr/share")
    rng = np.random.default_rng(0)
    print(
        "| recordings | below 11 kHz: mean, end | whole band | gain | labels to the former's end |"
    )
    print("|---|---|---|---|---|")
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        for name, find in SETS.items():
            listed = find(share)
            often = {each for each, n in Counter(label for _, label in listed).items() if n >= 12}
            usable = [each for each in listed if each[1] in often]
            chosen = [usable[at] for at in rng.permutation(len(usable))[:ROWS]]
            begun = time.perf_counter()
            rows = pool.map(described, [path for path, _ in chosen], chunksize=16)
            seconds = time.perf_counter() - begun
            both = [
                (row, label)
                for row, (_, label) in zip(rows, chosen, strict=True)
                if row is not None
            ]
            raw, y = (
                np.array([row for row, _ in both]),
                codes(np.array([label for _, label in both])),
            )
            X = scaling(raw, 0)(raw)
            kinds = {"lower": np.ascontiguousarray(X[:, :-ABOVE]), "whole": X}
            curves = {
                kind: np.array(pool.starmap(replay, [(each, y, seed) for seed in seeds]))
                for kind, each in kinds.items()
            }
            print(f"| {len(y)}: {name}, {y.max() + 1} | {told(curves)} |", flush=True)
            print(f"{len(y) / seconds:.0f} a second", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
