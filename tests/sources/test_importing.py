from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labeling_core.errors import LabelingError
from labeling_core.sources import import_sql
from labeling_core.sources.importing import Preview, inspect, load
from labeling_core.store.database import Database


def written(folder: Path, content: bytes | str, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def preview_of(folder: Path, content: bytes | str, name: str = "people.csv", **given: Any):
    return inspect(written(folder, content, name), name, **given)


def loaded(path: Path, preview: Preview) -> tuple[list[str], list[tuple[Any, ...]]]:
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as con:
        count = load(con, path, preview, 'my "table"')
        result = con.execute('SELECT * FROM main."my ""table"""')
        names = [name for name, *_ in result.description or ()]
        rows = result.fetchall()
    assert count == len(rows) == preview.row_count
    return names, rows


def round_trip(folder: Path, content: bytes | str, name: str = "people.csv"):
    """The preview and the loaded rows, which must agree."""
    preview = preview_of(folder, content, name)
    names, rows = loaded(folder / name, preview)
    assert names == [name for name, _ in preview.columns]
    assert tuple(rows[:20]) == preview.rows
    return preview, rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    lines = ["name,text,n", 'Ann,"x,;|\ty",1', "Bob,a b,2"]
    content = "\n".join(
        line.replace(",", delimiter, 1)[::-1].replace(",", delimiter, 1)[::-1] for line in lines
    )
    preview, rows = round_trip(tmp_path, content)
    assert preview.delimiter == delimiter
    assert preview.columns == (("name", "VARCHAR"), ("text", "VARCHAR"), ("n", "BIGINT"))
    assert rows[1] == ("Bob", "a b", 2)


def test_a_decimal_comma_is_found(tmp_path):
    preview, rows = round_trip(tmp_path, "a;b\n1,5;x\n-2;y\n")
    assert (preview.delimiter, preview.decimal) == (";", ",")
    assert rows == [(1.5, "x"), (-2.0, "y")]


def test_thousands_between_commas_are_no_decimal_comma(tmp_path):
    preview, rows = round_trip(tmp_path, 'a,b\n"1,234",x\n"5,678",y\n')
    assert preview.decimal == "." and rows[0] == ("1,234", "x")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
def test_the_encoding_is_found(tmp_path, encoding, found):
    preview, rows = round_trip(tmp_path, "naïve;stadt\nMüller;Köln\nGröße;Bär\n".encode(encoding))
    assert preview.encoding == found
    assert preview.columns[0][0] == "naïve"
    assert rows == [("Müller", "Köln"), ("Größe", "Bär")]
    assert bool(preview.notes) == (found == "cp1252")


def test_an_umlaut_far_down_still_tells_the_encoding(tmp_path):
    content = b"a;b\n" + b"plain;text\n" * 300_000 + "Köln;ö\n".encode("cp1252")
    _, rows = round_trip(tmp_path, content)
    assert rows[-1] == ("Köln", "ö")


def test_cyrillic_in_its_old_encoding_is_read(tmp_path):
    _, rows = round_trip(tmp_path, ("имя;город\n" + "Иван;Москва\n" * 5).encode("cp1251"))
    assert rows[0] == ("Иван", "Москва")


def test_what_the_user_chooses_is_honoured(tmp_path):
    content = "a;b\n1,5;\xe9\n".encode("cp1250")
    preview = preview_of(tmp_path, content)
    for change in ({"delimiter": "|"}, {"decimal": "."}, {"encoding": "cp1251"}):
        changed = dataclasses.replace(preview, **change)
        names, rows = loaded(tmp_path / "people.csv", changed)
        asked = preview_of(tmp_path, content, encoding=changed.encoding, decimal=changed.decimal)
        if "delimiter" in change:
            assert names == ["a;b"]
        else:
            assert tuple(rows) == asked.rows != preview.rows


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"delimiter": "ab"}, "delimiter"),
        ({"decimal": "x"}, "decimal"),
        ({"encoding": "ascii"}, "encoding"),
        ({"encoding": "no such"}, "encoding"),
    ],
)
def test_a_choice_that_cannot_be_honoured_is_told_at_its_field(tmp_path, given, field):
    with pytest.raises(LabelingError) as raised:
        preview_of(tmp_path, "a;b\nä;1\n", **given)
    assert raised.value.field == field


