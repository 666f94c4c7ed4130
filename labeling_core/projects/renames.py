"""What categories were called before: names of the past followed to those of today."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.store import events


class Rename(NamedTuple):
    """From this event of the log on, ``old`` is called ``new``, or was merged into it."""

    event_id: int
    happened: datetime
    old: str
    new: str


def read_renames(cursor: duckdb.DuckDBPyConnection, project_id: str) -> list[Rename]:
    """All renames and merges of a project's categories, first to last."""
    return [
        Rename(each.event_id, each.happened, each.old, each.new)
        for each in events.category_changes(cursor, project_id)
        if each.change in ("rename", "merge") and each.new is not None
    ]


def follow(renames: Sequence[Rename], name: str) -> str:
    """What ``name`` is called after these renames."""
    for each in renames:
        if each.old == name:
            name = each.new
    return name


def fold(
    classes: Sequence[str], probabilities: NDArray[np.float32], renames: Sequence[Rename]
) -> tuple[list[str], NDArray[np.float32]]:
    """An older model's ``probabilities`` [n, classes] by today's categories.

    Columns of categories that were merged since are summed.
    """
    today = [follow(renames, name) for name in classes]
    names = list(dict.fromkeys(today))
    if len(names) == len(classes):
        return names, probabilities
    folded = np.zeros((len(probabilities), len(names)), np.float32)
    for column, name in enumerate(today):
        folded[:, names.index(name)] += probabilities[:, column]
    return names, folded
