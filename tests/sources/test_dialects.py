"""Dialects of CSV and JSON: what is found about them, what is said, and what may be chosen."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from labeling_core.errors import LabelingError
from labeling_core.sources.importing import Choices, Preview, inspect, load


def read(
    folder: Path, content: bytes | str, name: str = "t.csv", **given: Any
) -> tuple[Preview, list[tuple[Any, ...]]]:
    """The preview and the loaded rows, which must agree."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    preview = inspect(path, name, **given)
    with duckdb.connect(config={"autoload_known_extensions": "false"}) as con:
        load(con, path, preview, "t")
        rows = con.execute("SELECT * FROM t").fetchall()
    assert tuple(rows[:20]) == preview.rows and len(rows) == preview.row_count
    return preview, rows


def names(preview: Preview) -> list[str]:
    return [name for name, _ in preview.columns]


def refusal(folder: Path, content: bytes | str, name: str = "t.csv", **given: Any) -> LabelingError:
    with pytest.raises(LabelingError) as raised:
        read(folder, content, name, **given)
    assert "\n" not in str(raised.value) and str(folder) not in str(raised.value)
    return raised.value


def test_the_first_line_of_excel_tells_the_delimiter(tmp_path: Path) -> None:
    for first in ("sep=;", '"sep=;"', "SEP=;"):
        preview, rows = read(tmp_path, f"{first}\r\na;b,c\r\n1;2,5\r\n")
        assert names(preview) == ["a", "b,c"] and rows == [(1, 2.5)]
        assert (preview.delimiter, preview.skip) == (";", 1) and first in preview.notes[0]
    preview, rows = read(tmp_path, "sep=^\na^b\n1^2\n")
    assert preview.delimiter == "^" and rows == [(1, 2)]


def test_comment_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    content = '# made by hand\n#\na,b\n1,"x\n# no comment"\n# half way\n2,#y\n'
    preview, rows = read(tmp_path, content)
    assert rows == [(1, "x\n# no comment"), (2, "#y")] and preview.comment == "#"
    assert preview.notes == ("3 lines that begin with # were left out.",)
    preview, rows = read(tmp_path, "% x\na,b\n1,2\n", comment="%")
    assert rows == [(1, 2)] and preview.notes == ("1 line that begins with % was left out.",)


@pytest.mark.parametrize(
    "content", ["#id,b\n1,2\n", "tag,b\n#x,1\n#y,2\n", "tag\n#x\n#y\n", "a,b\nx#y,1\n"]
)
def test_a_number_sign_that_belongs_to_the_table_stays(tmp_path: Path, content: str) -> None:
    preview, rows = read(tmp_path, content)
    assert preview.comment == "" and preview.notes == ()
    assert len(rows) == content.count("\n") - 1
    assert any("#" in str(each) for each in (*names(preview), *rows[0]))


def test_whether_there_is_a_header_is_said_and_can_be_chosen(tmp_path: Path) -> None:
    content = "5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,setosa\n"
    preview, rows = read(tmp_path, content)
    assert preview.header and "“5.1” looks like data" in preview.notes[0] and len(rows) == 2
    preview, rows = read(tmp_path, content, header=False)
    assert names(preview) == ["column 1", "column 2", "column 3"] and preview.notes == ()
    assert rows[0] == (5.1, 3.5, "setosa") and len(rows) == 3 and preview.header is False
    assert read(tmp_path, "a,b\n1,2\n")[0].notes == ()


def test_lines_above_the_table_are_left_out(tmp_path: Path) -> None:
    content = "Survey of 2020\n\nid,answer,n\n1,yes,5\n2,no,6\n3,no,7\n"
    preview, rows = read(tmp_path, content)
    assert names(preview) == ["id", "answer", "n"] and preview.skip == 2
    assert preview.notes == ("The first 2 lines were left out, as the table begins below them.",)
    _, rows = read(tmp_path, "a,b\nx,y\n1,2\n", skip=2, header=False)
    assert rows == [(1, 2)]
    assert refusal(tmp_path, "a,b\n1,2\n", skip=-1).field == "skip"
    assert refusal(tmp_path, "a,b\n1,2\n", skip=9).field == "skip"


