"""Excel workbooks: right values of every kind of cell, and what was done is said."""

from __future__ import annotations

import datetime
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from test_containers import read, refusal

from labeling_core.sources import containers, workbooks

DAY, MOMENT = datetime.date(2024, 2, 29), datetime.datetime(2024, 1, 2, 3, 4, 5)


def book(path: Path, **sheets: Sequence[Sequence[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_cells_of_one_kind_keep_their_type_and_others_become_text(tmp_path):
    header = ["id", "share", "day", "moment", "either", "truth", "code", "mixed", "clock", "empty"]
    rows = [
        [1, 0.5, DAY, MOMENT, DAY, True, "007", 5, datetime.time(3, 4), None],
        [2, 3, None, MOMENT, MOMENT, False, "1.10", "x", datetime.time(13, 0, 1), None],
        [3.0, None, DAY, None, None, None, None, 1.25, None, None],
    ]
    preview, found = read(book(tmp_path / "a.xlsx", Sheet1=[header, *rows]))
    midnight = datetime.datetime(2024, 2, 29)
    assert found == [
        (1, 0.5, DAY, MOMENT, midnight, True, "007", "5", "03:04:00", None),
        (2, 3.0, None, MOMENT, MOMENT, False, "1.10", "x", "13:00:01", None),
        (3, None, DAY, None, None, None, None, "1.25", None, None),
    ]
    assert [kind for _, kind in preview.columns] == [
        "BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "TIMESTAMP", "BOOLEAN", "VARCHAR", "VARCHAR",
        "VARCHAR", "VARCHAR",
    ]  # fmt: skip
    assert preview.notes == (
        "The column “mixed” holds texts and numbers: it was taken as text.",
        "The column “clock” holds times: it was taken as text.",
    )


def test_a_sheet_is_chosen_by_its_name_and_charts_are_none(tmp_path):
    path = book(tmp_path / "a.xlsx", **{"Über uns": [["a"], [1]], "B": [["b"], [2]]})
    made = openpyxl.load_workbook(path)
    made.create_chartsheet("chart")
    made.save(path)
    assert containers.parts(path, "a.xlsx") == ("Über uns", "B")
    assert read(path, "B")[1] == [(2,)]
    assert "holds 2 tables: choose one of “Über uns”, “B”" in refusal(path)
    assert "holds no “C”" in refusal(path, "C")


def test_titles_empty_rows_and_columns_are_left_out_and_said(tmp_path):
    header = [None, "id", None, "name", "id"]
    rows = [[], [None, "Report 2024"], [], header, [None, 1, None, "x", 9], [],
            [None, 2, None, "y", 8], []]  # fmt: skip
    preview, found = read(book(tmp_path / "a.xlsx", S=rows))
    assert [name for name, _ in preview.columns] == ["id", "name", "id_2"]
    assert found == [(1, "x", 9), (2, "y", 8)]
    assert preview.notes == (
        "What stands above the table was left out: “Report 2024”.",
        "The names of the columns were found in row 4.",
        "Column 3, a second “id”, is called “id_2”.",
        "1 empty row was left out.",
    )


def test_a_column_alone_is_no_title(tmp_path):
    preview, found = read(book(tmp_path / "a.xlsx", S=[["text"], ["a"], ["b"]]))
    assert preview.columns == (("text", "VARCHAR"),) and found == [("a",), ("b",)]


def test_merged_cells_have_their_value_in_every_row(tmp_path):
    path = book(tmp_path / "a.xlsx", S=[["group", "n"], ["g1", 1], [None, 2], ["g2", 3]])
    made = openpyxl.load_workbook(path)
    made.active.merge_cells("A2:A3")
    made.save(path)
    preview, found = read(path)
    assert found == [("g1", 1), ("g1", 2), ("g2", 3)]
    assert preview.notes == ("1 merged cells: the value stands in each of their rows.",)


def test_errors_signs_for_missing_and_formulas_without_a_value_are_said(tmp_path):
    rows = [["n", "age", "sum"], [1, 30, "=1+1"], ["#N/A", "NA", "=2+2"], ["#DIV/0!", "-", 5]]
    preview, found = read(book(tmp_path / "a.xlsx", S=rows))
    assert found == [(1, 30, None), (None, None, None), (None, None, 5)]
    assert preview.notes == (
        "2 cells hold an error such as #N/A: taken as missing.",
        "2 formulas have no value in the file, taken as missing: open it in a spreadsheet and "
        "save it again.",
        "In the column “age” 2 × “NA”, “-” was taken as missing.",
    )


def test_the_value_of_a_formula_is_read_and_no_note_is_made(tmp_path):
    path = book(tmp_path / "a.xlsx", S=[["n"], ["=1+1"]])
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    content[sheet] = re.sub(rb"</f><v ?/>|</f><v></v>", b"</f><v>2</v>", content[sheet])
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    preview, found = read(path)
    assert found == [(2,)] and preview.notes == ()


def test_a_table_that_pandas_wrote_comes_back_the_same(tmp_path):
    frame = pd.DataFrame({
        "n": [1, 2, 3], "x": [0.1, 1e300, -2.5], "t": ["ü", "007", "a\nb"],
        "d": pd.to_datetime(["2024-01-01 10:00", "2024-06-30 00:00", "9999-12-31 00:00"]),
        "b": [True, False, True],
    })  # fmt: skip
    frame.to_excel(tmp_path / "a.xlsx", index=False, sheet_name="data")
    preview, found = read(tmp_path / "a.xlsx")
    assert found == [tuple(row) for row in frame.astype(object).itertuples(index=False)]
    assert [kind for _, kind in preview.columns] == [
        "BIGINT", "DOUBLE", "VARCHAR", "TIMESTAMP", "BOOLEAN"
    ]  # fmt: skip


def test_a_sheet_that_reaches_far_away_is_refused_before_it_is_read(tmp_path):
    path = book(tmp_path / "a.xlsx", S=[["a", "b"], [1, 2]])
    made = openpyxl.load_workbook(path)
    made.active["XFD1048576"] = 1
    made.save(path)
    assert "1,048,576 rows and 16,384 columns, which is too large" in refusal(path)


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = book(tmp_path / "a.xlsx", S=[["a"], [1]])
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1000)
    assert "a workbook of more than 0 GB unpacked" in refusal(path)


def test_what_is_no_workbook_with_cells_is_told(tmp_path):
    path = book(tmp_path / "a.xlsx", S=[], T=[["a"]])
    assert "has nothing in its sheet “S”" in refusal(path, "S")
    assert "no rows" in refusal(path, "T")
    path.write_bytes(path.read_bytes()[:-50])
    assert "cut off or damaged" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert "of another kind than .xlsx" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "")
    assert "is an Office document, not a table" in refusal(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nonsense")
    assert "cut off or damaged" in refusal(path)
