"""The columns of a Parquet table, read piece by piece and turned into plain numbers and texts.

For the worker process and the command line: numpy, pandas and pyarrow are imported inside the
functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.modalities import sentence_embedding, vectors
from labeling_core.modalities.cell_values import (
    MARKERS,
    is_one_of,
    is_text,
    numbers_of,
    seconds_of,
    texts_of,
    unusable,
    without_sentinels,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

BATCH_BYTES = 16_000_000
FEW = 512  # rows of a batch with texts that are read by their meaning: seconds of work
CELL_CHARS = 5_000  # the rest of a longer text is not read
HUGE = 1e30  # larger numbers are taken as this, so that sums of squares stay finite
CONVERSIONS = {
    "number": "as it is; text is read as a number, true as 1; what is none, NaN and infinity are "
    "missing",
    "date": "dates and timestamps: seconds since 1970-01-01 UTC; times: seconds since midnight; "
    "what is none, infinity, the year 9999 and 0001-01-01 are missing",
    "category": "text; missing is the empty text",
    "text": f"the first {CELL_CHARS} characters; missing is the empty text",
    vectors.WORD: "so many columns of numbers, of a list or a JSON text of one; a list of another "
    "length is missing",
    sentence_embedding.KIND: "a text as the vector of its meaning (all-MiniLM-L6-v2), in so many "
    "columns of numbers; of the empty text they are missing",
}


def batches(table: Path, names: Sequence[str], few: bool = False) -> Iterator[pa.Table]:
    """The named columns in pieces of about BATCH_BYTES, or of FEW rows, long texts cut."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(table, pre_buffer=False) as file:
        meta = file.metadata
        size = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
        # Encoded size understates repeated values, so no column counts less than 8 bytes a row.
        row = max(size / max(meta.num_rows, 1), 8 * len(names), 1)
        rows = int(min(max(BATCH_BYTES / row, 64), FEW if few else 65_536))
        for batch in file.iter_batches(rows, columns=list(names)):
            cut = {name: _cut(batch.column(name)) for name in names}
            yield pa.table(cut)


def _cut(values: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.ExtensionArray):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if is_text(values.type):
        listed = pc.and_(pc.starts_with(values, "["), pc.ends_with(values, "]"))
        cut = pc.utf8_slice_codeunits(values, 0, CELL_CHARS)
        if not pc.any(listed).as_py():
            return cut
        return pc.if_else(listed, pc.utf8_slice_codeunits(values, 0, vectors.MOST_CHARACTERS), cut)
    return values


def prepare(
    batch: pa.Table, kinds: Mapping[str, str], missing: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """The columns in ``kinds`` (name → kind), in that order, converted as CONVERSIONS says; those
    of vectors as vectors.columns_of calls them.

    ``missing`` are name → texts that stand for no value. Numbers and dates become float64 within
    ±HUGE, where missing is NaN; the others become text.
    """
    import numpy as np
    import pandas as pd

    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        column, markers = batch.column(name), (missing or {}).get(name, ())
        if width := vectors.width_of(kind):
            if vectors.is_sentence(kind):
                numbers = _embedded(column, markers)
            else:
                numbers = vectors.numbers_of(vectors.read_lists(column), width).clip(-HUGE, HUGE)
            made |= dict(zip(vectors.columns_of(name, width), numbers.T, strict=True))
            continue
        values = without_markers(column, markers)
        if kind in ("number", "date"):
            numbers = to_numbers(values, kind).to_numpy().astype(np.float64, copy=False)
            made[name] = np.where(np.isfinite(numbers), np.clip(numbers, -HUGE, HUGE), np.nan)
        else:
            made[name] = np.asarray(_texts(values), dtype=object)
    return pd.DataFrame(made, columns=pd.Index(list(made), dtype=object), copy=False)


def _texts(values: pa.ChunkedArray) -> list[str]:
    import pyarrow.compute as pc

    texts: list[str] = pc.fill_null(texts_of(values), "").to_pylist()
    return texts


def _embedded(values: pa.ChunkedArray, markers: Sequence[str]) -> np.ndarray:
    if not sentence_embedding.available():
        raise LabelingError(
            "Reading texts by their meaning is not installed here: run "
            f"{sentence_embedding.INSTALL_COMMAND}."
        )
    return sentence_embedding.embed(_texts(without_markers(values, markers)))


def to_numbers(values: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Any column as float64 by its ``kind``, number or date; what is none is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = numbers_of(values) if kind == "number" else without_sentinels(seconds_of(values))
    return pc.if_else(pc.is_finite(found), found, pa.scalar(None, pa.float64()))


def without_markers(values: pa.ChunkedArray, markers: Sequence[str]) -> pa.ChunkedArray:
    """``values``, null where a cell is one of the ``markers``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not markers or unusable(values.type):
        return values
    return pc.if_else(is_one_of(values, markers), pa.scalar(None, values.type), values)


class Cells(NamedTuple):
    """How many cells of a column hold a value, and how many of those could be read."""

    present: int
    read: int


def count_cells(values: pa.ChunkedArray, kind: str, markers: Sequence[str] = ()) -> Cells:
    """What a model that takes the column for this ``kind`` can read of it. Of texts that should
    be numbers or dates, MARKERS hold no value either."""
    import pyarrow.compute as pc

    width = 0 if vectors.is_sentence(kind) else vectors.width_of(kind)
    if width or unusable(values.type):
        read = pc.sum(vectors.whole(vectors.read_lists(values), width)).as_py() if width else 0
        return Cells(len(values) - values.null_count, read or 0)
    values = without_markers(values, markers)
    texts = texts_of(values)
    present = pc.fill_null(pc.not_equal(texts, ""), False)
    if kind not in ("number", "date"):
        number = pc.sum(present).as_py() or 0
        return Cells(number, number)
    if is_text(values.type):
        present = pc.and_(present, pc.invert(is_one_of(values, MARKERS)))
    found = numbers_of(values) if kind == "number" else seconds_of(values)
    read = pc.and_(present, pc.is_valid(found))
    return Cells(pc.sum(present).as_py() or 0, pc.sum(read).as_py() or 0)