def test_texts_with_commas_under_one_name_are_no_table_below_a_title(tmp_path: Path) -> None:
    content = "comment\n" + "well, yes\n" * 5
    preview, rows = read(tmp_path, content, delimiter=";")
    assert names(preview) == ["comment"] and rows == [("well, yes",)] * 5


def test_the_line_of_a_mistake_is_that_of_the_file(tmp_path: Path) -> None:
    error = refusal(tmp_path, "# x\n# y\na,b\n1,2\n# z\n1,2,3\n")
    assert "3 instead of 2 values in line 6" in str(error) and error.field == "delimiter"
    error = refusal(tmp_path, 'a,b\n1,2\n1,"2\n3,4\n')
    assert error.field == "quote"


def test_escaped_quotes_are_found(tmp_path: Path) -> None:
    content = 'a,b\n"she said \\"no, never\\"",1\n"C:\\\\x",2\n"plain",3\n'
    preview, rows = read(tmp_path, content)
    assert preview.escape == "\\"
    assert rows == [('she said "no, never"', 1), ("C:\\x", 2), ("plain", 3)]
    assert read(tmp_path, 'a,b\n"C:\\",1\n"x",2\n')[1] == [("C:\\", 1), ("x", 2)]


def test_other_quotation_marks_are_found_or_chosen(tmp_path: Path) -> None:
    preview, rows = read(tmp_path, "a,b\n'x, y',1\n'it''s, so',2\n")
    assert preview.quote == "'" and rows == [("x, y", 1), ("it's, so", 2)]
    assert read(tmp_path, "a,b\n'x',1\n")[1] == [("'x'", 1)]
    _, rows = read(tmp_path, 'a,b\n5" pipe,1\n"x,2\n', quote="")
    assert rows == [('5" pipe', 1), ('"x', 2)]
    assert refusal(tmp_path, "a,b\n1,2\n", quote="ab").field == "quote"


def test_a_broken_byte_is_told_with_its_line_and_can_be_read_on(tmp_path: Path) -> None:
    content = "name,n\nMüller,1\nK\ufffdln,2\nGröße,3\n".encode().replace(b"\xef\xbf\xbd", b"\xf6")
    error = refusal(tmp_path, content)
    assert error.field == "errors" and "a byte in line 3" in str(error) and "0xf6" in str(error)
    preview, rows = read(tmp_path, content, errors="replace")
    assert rows == [("Müller", 1), ("K�ln", 2), ("Größe", 3)] and preview.errors == "replace"
    assert preview.notes == ("1 byte that is no UTF-8 was read as �, in line 3.",)
    with_mark = refusal(tmp_path, b"\xef\xbb\xbfname\nK\xf6ln\n")
    assert with_mark.field == "errors"
    preview, _ = read(tmp_path, b"name,n\nK\xf6ln,1\n")
    assert preview.encoding == "cp1252" and "Read as cp1252" in preview.notes[0]
    assert refusal(tmp_path, content[:-2] + b"\xc3", encoding="utf-8").field == "errors"


RUSSIAN = "имя;город\n" + "Иван живёт в городе;Москва\nПётр любит читать книги;Тверь\n" * 3


@pytest.mark.parametrize("encoding", ["koi8_r", "cp1251", "cp866", "iso8859_5", "utf-32"])
def test_cyrillic_is_read_whatever_its_encoding(tmp_path: Path, encoding: str) -> None:
    preview, rows = read(tmp_path, RUSSIAN.encode(encoding))
    assert preview.encoding == encoding and rows[1] == ("Пётр любит читать книги", "Тверь")


def test_line_ends_in_cells_stay_where_the_file_is_written_anew(tmp_path: Path) -> None:
    content = 'a;b\r\n"1\n2";Köln\r\n"3\r\n4";x\r\n'
    for encoding in ("utf-8", "cp1252", "utf-16"):
        _, rows = read(tmp_path, content.encode(encoding))
        assert rows == [("1\n2", "Köln"), ("3\r\n4", "x")]