def test_types_are_found_without_loss(tmp_path):
    content = (
        "int,real,zip,day,moment,zoned,truth,mixed,ambiguous,long\n"
        "1,1.5,007,2020-01-02,2020-01-02 10:30:00,2020-01-02T10:30:00Z,true,1,01/02/2020,"
        "12345678901234567890\n"
        "2,2,012,2020-01-03,2020-01-03 10:30:00,2020-01-03T10:30:00Z,false,x,03/04/2020,1\n"
    )
    preview = preview_of(tmp_path, content)
    found = dict(preview.columns)
    assert found.pop("long") in ("HUGEINT", "VARCHAR")  # by the version of DuckDB, both exact
    assert found == {
        "int": "BIGINT",
        "real": "DOUBLE",
        "zip": "VARCHAR",
        "day": "DATE",
        "moment": "TIMESTAMP",
        "zoned": "VARCHAR",  # the database would write 2020-01-02 10:30:00+00
        "truth": "BOOLEAN",
        "mixed": "VARCHAR",
        "ambiguous": "VARCHAR",
    }
    assert preview.rows[0][2:4] == ("007", datetime.date(2020, 1, 2))
    assert str(preview.rows[0][9]) == "12345678901234567890"


def test_ids_of_many_digits_stay_exact_beside_a_decimal_comma(tmp_path):
    _, rows = round_trip(tmp_path, "a;b\n12345678901234567890;1,5\n7;2,5\n")
    assert [(str(number), real) for number, real in rows] == [
        ("12345678901234567890", 1.5),
        ("7", 2.5),
    ]


def test_codes_of_digits_around_an_e_stay_text_and_measurements_become_numbers(tmp_path):
    content = "code;some;tiny;half\n12E5;12E5;1e-05;1\n13e07;;2e-07;2E3\n 9E1;13E7;3.5;3\n"
    preview, rows = round_trip(tmp_path, content)
    assert [kind for _, kind in preview.columns] == ["VARCHAR", "VARCHAR", "DOUBLE", "VARCHAR"]
    assert [code for code, *_ in rows] == ["12E5", "13e07", " 9E1"]
    assert [some for _, some, *_ in rows] == ["12E5", None, "13E7"]
    assert rows[1][2:] == (2e-07, "2E3")


def test_a_word_in_the_last_of_many_rows_makes_the_column_text_and_the_order_stays(tmp_path):
    count = 300_000
    content = "n,at\n" + "".join(f"{at},{at}\n" for at in range(count)) + f"word,{count}\n"
    preview, rows = round_trip(tmp_path, content)
    assert preview.columns == (("n", "VARCHAR"), ("at", "BIGINT"))
    assert [at for _, at in rows] == list(range(count + 1))
    assert len(preview.rows) == 20


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_quoted_line_ends_and_quotes_belong_to_the_cell(tmp_path, ends):
    content = f'a,b{ends}"1{ends}2","say ""hi"""{ends}x,y{ends}'
    _, rows = round_trip(tmp_path, content)
    assert rows == [(f"1{ends}2", 'say "hi"'), ("x", "y")]


def test_mixed_line_ends_are_read(tmp_path):
    _, rows = round_trip(tmp_path, "a,b\r\n1,2\n3,4\r\n5,6")
    assert rows == [(1, 2), (3, 4), (5, 6)]


def test_blank_lines_before_the_header_are_skipped(tmp_path):
    preview, rows = round_trip(tmp_path, "\n\na,b\n1,2\n")
    assert preview.columns == (("a", "BIGINT"), ("b", "BIGINT")) and rows == [(1, 2)]


def test_a_single_column_is_a_table(tmp_path):
    assert round_trip(tmp_path, "comment\nhello\nworld\n")[1] == [("hello",), ("world",)]


def test_names_that_clash_or_lack_are_changed_and_told(tmp_path):
    preview, rows = round_trip(tmp_path, 'a,A,,a,a_2,"say ""é"""\n1,2,3,4,5,6\n')
    assert [name for name, _ in preview.columns] == [
        "a",
        "A_3",
        "column 3",
        "a_4",
        "a_2",
        'say "é"',
    ]
    assert len(preview.notes) == 3 and "“A_3”" in preview.notes[0]
    assert rows == [(1, 2, 3, 4, 5, 6)]


def test_a_first_line_of_numbers_is_taken_as_names_with_a_note(tmp_path):
    assert "holds only numbers" in preview_of(tmp_path, "1,2\n3,4\n").notes[0]


@pytest.mark.parametrize("size", [100_000, 1_000_000])
def test_a_huge_cell_is_kept_whole(tmp_path, size):
    _, rows = round_trip(tmp_path, f"a,b\n1,{'x' * size}\n2,y\n")
    assert len(rows[0][1]) == size


