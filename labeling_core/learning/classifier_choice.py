"""What the classifier ``auto`` stands for: the weights of its parts, and when they are renewed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.learning.classifiers import AUTO, is_known, mixed, weights_of
from labeling_core.learning.part_weights import weigh

GROWTH = 1.3  # the weights are found anew when there are so many times the labels


class Choice(NamedTuple):
    """What was chosen (a name for ``classifiers.fit``), when there were so many ``labels``."""

    classifier: str
    labels: int


def choose(
    name: str,
    X: NDArray[np.float32],
    y: NDArray[np.integer],
    seed: int,
    before: Choice | None = None,
    groups: NDArray[np.integer] | None = None,
) -> Choice:
    """Find the weights of ``auto`` on features ``X`` [n, d] and class codes ``y`` [n]; other names
    stay.

    Those found ``before`` stay until the labels have grown by GROWTH. ``groups`` [n]: samples of
    one group, as windows of one recording, do not judge what another one of it taught. The same
    arguments give the same choice.
    """
    if name != AUTO:
        return Choice(name, len(y))
    if before is not None and weights_of(before.classifier) and len(y) < GROWTH * before.labels:
        return before
    return Choice(mixed(weigh(X, y, seed, groups)), len(y))


def remember(choice: Choice, path: Path) -> None:
    """Keep a choice for the next session."""
    path.write_text(json.dumps(choice), encoding="utf-8", newline="\n")


def remembered(path: Path) -> Choice | None:
    """What :func:`remember` kept; None if that is nothing, or nothing this program knows."""
    try:
        name, labels = json.loads(path.read_text(encoding="utf-8"))
        return Choice(name, int(labels)) if is_known(name) else None
    except (OSError, ValueError, TypeError):
        return None
