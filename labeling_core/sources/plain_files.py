"""A plain file with one table, made of a file that holds tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.sources.import_errors import file_error

# What stands for a missing value in a column of numbers or dates.
MARKERS = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "-", "?", "."})


class Plain(NamedTuple):
    """A file with one table, what it is called, and what was done to it, in sentences."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()


def chosen_part(name: str, parts: Sequence[str], part: str) -> str:
    """``part``, or the only one; LabelingError (``field="part"``) where one has to be chosen."""
    if part in parts or (not part and not parts):
        return part
    if not part and len(parts) == 1:
        return parts[0]
    if not parts:
        raise LabelingError(f"“{name}” is one table and holds no “{part}” to choose.", "part")
    listed = ", ".join(f"“{each}”" for each in parts[:20]) + (" …" if len(parts) > 20 else "")
    if not part:
        raise LabelingError(f"“{name}” holds {len(parts)} tables: choose one of {listed}.", "part")
    raise LabelingError(f"“{name}” holds no “{part}”: choose one of {listed}.", "part")


def damaged(name: str) -> LabelingError:
    """The error that a file is cut off, or broken inside."""
    return file_error(name, "is cut off or damaged; copy or export it again")
