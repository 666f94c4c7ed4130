"""The columns of a Parquet table, read piece by piece and turned into plain numbers and texts.

For the worker process and the command line: numpy, pandas and pyarrow are imported inside the
functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

BATCH_BYTES = 16_000_000
CELL_CHARS = 5_000  # the rest of a longer text is not read
HUGE = 1e30  # larger numbers are taken as this, so that sums of squares stay finite
CONVERSIONS = {
    "number": "as it is; text is read as a number; NaN and infinity are missing",
    "date": "dates and timestamps: seconds since 1970-01-01 UTC; times: seconds since midnight",
    "category": "text; missing is the empty text",
    "text": f"the first {CELL_CHARS} characters; missing is the empty text",
}
NUMBER = r"^-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?$"
ISO_DATE = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?$"


def batches(table: Path, names: Sequence[str]) -> Iterator[pa.Table]:
    """The named columns in pieces of about BATCH_BYTES, long texts cut."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(table, pre_buffer=False) as file:
        meta = file.metadata
        size = sum(meta.row_group(at).total_byte_size for at in range(meta.num_row_groups))
        # Encoded size understates repeated values, so no column counts less than 8 bytes a row.
        row = max(size / max(meta.num_rows, 1), 8 * len(names), 1)
        rows = int(min(max(BATCH_BYTES / row, 64), 65_536))
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
        return pc.utf8_slice_codeunits(values, 0, CELL_CHARS)
    return values


def prepare(batch: pa.Table, kinds: dict[str, str]) -> pd.DataFrame:
    """The columns in ``kinds`` (name → kind), in that order, converted as CONVERSIONS says.

    Numbers and dates become float64 within ±HUGE, where missing is NaN; the others become text.
    """
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    made: dict[str, Any] = {}
    for name, kind in kinds.items():
        values = batch.column(name)
        if kind in ("number", "date"):
            numbers = to_numbers(values).to_numpy().astype(np.float64, copy=False)
            made[name] = np.where(np.isfinite(numbers), np.clip(numbers, -HUGE, HUGE), np.nan)
        else:
            texts = pc.fill_null(pc.utf8_trim_whitespace(pc.cast(values, pa.string())), "")
            made[name] = np.asarray(texts.to_pylist(), dtype=object)
    return pd.DataFrame(made, columns=pd.Index(list(kinds), dtype=object), copy=False)


def to_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as float64; NaN, infinity and what is no number are null.

    Dates and durations become seconds, as CONVERSIONS says.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if is_text(kind):
        stripped = pc.utf8_trim_whitespace(values)
        numbers = pc.coalesce(text_numbers(stripped), text_dates(stripped))
    elif pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        numbers = _seconds(values)
    elif pa.types.is_time(kind) or pa.types.is_duration(kind):
        unit = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit]
        whole = pa.int32() if kind.bit_width == 32 else pa.int64()
        numbers = pc.divide(pc.cast(pc.cast(values, whole), pa.float64()), unit)
    elif unusable(kind) or pa.types.is_interval(kind):
        numbers = pa.chunked_array([pa.nulls(len(values), pa.float64())])
    elif pa.types.is_boolean(kind):
        numbers = pc.cast(pc.cast(values, pa.int8()), pa.float64())
    else:
        numbers = pc.cast(values, pa.float64(), safe=False)
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text, once :func:`batches` has read them."""
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def unusable(kind: pa.DataType) -> str:
    """Why values of this type can be no feature; the empty text if they can."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_nested(kind):
        return "holds nested values"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "holds binary values"
    if pa.types.is_fixed_size_binary(kind):
        return "holds ids"
    return ""


def _seconds(values: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    moments = pc.cast(values, pa.timestamp("us"), safe=False)
    return pc.divide(pc.cast(pc.cast(moments, pa.int64()), pa.float64()), 1e6)


def text_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stripped texts as float64, null where they are no number; one comma is a decimal mark."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(values, r"^\+", "")
    plain = pc.replace_substring(plain, ",", ".")
    # With leading zeros it is an id; a lone point or sign has no digit.
    number = pc.and_(
        pc.match_substring_regex(plain, NUMBER), pc.match_substring_regex(plain, r"^-?\.?\d")
    )
    return pc.cast(pc.if_else(number, plain, pa.scalar(None, plain.type)), pa.float64())


def text_dates(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stripped texts that are ISO dates as seconds since 1970-01-01 UTC, null elsewhere."""
    import pyarrow as pa
    import pyarrow.compute as pc

    none = pa.scalar(None, values.type)
    dates = pc.if_else(pc.match_substring_regex(values, ISO_DATE), values, none)
    try:
        return _seconds(pc.cast(dates, pa.timestamp("s")))
    except pa.ArrowInvalid:  # such as a thirteenth month
        return pa.chunked_array([pa.nulls(len(values), pa.float64())])
