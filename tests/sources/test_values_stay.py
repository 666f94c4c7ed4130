"""Whatever a table holds comes back as it was written, whichever way it leaves the program."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling_core.modalities.table_view import show
from labeling_core.sources.importing import ColumnFound, Preview, inspect, load
from labeling_core.store.exporting import to_file

OFFLINE: Any = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


def ways_out(
    folder: Path, content: bytes | str, name: str = "table.csv", **given: Any
) -> tuple[Preview, dict[str, list[list[str | None]]]]:
    """The preview, and the cells of the loaded table by each way out, row by row."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    preview = inspect(path, name, **given)
    with duckdb.connect(config=OFFLINE) as con:
        con.execute("SET TimeZone = 'UTC'")
        load(con, path, preview, "t")
        texts = con.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM t").fetchall()
        cells = con.execute("SELECT * FROM t").fetchall()
        exported = to_file(con, "SELECT * FROM t", "CSV").decode()
        again = folder / "again.csv"
        again.write_text(exported, "utf-8")
        load(con, again, inspect(again, "again.csv"), "u")
        back = con.execute("SELECT CAST(COLUMNS(*) AS VARCHAR) FROM u").fetchall()
    kinds = [kind for _, kind in preview.columns]
    return preview, {
        "database": [list(row) for row in texts],
        "deck": [[show(v, kind) for v, kind in zip(row, kinds, strict=True)] for row in cells],
        "download": [[cell or None for cell in row] for row in csv.reader(io.StringIO(exported))][
            1:
        ],
        "read again": [list(row) for row in back],
    }


NASTY = {  # cells, and the type of the column they make
    "yes": (["yes", "no"], "VARCHAR"),
    "t": (["t", "f"], "VARCHAR"),
    "True": (["True", "False"], "VARCHAR"),
    "TRUE": (["TRUE", "FALSE"], "VARCHAR"),
    "true": (["true", "false"], "BOOLEAN"),
    "mixed truth": (["true", "no"], "VARCHAR"),
    "hexadecimal": (["0x1F", "0x20"], "VARCHAR"),
    "price": (["1.10", "2.50"], "DECIMAL(18,2)"),
    "one price": (["1.10", "2.5"], "VARCHAR"),
    "negative price": (["-0.50", "10.00"], "DECIMAL(18,2)"),
    "negative zero": (["-0", "1"], "VARCHAR"),
    "negative zero fraction": (["-0.0", "1.5"], "DOUBLE"),
    "negative zero price": (["-0.00", "1.50"], "VARCHAR"),
    "epoch": (["epoch", "2020-01-01"], "VARCHAR"),
    "infinity": (["infinity", "-infinity"], "VARCHAR"),
    "inf": (["inf", "1.5"], "VARCHAR"),
    "date infinity": (["2020-01-01", "infinity"], "VARCHAR"),
    "exponent": (["1e5", "2e6"], "VARCHAR"),
    "small": (["1e-05", "2.5e-07"], "DOUBLE"),
    "numpy": (["1.000000000000000000e+00", "2.500000000000000000e+00"], "VARCHAR"),
    "underscore": (["1_000", "2_000"], "VARCHAR"),
    "plus": (["+5", "+6"], "VARCHAR"),
    "blanks": ([" 5 ", "6"], "VARCHAR"),
    "zeros": (["007", "012"], "VARCHAR"),
    "no zero": ([".5", ".25"], "VARCHAR"),
    "no fraction": (["5.", "6."], "VARCHAR"),
    "thousands": (["1,000", "2,000"], "VARCHAR"),
    "percent": (["5%", "6%"], "VARCHAR"),
    "long": (["123456789012345678901", "1"], "VARCHAR"),
    "64 bits": (["9223372036854775807", "-9223372036854775808"], "BIGINT"),
    "65 bits": (["9223372036854775808", "1"], "VARCHAR"),
    "long fraction": (["0.1234567890123456789", "0.1"], "VARCHAR"),
    "17 digits": (["0.30000000000000004", "1234567.891234"], "DOUBLE"),
    "beyond double": (["1.5", "9007199254740993"], "VARCHAR"),
    "many digits": (["1234567890123456789.10", "2.50"], "DECIMAL(38,2)"),
    "date": (["2020-01-02", "1999-12-31"], "DATE"),
    "first and last": (["0001-01-01", "9999-12-31"], "DATE"),
    "later": (["2020-01-02", "10000-01-01"], "VARCHAR"),
    "before": (["0044-03-15 (BC)", "2020-01-02"], "VARCHAR"),
    "no day": (["2023-02-30", "2020-01-02"], "VARCHAR"),
    "zero date": (["0000-00-00", "2020-01-02"], "VARCHAR"),
    "short date": (["2020-1-2", "2020-1-3"], "VARCHAR"),
    "german": (["31.12.2020", "01.01.2021"], "VARCHAR"),
    "moment": (["2020-01-02 10:30:00", "2020-01-02 10:30:00.5"], "TIMESTAMP"),
    "padded fraction": (["2020-01-02 10:30:00.500", "2020-01-02 10:30:00"], "VARCHAR"),
    "date and moment": (["2020-01-02", "2020-01-02 10:30:00"], "VARCHAR"),
    "T": (["2020-01-02T10:30:00", "2020-01-02T10:30:01"], "VARCHAR"),
    "Z": (["2020-01-02T10:30:00Z", "2020-01-02T10:30:01Z"], "VARCHAR"),
    "our zone": (
        ["2020-01-02 10:30:00+00", "2020-01-02 10:30:00.25+00"],
        "TIMESTAMP WITH TIME ZONE",
    ),
    "other zone": (["2020-01-02 10:30:00+02", "2020-01-02 10:30:00+00"], "VARCHAR"),
    "nanoseconds": (["2020-01-02 10:30:00.123456789", "2020-01-02 10:30:00"], "VARCHAR"),
    "time": (["10:30:00", "23:59:59.5"], "TIME"),
    "short time": (["10:30", "9:05"], "VARCHAR"),
    "midnight": (["24:00:00", "10:30:00"], "VARCHAR"),
    "interval": (["1 day 02:00:00", "3 days"], "VARCHAR"),
    "uuid": (["550E8400-E29B-41D4-A716-446655440000", "550e8400-e29b-41d4-a716-446655440000"],
             "VARCHAR"),
    "json": (['{"a": 1.10}', "[1, 2]"], "VARCHAR"),
    "nul words": (["nan", "null"], "VARCHAR"),
}  # fmt: skip