def test_three_hundred_columns_are_kept_in_order(tmp_path):
    header = ",".join(f"v{at}" for at in range(300))
    preview, rows = round_trip(tmp_path, f"{header}\n" + ",".join(map(str, range(300))) + "\n")
    assert len(preview.columns) == 300 and rows == [tuple(range(300))]


@pytest.mark.parametrize(
    "name", ["a[1].csv", "it's.csv", pytest.param("x*.csv", marks=pytest.mark.posix), "ü {b}.csv"]
)
def test_odd_file_names_are_no_patterns(tmp_path, name):
    assert round_trip(tmp_path, "a,b\n1,2\n", name)[1] == [(1, 2)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "“people.csv” is empty"),
        (b"\xef\xbb\xbf \n\n", "“people.csv” is empty"),
        (b"a,b\n", "column names but no rows"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "“people.csv” is a PNG image"),
        (b"PK\x03\x04" + bytes(100), "Excel workbook"),
        (bytes(range(256)) * 9, "“people.csv” is not text"),
        (b"a,b,c\n1,2,3\n3,4\n", "“people.csv” has a row with 2 instead of 3 values in line 3"),
        (b"a,b,c\n1,2,3\n3,4,5,6\n", "4 instead of 3 values in line 3"),
        (b'a,b\n1,2\n1,"2\n3,4\n', "quotation mark that is not closed.*line 3"),
        (b"a,b\n1," + b"x" * 3_000_000 + b"\n", "more than 2 MB.*line 2"),
    ],
)
def test_text_that_is_no_table_is_told_in_one_sentence(tmp_path, content, sentence):
    with pytest.raises(LabelingError, match=sentence) as raised:
        preview_of(tmp_path, content)
    assert "\n" not in str(raised.value) and str(tmp_path) not in str(raised.value)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(LabelingError, match="cannot be opened"):
        inspect(tmp_path / "none.csv", "none.csv")


def test_json_lines_with_varying_keys_become_columns(tmp_path):
    content = '{"id":"007","a":1}\n\n{"b":[1,2],"a":2.5}\n{"c":{"x":"y"},"d":null}\n'
    preview, rows = round_trip(tmp_path, content, "people.jsonl")
    assert preview.format == "json"
    assert [name for name, _ in preview.columns] == ["id", "a", "b", "c", "d"]
    assert rows == [
        ("007", 1.0, None, None, None),
        (None, 2.5, "[1,2]", None, None),
        (None, None, None, '{"x":"y"}', None),
    ]


def test_json_values_of_several_types_become_text(tmp_path):
    _, rows = round_trip(tmp_path, '{"a":1}\n{"a":"x"}\n{"a":{"b":2}}\n', "p.jsonl")
    assert rows == [("1",), ("x",), ('{"b":2}',)]


def test_five_hundred_different_json_keys_are_five_hundred_columns(tmp_path):
    content = "".join(f'{{"k{at}":{at}}}\n' for at in range(500))
    assert len(round_trip(tmp_path, content, "p.ndjson")[0].columns) == 500


def test_json_keys_that_differ_by_case_are_kept_apart_and_told(tmp_path):
    preview, rows = round_trip(tmp_path, '{"a":1,"A":2,"b_1":3}\n', "p.jsonl")
    assert rows == [(1, 2, 3)]
    assert len(preview.notes) == 1 and "“A_1”" in preview.notes[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_json_lines_in_other_encodings_are_read(tmp_path, encoding):
    _, rows = round_trip(tmp_path, '{"a":"Köln"}\n{"a":"Bär"}\n'.encode(encoding), "p.jsonl")
    assert rows == [("Köln",), ("Bär",)]


def test_a_json_list_and_a_long_json_cell_are_read(tmp_path):
    assert round_trip(tmp_path, '[{"a":1},\n{"a":2}]', "p.json")[1] == [(1,), (2,)]
    long = "x" * 1_000_000
    assert round_trip(tmp_path, f'{{"a":"{long}"}}\n', "p.jsonl")[1] == [(long,)]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"a":1}\n{"a":\n{"a":2}\n', "no JSON in line 2"),
        ("1\n2\n", "no object in line 1"),
        ('{"a":1}\n5\n', "no object in line 2"),
        ('{"a":1,"a":2}\n', "a key twice in one object in line 1"),
        ("{}\n{}\n", "no JSON objects with keys"),
        ("[1, 2]", "no list of JSON objects"),
    ],
)
def test_wrong_json_is_told_with_its_line(tmp_path, content, sentence):
    with pytest.raises(LabelingError, match=sentence):
        preview_of(tmp_path, content, "p.jsonl")