def test_what_was_found_is_kept_for_loading_and_can_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x\n#1;NA\n2;3\n", "utf-8")
    choices = Choices(delimiter=";", header=False, skip=1, comment="", types={"column 2": "text"})
    preview = inspect(path, "t.csv", choices)
    assert preview.choices == dataclasses.replace(
        choices, encoding="utf-8", decimal=".", quote='"', escape='"', errors="strict"
    )
    with duckdb.connect() as con:
        load(con, path, preview, "t")
        assert con.execute("FROM t").fetchall() == [("#1", "NA"), ("2", "3")]
        load(con, path, dataclasses.replace(preview, comment="#", types={}), "u")
        assert con.execute("FROM u").fetchall() == [(2, 3)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps([{"a": 1, "b": "x"}, {"a": 2, "b": None}], indent=2),
        '{\n  "a": 1,\n  "b": "x"\n}\n{\n  "a": 2,\n  "b": null\n}\n',
        '{"a": 1, "b": "x"}\n\n{"a": 2}\n',
        '[{"a": 1, "b": "x"},{"a": 2}]',
    ],
)
def test_json_is_read_however_it_is_laid_out(tmp_path: Path, content: str) -> None:
    preview, rows = read(tmp_path, content, "t.json")
    assert rows == [(1, "x"), (2, None)] and preview.notes == ()


def test_a_list_in_a_json_object_is_the_table(tmp_path: Path) -> None:
    content = json.dumps({"version": 1, "items": [{"a": 1}, {"a": 2}]}, indent=1)
    preview, rows = read(tmp_path, content, "t.json")
    assert rows == [(1,), (2,)]
    assert preview.notes == ("The rows are those of the list “items”; “version” is left out.",)


def test_json_keys_without_a_name_get_one(tmp_path: Path) -> None:
    preview, rows = read(tmp_path, '{"": 1, "a": 2}\n', "t.jsonl")
    assert names(preview) == ["column 1", "a"] and rows == [(1, 2)]
    assert "without a name" in preview.notes[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"a":1}\n{"a":"\\ud800"}\n', "half of a character .* in line 2"),
        ('{"a":1}\n{"a":' + "[" * 3_000 + "]" * 3_000 + "}\n", "nested .* in line 2"),
        ('{"a":' * 3_000 + "1" + "}" * 3_000, "nested .* in line 1"),
        ('[\n{"a": 1},\n{"a": }\n]', "no JSON in line 3"),
        ('[{"a": 1}\n{"a": 2}]', "no JSON in line 2"),
        ('[{"a": 1}', "no JSON in line 1"),
        ('{"a": 1, "a": 2}', "a key twice in one object in line 1"),
    ],
)
def test_json_that_cannot_be_read_is_told_with_its_line(
    tmp_path: Path, content: str, sentence: str
) -> None:
    error = refusal(tmp_path, content, "t.json")
    assert error.field in ("source", "errors")
    with pytest.raises(LabelingError, match=sentence):
        raise error


def test_half_a_character_can_be_read_on(tmp_path: Path) -> None:
    preview, rows = read(tmp_path, '{"a":"x\\ud800"}\n', "t.jsonl", errors="replace")
    assert rows == [("x�",)]
    assert "line 1" in preview.notes[0]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_thousand_columns_are_read_and_thirty_thousand_are_refused(
    tmp_path: Path, name: str
) -> None:
    def content(columns: int) -> str:
        values = [f"{at}.5" for at in range(columns)]
        if name == "t.jsonl":
            return "{" + ",".join(f'"v{at}":{each}' for at, each in enumerate(values)) + "}\n"
        return ",".join(f"v{at}" for at in range(columns)) + "\n" + ",".join(values) + "\n"

    preview, rows = read(tmp_path, content(1_200), name)
    assert {kind for _, kind in preview.columns} == {"DOUBLE"}
    assert rows == [tuple(at + 0.5 for at in range(1_200))]
    assert "30,000 columns" in str(refusal(tmp_path, content(30_000), name))
