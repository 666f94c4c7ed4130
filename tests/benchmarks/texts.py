"""How many labels texts need by their words (TF-IDF) and by their meaning (sentence embedding).

Texts of Debian, which nobody here wrote: short descriptions of packages by section, long ones by
section, sayings by their collection (package `fortunes`), definitions of nouns by what kind of
thing they are, animal, food, place … (WordNet's lexicographer files, package `wordnet-base`). For
each number of labels, drawn at random, the share of the other texts that logistic regression gets
right, both on the features as the program computes them; and the labels with which the meaning
reaches what the words reach with the most labels.

Run: apt-get install -y fortunes wordnet-base; python tests/benchmarks/texts.py [rows] [draws]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parents[2]))

from labeling_core.modalities.tabular import fit_features

LABELS = (10, 20, 30, 50, 70, 100, 140, 200)
FORTUNES = Path("/usr/share/games/fortunes")
NOUNS = Path("/usr/share/wordnet/data.noun")
Texts = list[tuple[str, str]]  # each with its class


def packages(long: bool) -> Texts:
    """Descriptions of Debian's packages with their section."""
    told = subprocess.run(
        ["apt-cache", "dumpavail"], capture_output=True, encoding="utf-8", check=True
    ).stdout
    found = []
    for each in told.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in each.splitlines():
            if line[:1] == " ":
                fields[name] += "\n" + line.strip()
            else:
                name, _, fields[name] = line.partition(": ")
        text = fields.get("Description", "")
        text = text.partition("\n")[2] if long else text.partition("\n")[0]
        if text and "Section" in fields:
            found.append((text, fields["Section"].rpartition("/")[2]))
    return found


def sayings() -> Texts:
    """Fortunes with the file that they stand in."""
    return [
        (text.strip(), file.name)
        for file in sorted(FORTUNES.iterdir())
        if file.suffix == "" and file.is_file()
        for text in file.read_text("utf-8", errors="replace").split("\n%\n")
        if text.strip()
    ]


def definitions() -> Texts:
    """Definitions of nouns, without their examples, with the number of the file they are from."""
    lines = NOUNS.read_text("utf-8").splitlines()
    synsets = (each.partition(" | ") for each in lines if not each.startswith("  "))  # licence
    return [(gloss.partition('; "')[0].strip(), head.split()[1]) for head, _, gloss in synsets]


def sample(texts: Texts, rows: int) -> tuple[list[str], np.ndarray]:
    """``rows`` different texts of the classes that have enough of them, at random, and codes."""
    different = list(dict(texts).items())
    common = [name for name, n in Counter(c for _, c in different).most_common(20) if n >= 50]
    usable = [each for each in different if each[1] in common]
    order = np.random.default_rng(0).permutation(len(usable))[:rows]
    chosen = [usable[at] for at in order]
    return [text for text, _ in chosen], np.array([common.index(name) for _, name in chosen])


def features(texts: list[str], kind: str, folder: Path) -> np.ndarray:
    """The matrix of these texts as a column of that kind."""
    pq.write_table(pa.table({"text": texts}), folder / "table.parquet")
    said = {"text": {"kind": kind, "missing": None}}
    return np.array(fit_features(folder / "table.parquet", folder / kind, chosen=said).matrix)


def curve(X: np.ndarray, y: np.ndarray, draws: int) -> np.ndarray:
    """The accuracy on the rest for each of LABELS, as the mean of ``draws``."""
    shares = np.zeros((draws, len(LABELS)))
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(y))
        for at, n in enumerate(LABELS):
            model = LogisticRegression(max_iter=1000).fit(X[order[:n]], y[order[:n]])
            shares[draw, at] = model.score(X[order[n:]], y[order[n:]])
    return shares.mean(axis=0)


def main() -> None:
    """Print a row for each set and kind."""
    warnings.filterwarnings("ignore", message="The number of unique classes")  # of few labels
    rows, draws = ([int(each) for each in sys.argv[1:]] + [2_000, 10][len(sys.argv) - 1 :])[:2]
    sets = {
        "packages, one line": packages(long=False), "packages, in full": packages(long=True),
        "sayings": sayings(), "definitions": definitions(),
    }  # fmt: skip
    print("| texts | classes | read by | " + " | ".join(map(str, LABELS)) + " | s |")
    for name, texts in sets.items():
        chosen, y = sample(texts, rows)
        if len(chosen) < 2 * max(LABELS):  # apt may be told to load no long descriptions
            print(f"{name} left out: there are {len(chosen)} texts on this machine")
            continue
        reached = 0.0
        for kind, called in (("text", "words"), ("sentence", "meaning")):
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                X = features(chosen, kind, Path(folder))
                seconds = time.perf_counter() - start
            shares = curve(X, y, draws)
            told = " | ".join(f"{each:.1%}" for each in shares)
            print(f"| {name} | {len(set(y))} | {called} | {told} | {seconds:.0f} |", flush=True)
            if kind == "text":
                reached = shares[-1]
            else:
                needed = np.interp(reached, np.maximum.accumulate(shares), LABELS)
                print(f"the meaning reaches the words' last share with {needed:.0f} labels")


if __name__ == "__main__":
    main()
