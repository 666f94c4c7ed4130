"""What a cell says: texts as numbers and dates, dates as seconds, and what stands for no value.

Each cell is read for itself: one that cannot be read is null and costs no other. What is done here
with Arrow does ``models/load_model.py`` once more with pandas, for whoever has only the model.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# Texts that stand for no value where the rest of a column is numbers or dates.
MARKERS = (
    "NA", "N/A", "n/a", "na", "n.a.", "#N/A", "#NA", "<NA>", "NaN", "nan", "NAN", "NaT", "null",
    "NULL", "Null", "None", "NONE", "none", "nil", "\\N", "-", "--", "?", ".",
    "inf", "-inf", "infinity", "-infinity", "0000-00-00", "0000-00-00 00:00:00",
)  # fmt: skip
# A number whose thousands are parted beyond doubt, 1.234,5 or 1,234,567 → the mark that does so.
GROUPED = {
    r"^-?[1-9]\d{0,2}((\.\d{3})+,\d+|(\.\d{3}){2,})$": ".",
    r"^-?[1-9]\d{0,2}((,\d{3})+\.\d+|(,\d{3}){2,})$": ",",
}
NUMBER = r"^-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?$"
DATE = (
    r"^(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[ T](?P<hour>\d{2}):(?P<minute>\d{2})"
    r"(?::(?P<second>\d{2}(?:\.\d{1,9})?))? ?(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?$"
)
CLOCK = r"^(?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,9})?))?$"
NEVER = 253_370_764_800.0  # 9999-01-01: from here on a date means that there is none
NO_BEGINNING = -62_135_596_800.0  # 0001-01-01: that day means the same
_UNITS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text, once table_columns.batches has read them."""
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def unusable(kind: pa.DataType) -> str:
    """Why values of this type can be no feature; the empty text if they can."""
    import pyarrow as pa

    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
        if pa.types.is_fixed_size_binary(kind):
            return "holds ids"
    if pa.types.is_nested(kind):
        return "holds nested values"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "holds binary values"
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_interval(kind):
        return "holds intervals or binary values"
    return ""


def is_date(kind: pa.DataType) -> bool:
    """Whether values of this type are moments, times of day or durations."""
    import pyarrow as pa

    return bool(pa.types.is_temporal(kind)) and not pa.types.is_interval(kind)


