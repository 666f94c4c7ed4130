"""What a model could read of a table: counted column by column while it predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labeling_core.errors import LabelingError
from labeling_core.modalities import vectors
from labeling_core.modalities.cell_values import texts_of
from labeling_core.modalities.table_columns import count_cells, without_markers

if TYPE_CHECKING:
    import pyarrow as pa

WARNING_SHARE = 0.05  # more cells than this that cannot be read are warned of
_WORDS = {
    "number": "numbers (such as 1.5)",
    "date": "dates (such as 2022-03-15)",
    "category": "texts",
    "text": "texts",
}


def _needed(kind: str) -> str:
    if vectors.is_sentence(kind):
        return _WORDS["text"]
    width = vectors.width_of(kind)
    return f"lists of {width:,} numbers" if width else _WORDS[kind]


@dataclass
class ReadColumn:
    """Of ``rows`` cells ``present`` hold a value and ``read`` could be read; ``unseen`` have a
    category that the model has never met."""

    name: str
    kind: str
    rows: int = 0
    present: int = 0
    read: int = 0
    unseen: int = 0

    def __str__(self) -> str:
        text = f"{self.name}: {self.read:,} of {self.present:,} read"
        if self.rows > self.present:
            text += f", {self.rows - self.present:,} missing"
        if self.unseen:
            text += f", {self.unseen:,} with a category never seen in training"
        return text

    @property
    def warning(self) -> str:
        """A sentence on cells that could not be read; empty if they are few."""
        unread = self.present - self.read
        if unread <= WARNING_SHARE * self.present:
            return ""
        return (
            f"{unread:,} of {self.present:,} values in the column “{self.name}” are no "
            f"{_needed(self.kind)}, which the model needs; they count as missing."
        )


class ReadingReport:
    """Counts what a model with these ``features`` (see its card) reads of a table."""

    def __init__(self, features: Mapping[str, Any], pipeline: Any) -> None:
        self.columns = [ReadColumn(*each) for each in features["columns"].items()]
        self._missing = features.get("missing", {})
        self._known = _known_categories(pipeline)

    def add(self, batch: pa.Table) -> None:
        """Count the cells of further rows."""
        for each in self.columns:
            values, markers = batch.column(each.name), self._missing.get(each.name, ())
            cells = count_cells(values, each.kind, markers)
            each.rows += len(values)
            each.present += cells.present
            each.read += cells.read
            if each.name in self._known:
                each.unseen += _unseen(without_markers(values, markers), self._known[each.name])

    def require_readable(self) -> None:
        """Raise LabelingError for a column of which nothing could be read."""
        for each in self.columns:
            if each.present and not each.read:
                raise LabelingError(
                    f"None of the {each.present:,} values in the column “{each.name}” could be "
                    f"read: the model needs {_needed(each.kind)} there. Write them like that, or "
                    "empty the column to have it count as missing."
                )


def _known_categories(pipeline: Any) -> dict[str, list[str]]:
    """Name → what the model has met, of the columns that it takes for categories."""
    known: dict[str, list[str]] = {}
    steps = dict(pipeline.steps)
    for name, encoder, columns in getattr(steps.get("features"), "transformers_", ()):
        if name == "categories":
            known |= {
                each: list(found) for each, found in zip(columns, encoder.categories_, strict=True)
            }
    return known


def _unseen(values: pa.ChunkedArray, known: Iterable[str]) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts_of(values)
    strange = pc.invert(pc.is_in(texts, value_set=pa.array([*known, ""], pa.string())))
    return pc.sum(pc.and_(pc.is_valid(texts), strange)).as_py() or 0


def sentences(
    columns: Sequence[ReadColumn], renamed: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """What to say of them, and what to warn of."""
    told = [str(each) for each in columns]
    told += [
        f"The column “{old}” is called “{new}” in the result: the first name is taken there."
        for old, new in renamed.items()
    ]
    return told, [each.warning for each in columns if each.warning]
