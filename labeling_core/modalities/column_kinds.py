"""What kind of feature each column of a table is, judged by its first rows.

A kind is one of KINDS, or as of vectors.py; a column that would teach nothing, or would tell the
answer, is left out for a reason that a person can read. What a person has said of a column goes
before what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from labeling_core.errors import LabelingError
from labeling_core.modalities import sentence_embedding, vectors
from labeling_core.modalities.cell_values import (
    MARKERS,
    is_date,
    is_one_of,
    is_text,
    text_dates,
    text_numbers,
    texts_of,
    unusable,
)
from labeling_core.modalities.table_columns import batches, to_numbers, without_markers

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = {"number": "a number", "date": "a date", "category": "a category", "text": "a text",
         "sentence": "a text to be read by its meaning"}  # fmt: skip
FIT_ROWS = 200_000
FIT_CELLS = 8_000_000  # fewer rows are fitted on a table with many columns
FIT_BYTES = 150_000_000
FIT_TEXTS = 5_000  # rows to fit on where texts are read by their meaning
MAX_COLUMNS = 400
BY_CHOICE = "is not a feature by choice"


class Found(NamedTuple):
    """What the first ``rows`` of a table show: ``kinds`` name → kind of what is used, ``missing``
    name → texts that stand for no value there, ``left_out`` name → reason of what is not used."""

    kinds: dict[str, str]
    missing: dict[str, list[str]]
    left_out: dict[str, str]
    rows: pa.Table


def find_kinds(
    table: Path,
    exclude: Sequence[str] | Mapping[str, str],
    chosen: Mapping[str, Mapping[str, Any]] | None = None,
    total: int = 0,
    told: Callable[[float], None] = lambda share: None,
) -> Found:
    """Judge the columns of the Parquet file ``table``.

    Columns in ``exclude`` (names, or name → reason) are left out; the rows hold all those whose
    type can be a feature. ``chosen`` is name → ``kind`` and ``missing`` as a person has said it
    (see settings.Column). ``total`` is how many rows there are in all, where the table holds only
    some of them. ``told`` is given the share (0..1) that is done.
    Raises LabelingError for a kind that a column cannot be taken for.
    """
    import pyarrow.parquet as pq

    total = max(total, pq.read_metadata(table).num_rows)
    by_choice = exclude if isinstance(exclude, Mapping) else dict.fromkeys(exclude, BY_CHOICE)
    said = chosen or {}
    usable, left_out = _usable(pq.read_schema(table), by_choice, said)
    kinds: dict[str, str] = {}
    missing: dict[str, list[str]] = {}
    embedded = any(said.get(each, {}).get("kind") == sentence_embedding.KIND for each in usable)
    most = FIT_TEXTS if embedded else FIT_ROWS
    sample = _first_rows(table, usable, most, lambda share: told(share / 2))
    for at, name in enumerate(sample.column_names):
        told((1 + at / sample.num_columns) / 2)
        own = said.get(name, {})
        kind, reason, markers = _judge(name, sample.column(name), total, own)
        if kind and len(kinds) == MAX_COLUMNS:
            kind, reason = "", f"comes after the first {MAX_COLUMNS} usable columns"
        if kind:
            kinds[name] = kind
        else:
            left_out[name] = reason
        if kind and markers:
            missing[name] = markers
    return Found(kinds, missing, left_out, sample)


def _usable(
    schema: pa.Schema, by_choice: Mapping[str, str], said: Mapping[str, Mapping[str, Any]]
) -> tuple[list[str], dict[str, str]]:
    """The columns whose type can be a feature, and name → reason of the others."""
    usable, left_out = [], {}
    for field in schema:
        listed = vectors.holds_vectors(field.type)
        reason = by_choice.get(field.name) or (not listed and unusable(field.type)) or ""
        if not reason:
            usable.append(field.name)
            continue
        left_out[field.name] = reason
        kind = said.get(field.name, {}).get("kind")
        if kind and field.name not in by_choice:
            raise _no_such_kind(field.name, kind, f"it {reason}")
    return usable, left_out


def _judge(
    name: str, values: pa.ChunkedArray, total: int, own: Mapping[str, Any]
) -> tuple[str, str, list[str]]:
    """Kind and reason as of _kind, or as the person has said it, and the missing markers."""
    if vectors.holds_vectors(values.type):
        if own.get("kind"):
            raise _no_such_kind(name, own["kind"], "it holds lists of numbers")
        return *vectors.judge(values), []
    said = own.get("missing")
    markers = list(said or ())
    values = without_markers(values, markers)
    if own.get("kind"):
        return *_said_kind(name, values, own["kind"]), markers
    if not is_text(values.type):
        return *_kind(values, total), markers
    if vectors.are_lists(values) and (kind := vectors.judge(vectors.read_lists(values))[0]):
        return kind, "", markers
    kind, reason = _kind_of_text(values, MARKERS if said is None else ())
    if said is None and kind in ("number", "date"):
        markers = _markers_in(values)
    return kind, reason, markers


def _said_kind(name: str, values: pa.ChunkedArray, kind: str) -> tuple[str, str]:
    """The kind that a person has said, or "" and the reason for leaving the column out."""
    import pyarrow.compute as pc

    texts = texts_of(values)
    present = texts.filter(pc.fill_null(pc.not_equal(texts, ""), False))
    if not len(present):
        return "", "has no values"
    if pc.count_distinct(present).as_py() + (len(present) < len(values)) < 2:
        return "", "has the same value everywhere"
    if kind in ("number", "date"):
        read = pc.drop_null(to_numbers(values, kind))
        if not len(read):
            raise _no_such_kind(name, kind, f"none of its values is one, such as “{present[0]}”")
        if len(read) == len(values) and pc.min(read) == pc.max(read):
            return "", "has the same value everywhere"
    elif kind == "category" and pc.count_distinct(present).as_py() == len(present):
        return "", "has no value that occurs twice"
    elif kind == sentence_embedding.KIND:
        return f"{kind} {sentence_embedding.WIDTH}", ""
    return kind, ""


def _no_such_kind(name: str, kind: str, reason: str) -> LabelingError:
    return LabelingError(
        f"The column “{name}” cannot be taken for {KINDS.get(kind, kind)}: {reason}. Choose "
        "another kind for it, or none, in the settings of the project.",
        "source",
    )


def _markers_in(values: pa.ChunkedArray) -> list[str]:
    """Those of MARKERS that the texts hold."""
    import pyarrow.compute as pc

    found = values.filter(is_one_of(values, MARKERS))
    return sorted(pc.unique(pc.utf8_trim_whitespace(found)).to_pylist())


def _first_rows(
    table: Path, names: Sequence[str], most: int, told: Callable[[float], None]
) -> pa.Table:
    """As many first rows of the named columns as are enough, and not too much, to fit on."""
    import pyarrow as pa

    limit, parts = most, list[pa.Table]()
    rows = size = 0
    for batch in batches(table, names) if names else ():
        if not parts:
            limit = max(1_000, min(most, FIT_CELLS // _cells(batch)))
        parts.append(batch.slice(0, limit - rows))
        rows, size = rows + batch.num_rows, size + batch.nbytes
        told(min(max(rows / limit, size / FIT_BYTES), 1.0))
        if rows >= limit or size >= FIT_BYTES:
            break
    return pa.concat_tables(parts) if parts else pa.table({})


def _cells(rows: pa.Table) -> int:
    """How many numbers and texts a row has, about."""
    listed = [each for each in rows.columns if vectors.holds_vectors(each.type)]
    return rows.num_columns + sum(vectors.width_of(vectors.judge(each)[0]) for each in listed)


def _kind(values: pa.ChunkedArray, total: int) -> tuple[str, str]:
    """The kind of a column by its first values, or "" and the reason for leaving it out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    date = is_date(values.type)
    numbers = to_numbers(values, "date" if date else "number")
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


def _kind_of_text(values: pa.ChunkedArray, markers: Sequence[str]) -> tuple[str, str]:
    """As :func:`_kind`; ``markers`` are no values beside numbers or dates."""
    import pyarrow.compute as pc

    stripped = pc.utf8_trim_whitespace(values)
    present = stripped.filter(pc.fill_null(pc.not_equal(stripped, ""), False))
    count, different = len(present), pc.count_distinct(present).as_py()
    if not count:
        return "", "has no values"
    if different + (count < len(values)) < 2:
        return "", "has the same value everywhere"
    values_only = present.filter(pc.invert(is_one_of(present, markers))) if markers else present
    # A few other words among numbers ("unknown"), or impossible dates, are missing values too.
    for kind, read in (("number", text_numbers), ("date", text_dates)):
        numbers = pc.drop_null(read(values_only))
        if len(numbers) >= 0.9 * len(values_only) and pc.count_distinct(numbers).as_py() > 1:
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