@pytest.mark.parametrize("tables", [3, 1, 1 / 20], ids=["few", "some", "many"])
def test_every_cell_comes_back_as_it_was_written(tmp_path: Path, tables: float) -> None:
    listed = list(NASTY.values())
    if tables < 1:  # so many columns that they are not asked about one by one
        listed *= round(1 / tables)
    for part in range(round(tables) or 1):
        columns = {
            f"column {at}": each for at, each in enumerate(listed[part :: round(tables) or 1])
        }
        content = io.StringIO(newline="")
        writer = csv.writer(content)
        writer.writerow(columns)
        writer.writerows(zip(*(cells for cells, _ in columns.values()), strict=True))
        preview, found = ways_out(tmp_path, content.getvalue())
        assert dict(preview.columns) == {name: kind for name, (_, kind) in columns.items()}
        assert [list(each.examples) for each in preview.found] == [
            cells for cells, _ in columns.values()
        ]
        for way, rows in found.items():
            for at, (cells, _) in enumerate(columns.values()):
                wanted = ["-0" if (cell, way) == ("-0.0", "deck") else cell for cell in cells]
                assert [row[at] for row in rows] == wanted, way


def test_a_bad_cell_far_down_keeps_the_whole_column_as_it_is_written(tmp_path: Path) -> None:
    for odd in ("1.10", "+5", "x", "0x1F", "1e5", "-0", "9223372036854775808"):
        content = "a,b\n" + "".join(f"{at},1.5\n" for at in range(3_000)) + f"{odd},2.5\n"
        preview, found = ways_out(tmp_path, content)
        assert dict(preview.columns) == {"a": "VARCHAR", "b": "DOUBLE"}, odd
        assert [row[0] for row in found["database"]] == [*map(str, range(3_000)), odd]
    content = "a,b\n" + "2020-01-02,1\n" * 3_000 + "2023-02-30,2\n"
    preview, found = ways_out(tmp_path, content)
    assert preview.columns[0][1] == "VARCHAR" and found["download"][-1] == ["2023-02-30", "2"]
    assert preview.found[0].note == "Kept as text, so that it stays as it is written."


