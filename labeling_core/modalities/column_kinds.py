"""What kind of feature each column of a table is, judged by its first rows.

A kind is one of "number", "date", "category" and "text"; a column that would teach nothing, or
would tell the answer, is left out for a reason that a person can read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labeling_core.modalities.table_columns import (
    batches,
    is_text,
    text_dates,
    text_numbers,
    to_numbers,
    unusable,
)

if TYPE_CHECKING:
    import pyarrow as pa

FIT_ROWS = 200_000
FIT_CELLS = 8_000_000  # fewer rows are fitted on a table with many columns
FIT_BYTES = 150_000_000
MAX_COLUMNS = 400


def find_kinds(
    table: Path, exclude: Sequence[str]
) -> tuple[dict[str, str], dict[str, str], pa.Table]:
    """Name → kind, name → reason for being left out, and the first rows to fit on.

    Columns in ``exclude`` are left out; the rows hold all those whose type can be a feature.
    """
    import pyarrow.parquet as pq

    schema, total = pq.read_schema(table), pq.read_metadata(table).num_rows
    reasons = {
        field.name: "is not a feature by choice" if field.name in exclude else unusable(field.type)
        for field in schema
    }
    kinds: dict[str, str] = {}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    sample = _first_rows(table, [name for name in reasons if name not in left_out])
    for name in sample.column_names:
        kind, reason = _kind(sample.column(name), total)
        if kind and len(kinds) == MAX_COLUMNS:
            kind, reason = "", f"comes after the first {MAX_COLUMNS} usable columns"
        if kind:
            kinds[name] = kind
        else:
            left_out[name] = reason
    return kinds, left_out, sample


def _first_rows(table: Path, names: Sequence[str]) -> pa.Table:
    """As many first rows of the named columns as are enough, and not too much, to fit on."""
    import pyarrow as pa

    limit = max(1_000, min(FIT_ROWS, FIT_CELLS // max(len(names), 1)))
    parts: list[pa.Table] = []
    rows = size = 0
    for batch in batches(table, names) if names else ():
        parts.append(batch.slice(0, limit - rows))
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= limit or size >= FIT_BYTES:
            break
    return pa.concat_tables(parts) if parts else pa.table({})


def _kind(values: pa.ChunkedArray, total: int) -> tuple[str, str]:
    """The kind of a column by its first values, or "" and the reason for leaving it out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if is_text(values.type):
        return _kind_of_text(values)
    date = pa.types.is_temporal(values.type)
    numbers = to_numbers(values)
    present = pc.drop_null(numbers)
    if not len(present):
        return "", "has no values"
    span = pc.max(present).as_py() - pc.min(present).as_py()
    if not span and len(present) == len(values):
        return "", "has the same value everywhere"
    # All different within a range no wider than the table: a count of the rows, and where the
    # source was sorted by class it would tell the class.
    dense = pa.types.is_integer(values.type) and span < 1.05 * max(total, 20)
    if dense and pc.count_distinct(present).as_py() == len(values) >= 20:
        return "", "only numbers the rows"
    return ("date" if date else "number"), ""


def _kind_of_text(values: pa.ChunkedArray) -> tuple[str, str]:
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(values)
    present = stripped.filter(pc.fill_null(pc.not_equal(stripped, ""), False))
    count, different = len(present), pc.count_distinct(present).as_py()
    if not count:
        return "", "has no values"
    if different + (count < len(values)) < 2:
        return "", "has the same value everywhere"
    # A few words among numbers ("n/a", "unknown") are missing values.
    for kind, numbers in (("number", text_numbers(present)), ("date", text_dates(present))):
        read = len(numbers) - numbers.null_count
        if read >= 0.9 * count and pc.count_distinct(pc.drop_null(numbers)).as_py() > 1:
            return kind, ""
    if different <= 32 and different <= count / 2:
        return "category", ""
    words = pc.mean(pc.add(pc.count_substring_regex(present, r"\s+"), 1)).as_py()
    foreign = pc.mean(pc.cast(pc.invert(pc.string_is_ascii(present)), "int8")).as_py()
    length = pc.mean(pc.utf8_length(present)).as_py()
    # Some scripts put no spaces between words.
    if words >= 3 or (foreign > 0.5 and length >= 15):
        return "text", ""
    if different >= 0.95 * count:
        return "", "has another value in nearly every row, like an id"
    return "category", ""
