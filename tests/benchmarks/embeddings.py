"""How fast embeddings are computed: pictures and texts a second, beside what is usual.

Photographs (pieces of scikit-learn's two, 640 × 480 pixels, JPEG) by `classical` and by the image
embedding with one process and with two, as a project reads them; short texts (WordNet's definitions
of nouns) by TF-IDF and by the sentence embedding on one core and on two. All by turns, so that what
else the machine does falls on all alike; the medians, and what they are of the first.

Run: apt-get install -y wordnet-base
     python tests/benchmarks/embeddings.py [pictures] [texts] [rounds]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_images
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))

from texts import definitions, features, sample

from labeling_core.modalities.extraction import extract

CORES = (1, 2)


def photographs(folder: Path, number: int) -> list[str]:
    """Write so many pieces of photographs, upright or mirrored; their names."""
    rng, names = np.random.default_rng(0), list[str]()
    for at in range(number):
        whole = load_sample_images().images[at % 2]
        top, left = rng.integers(0, whole.shape[0] - 240), rng.integers(0, whole.shape[1] - 320)
        piece = Image.fromarray(whole[top : top + 240, left : left + 320]).resize((640, 480))
        names.append(f"{at}.jpg")
        piece.save(folder / names[-1], quality=90)
    return names


def pictures_a_second(names: list[str], root: Path, key: str, processes: int) -> float:
    """Once the processes run, which takes seconds: of a project of thousands that is nothing."""
    with tempfile.TemporaryDirectory() as kept:
        extract(names[:processes], root, Path(kept), key, processes=processes)
        begun = time.perf_counter()
        extract(names, root, Path(kept) / "again", key, processes=processes)
        return len(names) / (time.perf_counter() - begun)


def texts_a_second(texts: list[str], kind: str, cores: int) -> float:
    """On so many cores, in a process of its own: the network takes as many threads as it sees."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:cores]))
        with tempfile.TemporaryDirectory() as folder, threadpool_limits(cores):
            features([f"word{n % 9} word{n % 5}" for n in range(64)], kind, Path(folder))
            begun = time.perf_counter()
            features(texts, kind, Path(folder))
            os.write(write, str(len(texts) / (time.perf_counter() - begun)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(read, 100)
    os.close(read)
    os.close(write)
    return float(told)


def main() -> None:
    """Print a row for each way, with its share of the usual one on one core."""
    given = [int(each) for each in sys.argv[1:]]
    number, rows, rounds = (given + [200, 1_000, 3][len(given) :])[:3]
    texts = sample(definitions(), rows)[0]
    with tempfile.TemporaryDirectory() as folder:
        names = photographs(Path(folder), number)
        ways: dict[tuple[str, str], Callable[[], float]] = {}
        for cores in CORES:
            for key in ("images", "images_embedding"):
                ways["pictures", f"{key}, processes: {cores}"] = lambda key=key, cores=cores: (
                    pictures_a_second(names, Path(folder), key, cores)
                )
            for kind in ("text", "sentence"):
                ways["texts", f"{kind}, cores: {cores}"] = lambda kind=kind, cores=cores: (
                    texts_a_second(texts, kind, cores)
                )
        found: dict[tuple[str, str], list[float]] = {each: [] for each in ways}
        for _ in range(rounds):
            for each, measure in ways.items():
                found[each].append(measure())
    first = {what: median(found[what, way]) for what, way in reversed(ways)}
    print("| | a second | of the first |\n|---|---|---|")
    for (what, way), rates in sorted(found.items()):
        share = median(rates) / first[what]
        print(f"| {what} by {way} | {median(rates):.0f} | {share:.3f} |")


if __name__ == "__main__":
    main()