def numbers_of(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as float64; null where a cell is no number. True is 1; durations are seconds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if is_text(kind):
        stripped = pc.utf8_trim_whitespace(values)
        lower = pc.utf8_lower(stripped)
        truth = pc.case_when(
            pc.make_struct(pc.equal(lower, "true"), pc.equal(lower, "false")), 1.0, 0.0
        )
        return pc.coalesce(text_numbers(stripped), truth)
    if pa.types.is_duration(kind):
        return seconds_of(values)
    if unusable(kind) or is_date(kind):
        return pa.chunked_array([pa.nulls(len(values), pa.float64())])
    if pa.types.is_boolean(kind):
        values = pc.cast(values, pa.int8())
    return pc.cast(values, pa.float64(), safe=False)


def seconds_of(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as float64 seconds, since 1970-01-01 UTC or since midnight; null where a cell is
    no date, or infinitely far. Whatever the years: the integers are read, which need no calendar.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if is_text(kind):
        return text_dates(pc.utf8_trim_whitespace(values))
    if not is_date(kind):
        return pa.chunked_array([pa.nulls(len(values), pa.float64())])
    narrow = kind.bit_width == 32
    whole = pc.cast(pc.cast(values, pa.int32() if narrow else pa.int64()), pa.int64())
    most = 2**31 - 1 if narrow else 2**63 - 1  # infinity, as DuckDB writes it
    endless = pc.or_(pc.greater_equal(whole, most), pc.less_equal(whole, -most))
    number = pc.cast(pc.if_else(endless, pa.scalar(None, pa.int64()), whole), pa.float64(), False)
    if pa.types.is_date(kind):
        return pc.multiply(number, 86_400.0) if narrow else pc.divide(number, 1e3)
    return pc.divide(number, _UNITS[kind.unit])


def without_sentinels(seconds: pa.ChunkedArray) -> pa.ChunkedArray:
    """``seconds``, null where a date only says that there is none: year 9999 and the first day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.and_(
        pc.greater_equal(seconds, NO_BEGINNING), pc.less(seconds, NO_BEGINNING + 86_400)
    )
    none = pc.or_(first, pc.greater_equal(seconds, NEVER))
    return pc.if_else(none, pa.scalar(None, pa.float64()), seconds)


def text_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stripped texts as float64, null where they are no number; one comma is a decimal mark, and
    thousands may be parted where it is plain which mark does so (see GROUPED)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    plain = pc.replace_substring_regex(values, r"^\+", "")
    for pattern, mark in GROUPED.items():
        grouped = pc.fill_null(pc.match_substring_regex(plain, pattern), False)
        plain = pc.if_else(grouped, pc.replace_substring(plain, mark, ""), plain)
    plain = pc.replace_substring(plain, ",", ".")
    # With leading zeros it is an id; a lone point or sign has no digit.
    number = pc.and_(
        pc.match_substring_regex(plain, NUMBER), pc.match_substring_regex(plain, r"^-?\.?\d")
    )
    return pc.cast(pc.if_else(number, plain, pa.scalar(None, plain.type)), pa.float64())


def text_dates(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Stripped texts that are ISO dates (``2020-01-31``, with or without a time, a fraction and a
    zone) as seconds since 1970-01-01 UTC, times of day as seconds since midnight, else null."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.any(pc.match_substring_regex(values, r"^\d{2}:\d{2}|^\d{4}-")).as_py():
        return pa.chunked_array([pa.nulls(len(values), pa.float64())])
    date, clock = _parts(values, DATE), _parts(values, CLOCK)
    day, valid = _days(date["year"], date["month"], date["day"])
    zone = _zone(date["zone"])
    moment = 86_400 * day + _time_of_day(date) - zone
    moment = np.where(valid & date[""] & (np.abs(zone) <= 86_400), moment, np.nan)
    found = np.where(clock[""], _time_of_day(clock), moment)
    return pa.chunked_array([pa.array(found, from_pandas=True)])


def _parts(values: pa.ChunkedArray, pattern: str) -> dict[str, Any]:
    """The groups of ``pattern``: numbers as float64, 0 where there are none; ``""`` holds which
    texts match. The zone stays text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.extract_regex(values.combine_chunks(), pattern)
    if isinstance(found, pa.ChunkedArray):
        found = found.combine_chunks()
    made: dict[str, Any] = {"": found.is_valid().to_numpy(zero_copy_only=False)}
    for field in found.type:
        text = pc.fill_null(pc.struct_field(found, field.name), "")
        if field.name != "zone":
            text = pc.cast(pc.if_else(pc.equal(text, ""), "0", text), pa.float64())
        made[field.name] = text if field.name == "zone" else text.to_numpy()
    return made


def _days(year: np.ndarray, month: np.ndarray, day: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since 1970-01-01, and which of the dates there are."""
    import numpy as np

    at = ((year - 1970) * 12 + month - 1).astype(np.int64)
    begin, end = (
        each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
        for each in (at, at + 1)
    )
    valid = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= end - begin)
    return begin + day - 1, valid


def _time_of_day(parts: dict[str, Any]) -> np.ndarray:
    """Seconds since midnight, NaN where the clock shows no such time."""
    import numpy as np

    hour, minute, second = (parts[name] for name in ("hour", "minute", "second"))
    found = 3_600 * hour + 60 * minute + second
    return np.where((hour < 24) & (minute < 60) & (second < 60), found, np.nan)


def _zone(texts: pa.Array) -> np.ndarray:
    """Seconds by which a zone such as ``+02:00``, ``-0330`` or ``Z`` is ahead of UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    coded = pc.dictionary_encode(texts)
    ahead = []
    for text in coded.dictionary.to_pylist():
        digits = text[1:].replace(":", "").ljust(4, "0") if text not in ("", "Z") else "0000"
        seconds = 3_600 * int(digits[:2]) + 60 * int(digits[2:])
        ahead.append(-seconds if text.startswith("-") else seconds)
    return pc.take(pa.array(ahead, pa.float64()), coded.indices).to_numpy(zero_copy_only=False)


def texts_of(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as stripped texts, null where there is no value: 1.0 is “1”, a date is written
    without a time that is midnight, nested and binary values are null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if unusable(kind):
        return pa.chunked_array([pa.nulls(len(values), pa.string())])
    if is_text(kind):
        return pc.utf8_trim_whitespace(pc.cast(values, pa.string()))
    if pa.types.is_duration(kind):
        return pc.cast(seconds_of(values), pa.string())
    if pa.types.is_timestamp(kind) and kind.tz:
        values = pc.cast(values, pa.timestamp(kind.unit))
    texts = pc.cast(values, pa.string())
    if pa.types.is_decimal(kind) or is_date(kind):
        texts = pc.replace_substring_regex(texts, r"(\.\d*?)0+$", r"\1")
        texts = pc.replace_substring_regex(texts, r"\.$", "")
    if pa.types.is_timestamp(kind):
        texts = pc.replace_substring_regex(texts, r" 00:00:00$", "")
    return texts


def is_one_of(values: pa.ChunkedArray, markers: Collection[str]) -> pa.ChunkedArray:
    """Which cells are one of the ``markers``, by their text or by their number; never null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts_of(values)
    found = pc.is_in(texts, value_set=pa.array(list(markers), pa.string()))
    wanted = pc.drop_null(text_numbers(pa.chunked_array([list(markers)], pa.string())))
    if len(wanted) and not is_text(values.type):
        found = pc.or_(found, pc.is_in(numbers_of(values), value_set=wanted.combine_chunks()))
    return pc.fill_null(found, False)