def parquet(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "p.parquet")
    return folder / "p.parquet"


def test_parquet_keeps_its_types_and_order(tmp_path):
    table = pa.table({"a": range(300_000), "l": [[1]] * 300_000, "b": [b"x"] * 300_000})
    path = parquet(tmp_path, table)
    preview, rows = round_trip(tmp_path, path.read_bytes(), "p.parquet")
    assert preview.columns == (("a", "BIGINT"), ("l", "BIGINT[]"), ("b", "BLOB"))
    assert preview.delimiter is preview.encoding is preview.decimal is None
    assert [row[0] for row in rows] == list(range(300_000))
    assert preview.notes == ()


def test_parquet_names_that_clash_are_kept_apart_and_told(tmp_path):
    arrays = [pa.array([1]), pa.array([{"x": 1, "y": 2}]), pa.array([3]), pa.array([4])]
    path = parquet(tmp_path, pa.table(arrays, names=["a", "s", "A", "a_1"]))
    preview, _ = round_trip(tmp_path, path.read_bytes(), "p.parquet")
    assert len({name.lower() for name, _ in preview.columns}) == 4
    assert preview.notes


@pytest.mark.parametrize("kept", [3, 20, 3_000])
def test_a_parquet_file_that_is_cut_off_is_told(tmp_path, kept):
    whole = parquet(tmp_path, pa.table({"a": range(9_000)})).read_bytes()
    with pytest.raises(LabelingError, match=r"“p.parquet” is (cut off|not a Parquet)"):
        preview_of(tmp_path, whole[:kept], "p.parquet")


def test_a_damaged_parquet_page_is_told(tmp_path):
    whole = bytearray(parquet(tmp_path, pa.table({"a": range(9_000)})).read_bytes())
    whole[1_000:2_000] = bytes(1_000)
    whole[4:40] = bytes(36)
    with pytest.raises(LabelingError, match="cut off or damaged"):
        preview_of(tmp_path, bytes(whole), "p.parquet")


def test_a_parquet_file_without_rows_is_told(tmp_path):
    path = parquet(tmp_path, pa.table({"a": pa.array([], pa.int64())}))
    with pytest.raises(LabelingError, match="no rows"):
        inspect(path, "p.parquet")


def test_a_table_that_exists_already_is_told_and_left_alone(tmp_path):
    path = written(tmp_path, "a\n1\n")
    preview = inspect(path, "people.csv")
    with duckdb.connect() as con:
        con.execute("CREATE TABLE main.People AS SELECT 7 AS x")
        with pytest.raises(LabelingError, match="already has a table “people”") as raised:
            load(con, path, preview, "people")
        assert con.execute("SELECT x FROM people").fetchall() == [(7,)]
    assert raised.value.field == "source"


def test_loading_belongs_to_the_transaction_of_the_caller(tmp_path):
    path = written(tmp_path, "a\n1\n")
    with duckdb.connect() as con:
        con.execute("BEGIN")
        load(con, path, inspect(path, "people.csv"), "people")
        con.execute("ROLLBACK")
        assert con.execute("SHOW TABLES").fetchall() == []


def test_a_file_that_was_looked_at_is_not_measured_again(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, measured = tmp_path / "table.csv", []
    path.write_text("n,when\n1,2026-01-01\n2,2026-01-02\n", "utf-8")
    real = import_sql.find_columns

    def counted(*asked: Any) -> Any:
        measured.append(asked)
        return real(*asked)

    monkeypatch.setattr(import_sql, "find_columns", counted)
    preview = inspect(path, "table.csv")
    with database.transaction() as cursor:
        load(cursor, path, preview, "once")
        assert len(measured) == 1
        assert cursor.execute("DESCRIBE main.once").fetchall()[1][1] == "DATE"
        load(cursor, path, dataclasses.replace(preview, types={"when": "text"}), "as_text")
        assert cursor.execute("DESCRIBE main.as_text").fetchall()[1][1] == "VARCHAR"
        path.write_text("n,when\n1,2026-01-01\nmany,none at all\n", "utf-8")
        load(cursor, path, preview, "changed")
        assert cursor.execute("FROM main.changed").fetchall()[1] == ("many", "none at all")
    assert len(measured) == 3