def test_whole_numbers_among_fractions_become_numbers_and_that_is_said(tmp_path: Path) -> None:
    preview, found = ways_out(tmp_path, "a\n11\n7.45\n")
    assert preview.columns == (("a", "DOUBLE"),)
    assert found["deck"] == [["11"], ["7.45"]] and found["database"] == [["11.0"], ["7.45"]]
    assert "2 as 2.0" in preview.found[0].note


def test_decimal_commas_become_numbers_and_that_is_said(tmp_path: Path) -> None:
    content = "price;share;n;odd\n1,10;0,5;1;1.234,5\n2,50;12,25;2;2,5\n"
    preview, found = ways_out(tmp_path, content)
    assert [kind for _, kind in preview.columns] == [
        "DECIMAL(18,2)", "DOUBLE", "BIGINT", "VARCHAR",
    ]  # fmt: skip
    assert found["database"] == [["1.10", "0.5", "1", "1.234,5"], ["2.50", "12.25", "2", "2,5"]]
    assert preview.found[0].note == "Decimal commas became points: 1,10 is 1.10 here."
    kept, found = ways_out(tmp_path, content, types={"price": "text"})
    assert kept.columns[0] == ("price", "VARCHAR") and found["database"][0][0] == "1,10"


@pytest.mark.parametrize(
    "marker", ["NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-", "?", ".", "#N/A"]
)
def test_markers_among_numbers_and_dates_are_missing_and_in_texts_they_stay(
    tmp_path: Path, marker: str
) -> None:
    content = f"n,x,day,word,answer\n1,1.5,2020-01-02,{marker},true\n{marker},{marker},{marker},"
    content += f"x,{marker}\n2,2.25,9999-12-31,y,false\n"
    preview, found = ways_out(tmp_path, content)
    assert preview.found[:3] == (
        ColumnFound("n", "BIGINT", (marker,), 1, ("1", marker, "2")),
        ColumnFound("x", "DOUBLE", (marker,), 1, ("1.5", marker, "2.25")),
        ColumnFound("day", "DATE", (marker,), 1, ("2020-01-02", marker, "9999-12-31")),
    )
    assert found["database"] == [
        ["1", "1.5", "2020-01-02", marker, "true"],
        [None, None, None, "x", marker],
        ["2", "2.25", "9999-12-31", "y", "false"],
    ]
    assert preview.notes[-1] == (
        f"Read as missing values: {marker} in “n” (1); {marker} in “x” (1); {marker} in “day” (1)."
    )


def test_missing_markers_are_chosen_for_each_column(tmp_path: Path) -> None:
    content = "a,b,c,d\n1,NA,x,-9\nNA,2,NA,1\n?,?,?,2\n"
    chosen = {"a": ("NA", "?"), "b": (), "c": ("NA",), "d": ("-9",)}
    preview, found = ways_out(tmp_path, content, missing=chosen)
    assert [(each.type, each.missing, each.missing_cells) for each in preview.found] == [
        ("BIGINT", ("?", "NA"), 2), ("VARCHAR", (), 0), ("VARCHAR", ("NA",), 1),
        ("BIGINT", ("-9",), 1),
    ]  # fmt: skip
    assert found["database"] == [["1", "NA", "x", None], [None, "2", None, "1"],
                                 [None, "?", "?", "2"]]  # fmt: skip


def test_numbers_below_many_missing_ones_are_found(tmp_path: Path) -> None:
    preview, found = ways_out(tmp_path, "a,b\n" + "NA,\n" * 5_000 + "5,2020-01-02\n")
    assert dict(preview.columns) == {"a": "BIGINT", "b": "DATE"}
    assert preview.found[0].missing_cells == 5_000
    assert found["database"][-1] == ["5", "2020-01-02"]


def test_an_empty_text_is_no_missing_value(tmp_path: Path) -> None:
    content = 'a,b,c\n"",x,1\n,"",""\ny,"",\n'
    preview, found = ways_out(tmp_path, content)
    wanted = [["", "x", "1"], [None, "", None], ["y", "", None]]
    assert found["database"] == found["read again"] == wanted
    assert preview.found[2] == ColumnFound("c", "BIGINT", ("",), 1, ("1",))
    _, found = ways_out(tmp_path, content, missing={"a": ("",)})
    assert [row[0] for row in found["database"]] == [None, None, "y"]


