"""One bad cell costs one cell, and what a person says of a column goes before what is found."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling_core.errors import LabelingError
from labeling_core.modalities.cell_values import numbers_of, seconds_of, texts_of
from labeling_core.modalities.table_columns import count_cells
from labeling_core.modalities.tabular import FeatureSet, fit_features, read_features, transform

DAY = 86_400.0


def fitted(folder: Path, columns: dict[str, Any], **options: Any) -> FeatureSet:
    pq.write_table(pa.table(columns), folder / "table.parquet")
    return fit_features(folder / "table.parquet", folder / "features", **options)


def seconds(values: Any, kind: pa.DataType | None = None) -> list[float | None]:
    found: list[float | None] = seconds_of(pa.chunked_array([pa.array(values, kind)])).to_pylist()
    return found


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1970-01-02", DAY),
        ("1969-12-31", -DAY),
        ("2020-02-29", 18_321 * DAY),
        ("2021-02-29", None),
        ("2023-02-30", None),
        ("0000-00-00", None),
        ("2023-13-01", None),
        ("1970-01-01 00:01", 60.0),
        ("1970-01-01T00:00:01", 1.0),
        ("1970-01-01 00:00:01.25", 1.25),
        ("1970-01-01T02:00:00+02:00", 0.0),
        ("1970-01-01 00:00:00-0330", 12_600.0),
        ("1970-01-01T00:00:00Z", 0.0),
        ("1970-01-01 24:00:00", None),
        ("1970-01-01 10:60", None),
        ("  1970-01-02 ", DAY),
        ("9999-12-31", 2_932_896 * DAY),
        ("0001-01-01", -719_162 * DAY),
        ("10:30", 37_800.0),
        ("23:59:59.5", 86_399.5),
        ("15.03.2022", None),
        ("2022", None),
        ("", None),
        (None, None),
    ],
)
def test_a_text_is_a_date_or_none_whatever_stands_beside_it(text, right):
    assert seconds(["1970-01-02", text, "nonsense"], pa.string()) == [DAY, right, None]


def test_typed_dates_of_all_years_are_read_and_infinity_is_none(tmp_path):
    path = tmp_path / "t.parquet"
    kinds = ("DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_S", "TIMESTAMP_MS")
    texts = ("1970-01-02", "9999-12-31", "0001-01-01", "0044-03-15 (BC)", "infinity", "-infinity")
    rows = ", ".join(f"('{text}'::TIMESTAMP)" for text in texts)
    columns = ", ".join(f"t::TIMESTAMP::{kind} AS {kind}" for kind in kinds)
    duckdb.sql(f"SET TimeZone = 'UTC'; COPY (SELECT {columns} FROM (VALUES {rows}) v(t)) "
               f"TO '{path}' (FORMAT parquet)")  # fmt: skip
    table = pq.read_table(path)
    for kind in kinds:
        found = seconds_of(table.column(kind)).to_pylist()
        assert found == [DAY, 2_932_896 * DAY, -719_162 * DAY, -735_160 * DAY, None, None], kind
    far = pa.array([2**63 - 1, 10**18, -(2**63) + 1], pa.timestamp("ns"))
    assert seconds_of(pa.chunked_array([far])).to_pylist() == [None, 1e9, None]


@pytest.mark.parametrize("rows", [20, 60, 600])
@pytest.mark.parametrize("as_text", [False, True], ids=["dates", "texts"])
@pytest.mark.parametrize(
    "odd", ["9999-12-31", "0001-01-01", "1900-01-01", "1753-01-01", "2200-01-01"]
)
def test_a_date_that_stands_for_none_flattens_no_other(tmp_path, rows, as_text, odd):
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=at) for at in range(rows)]
    every_tenth = [datetime.date.fromisoformat(odd)] * (rows // 10)
    dates: list[Any] = days + every_tenth
    clean = fitted(tmp_path, {"a": days}).matrix[:rows, 0].copy()
    features = fitted(tmp_path, {"a": [str(each) for each in dates] if as_text else dates})
    assert features.columns == {"a": "date"}
    found = features.matrix[:rows, 0]
    assert abs(found.std() / clean.std() - 1) < 0.05
    assert np.all(np.diff(found) > 0)
    missing = odd[:4] in ("9999", "0001")
    assert features.width == 1 + missing
    if missing:  # an indicator tells them from the others
        assert features.matrix[:, 1].tolist() == [0.0] * rows + [1.0] * (rows // 10)
    else:  # the end of the scale does
        assert set(np.abs(features.matrix[rows:, 0])) == {10.0}


@pytest.mark.parametrize("bad", ["2023-02-30", "0000-00-00", "infinity", "12023-01-01", "soon"])
def test_an_impossible_date_costs_one_cell_at_fit_and_at_prediction(tmp_path, bad):
    dates = [f"2020-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]
    features = fitted(tmp_path, {"a": [*dates, bad]})
    assert features.columns == {"a": "date"}
    assert features.matrix[:, 1].tolist() == [0.0] * len(dates) + [1.0]
    pq.write_table(pa.table({"a": [bad, dates[0], dates[-1]]}), tmp_path / "new.parquet")
    new = transform(tmp_path / "new.parquet", features.folder)
    assert new[0].tolist() == [0.0, 1.0]
    np.testing.assert_array_equal(new[1:], features.matrix[[0, -2]])


WORDS_FOR_NONE = ["NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "?", ".", "#N/A"]


@pytest.mark.parametrize("marker", WORDS_FOR_NONE)
@pytest.mark.parametrize("kind", ["number", "date"])
def test_a_missing_marker_beside_numbers_or_dates_is_no_category(tmp_path, marker, kind):
    values = [f"{at}.5" if kind == "number" else f"2020-01-{1 + at % 28:02}" for at in range(60)]
    features = fitted(tmp_path, {"a": [*values, *[marker] * 40]})
    assert features.columns == {"a": kind} and features.missing == {"a": [marker]}
    assert features.matrix[:, 1].tolist() == [0.0] * 60 + [1.0] * 40
    assert json.loads((features.folder / "features.json").read_text(encoding="utf-8"))[
        "missing"
    ] == {"a": [marker]}


def test_the_same_texts_among_words_are_words(tmp_path):
    countries = ["NA", "DE", "FR", "?"] * 10
    features = fitted(tmp_path, {"a": countries})
    assert features.columns == {"a": "category"} and features.width == 4


def test_what_a_person_says_is_missing_is_and_nothing_else(tmp_path):
    words = ["x", "y", "unknown"] * 10
    numbers = [1.0, -999.0, 3.0] * 10
    texts = ["1", "NA", "3"] * 10
    features = fitted(
        tmp_path,
        {"a": words, "b": numbers, "c": texts},
        chosen={
            "a": {"kind": "", "missing": ["unknown"]},
            "b": {"kind": "", "missing": ["-999"]},
            "c": {"kind": "", "missing": []},
        },
    )
    assert features.columns == {"a": "category", "b": "number", "c": "category"}
    assert features.missing == {"a": ["unknown"], "b": ["-999"]}
    assert np.abs(features.matrix[:, :2]).max() < 3  # -999 has not squeezed 1 and 3
    new = {"a": ["unknown", None], "b": [-999, None], "c": ["1", "1"]}
    pq.write_table(pa.table(new), tmp_path / "new.parquet")
    one, other = transform(tmp_path / "new.parquet", features.folder)
    np.testing.assert_array_equal(one, other)


def columns_to_choose() -> dict[str, Any]:
    return {
        "int": [1, 2, 3, 4] * 10,
        "float": [1.0, 2.5, None, 4.0] * 10,
        "text": ["1", "2", "x", "y"] * 10,
        "truth": [True, False, None, True] * 10,
        "date": [datetime.date(2020, 1, 1 + at % 4) for at in range(40)],
        "story": ["one two three", "two three four", "four five six", "six one two"] * 10,
        "tags": [["a"], ["b"], [], ["c"]] * 10,
    }


@pytest.mark.parametrize(
    ("column", "kind", "width"),
    [
        ("int", "category", 4),
        ("int", "text", 13),
        ("float", "category", 4),
        ("text", "number", 2),
        ("truth", "category", 3),
        ("truth", "number", 2),
        ("date", "category", 4),
        ("story", "category", 4),
    ],
)
def test_a_kind_that_is_said_goes_before_the_one_found(tmp_path, column, kind, width):
    values = {column: columns_to_choose()[column], "other": np.arange(40) / 7}
    features = fitted(tmp_path, values, chosen={column: {"kind": kind, "missing": None}})
    assert features.columns == {column: kind, "other": "number"}
    assert features.width == 1 + width
    again = transform(tmp_path / "table.parquet", features.folder)
    np.testing.assert_allclose(again, features.matrix, atol=1e-6)
    assert read_features(features.folder) == features


@pytest.mark.parametrize(
    ("column", "kind", "reason"),
    [
        ("story", "number", "none of its values is one, such as “one two three”"),
        ("int", "date", "none of its values is one, such as “1”"),
        ("date", "number", "none of its values is one, such as “2020-01-01”"),
        ("tags", "category", "it holds nested values"),
    ],
)
def test_a_kind_that_fits_nothing_is_refused_in_a_sentence(tmp_path, column, kind, reason):
    with pytest.raises(LabelingError) as raised:
        fitted(tmp_path, columns_to_choose(), chosen={column: {"kind": kind, "missing": None}})
    assert f"“{column}” cannot be taken for a {kind}: {reason}" in str(raised.value)


def test_every_column_that_is_left_out_has_its_reason(tmp_path):
    rows = 30
    odd = {
        "nested": [["x"]] * rows,
        "struct": [{"a": 1}] * rows,
        "blob": [b"\x00"] * rows,
        "id": [f"X{at:04}" for at in range(rows)],
        "count": range(rows),
        "same": ["a"] * rows,
        "nothing": pa.nulls(rows),
        "shown": np.arange(rows) / 3,
    }
    many = {f"n{at}": np.arange(rows) / 3 + at for at in range(402)}
    features = fitted(tmp_path, odd | many, exclude={"shown": "is shown only, by choice"})
    assert features.left_out == {
        "nested": "holds nested values",
        "struct": "holds nested values",
        "blob": "holds binary values",
        "id": "has another value in nearly every row, like an id",
        "count": "only numbers the rows",
        "same": "has the same value everywhere",
        "nothing": "has no values",
        "shown": "is shown only, by choice",
        "n400": "comes after the first 400 usable columns",
        "n401": "comes after the first 400 usable columns",
    }
    assert set(features.columns) | set(features.left_out) == set(odd | many)


def test_what_can_be_read_of_a_column_is_counted():
    def counted(values: Any, kind: str, type: Any = None) -> tuple[int, int]:
        return tuple(count_cells(pa.chunked_array([pa.array(values, type)]), kind))

    assert counted(["15.03.2022", "2022-03-15", "", None, "NA"], "date") == (2, 1)
    assert counted(["1,5", "x", "true", "9999"], "number") == (4, 3)
    assert counted(["9999-12-31", "2023-02-30", "0000-00-00"], "date") == (2, 1)
    assert counted([1, None], "date") == (1, 0)
    assert counted([datetime.date(9999, 12, 31), None], "date") == (1, 1)
    assert counted(["a", "NA", " "], "category") == (2, 2)
    assert counted([[1], None], "category") == (1, 0)


def test_a_value_has_the_same_text_whatever_its_type():
    def told(values: Any, kind: pa.DataType) -> list[str | None]:
        texts: list[str | None] = texts_of(
            pa.chunked_array([pa.array(values).cast(kind)])
        ).to_pylist()
        return texts

    for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(30, 3)):
        assert told([1, 20, None], kind) == ["1", "20", None]
    days = [datetime.date(2020, 1, 31), None]
    for kind in (pa.date32(), pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("us", "UTC")):
        assert told(days, kind) == ["2020-01-31", None]
    assert numbers_of(pa.chunked_array([["TRUE", "false"]])).to_pylist() == [1.0, 0.0]
