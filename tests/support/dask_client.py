"""A program that asks a Dask cluster, with packages that the tests' own process must not have.

``extract ROOT OUT FEATURES`` tells the number of files done, a line each; ``simulate`` the runs as
JSON; ``call FUNCTION SECONDS`` calls a function of operator on (1, 0).
"""

from __future__ import annotations

import json
import operator
import sys
from pathlib import Path

import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.learning import pieces
from labeling_core.modalities import extraction
from labeling_core.modalities.extraction import Progress, extract
from labeling_core.simulation.replay import Plan, simulate

PLAN = Plan(("margin", "random"), batch=5, budget=15, seeds=2, classifier="logistic_regression")


def runs() -> str:
    """A small simulation."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 200)
    X = (rng.normal(size=(200, 8)) + y[:, None]).astype(np.float32)
    return json.dumps([each._asdict() for each in simulate(X, y, PLAN)])


def files_of(root: Path) -> list[str]:
    return sorted(each.name for each in root.iterdir())


def _tell(now: Progress) -> None:
    print(now.done, flush=True)


def main() -> None:
    what, *words = sys.argv[1:]
    try:
        if what == "extract":
            extraction._PIECE = 2
            root = Path(words[0])
            extract(files_of(root), root, Path(words[1]), words[2], _tell)
        elif what == "simulate":
            print(runs())
        else:
            asked = [(1, 0)]
            print(list(pieces.done(getattr(operator, words[0]), asked, 1, float(words[1]))))
    except LabelingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