def test_json_keeps_its_digits_its_null_and_its_empty_text(tmp_path: Path) -> None:
    rows = [
        '{"id": 123456789012345678901, "price": 1.10, "t": "", "n": 1, "deep": {"x": 1.10}}',
        '{"id": 1, "price": 2.50, "t": null, "n": NaN, "deep": [12345678901234567890123]}',
        '{"id": -0, "price": 3.00, "t": "NA", "n": 2, "deep": {"ü": null, "s": "\\ud83d\\ude00"}}',
        '{"id": 2, "price": 3.00, "t": "007", "n": "NA", "deep": null}',
    ]
    preview, found = ways_out(tmp_path, "\n".join(rows), "t.jsonl")
    assert dict(preview.columns) == {
        "id": "VARCHAR", "price": "DECIMAL(18,2)", "t": "VARCHAR", "n": "BIGINT", "deep": "JSON",
    }  # fmt: skip
    wanted = [
        ["123456789012345678901", "1.10", "", "1", '{"x":1.10}'],
        ["1", "2.50", None, None, "[12345678901234567890123]"],
        ["-0", "3.00", "NA", "2", '{"ü":null,"s":"😀"}'],
        ["2", "3.00", "007", None, None],
    ]
    assert found["database"] == found["read again"] == wanted
    assert preview.found[3].missing == ("NA", "NaN") and preview.found[3].missing_cells == 2


@pytest.mark.parametrize("values", [[True, "x"], [1, "x"], [1.5, True], [{"a": 1}, "NA"]])
def test_json_of_several_kinds_stays_as_it_is_written(tmp_path: Path, values: list[Any]) -> None:
    preview, found = ways_out(tmp_path, json.dumps([{"a": each} for each in values]), "t.json")
    assert preview.columns == (("a", "VARCHAR"),)
    texts = [each if isinstance(each, str) else json.dumps(each, separators=(",", ":"))
             for each in values]  # fmt: skip
    assert found["database"] == [[each] for each in texts]


def test_durations_periods_and_categories_of_pandas_stay_what_they_were(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "d": pd.to_timedelta(["1 days 02:03:04.5", None, "-1 hours"]),
            "p": pd.PeriodIndex(["2020-01", "2020-02", "NaT"], freq="M"),
            "c": pd.Categorical(["b", "a", None], ordered=True),
            "i": pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3]),
            "n": pd.array([1, 2, None], dtype="Int64"),
            "f": pd.array([0.1, 2.5, None], dtype="float32"),
        }
    )
    frame.to_parquet(tmp_path / "p.parquet")
    preview, found = ways_out(tmp_path, (tmp_path / "p.parquet").read_bytes(), "p.parquet")
    wanted = [
        ["1 days 02:03:04.500000", "2020-01", "b", "(0, 1]", "1", "0.1"],
        [None, "2020-02", "a", "(1, 2]", "2", "2.5"],
        ["-1 days +23:00:00", None, None, "(2, 3]", None, None],
    ]
    assert found["database"] == found["deck"] == found["download"] == wanted
    assert preview.found[0].note == "Kept as text, as pandas writes it."
    pq.write_table(pa.table({"d": pa.array([1, None], pa.duration("s"))}), tmp_path / "q.parquet")
    _, found = ways_out(tmp_path, (tmp_path / "q.parquet").read_bytes(), "q.parquet")
    assert found["deck"] == [["0 days 00:00:01"], [None]]


def test_parquet_markers_and_texts_are_taken_by_choice_only(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["1", "NA"], "b": [1.5, 2.0]}), tmp_path / "p.parquet")
    content = (tmp_path / "p.parquet").read_bytes()
    preview, found = ways_out(tmp_path, content, "p.parquet")
    assert found["database"] == [["1", "1.5"], ["NA", "2.0"]]
    preview, found = ways_out(
        tmp_path, content, "p.parquet", missing={"a": ("NA",)}, types={"b": "text"}
    )
    assert preview.found == (
        ColumnFound("a", "VARCHAR", ("NA",), 1, ("1",)),
        ColumnFound("b", "VARCHAR", (), 0, ("1.5", "2.0")),
    )
    assert found["database"] == [["1", "1.5"], [None, "2.0"]]
