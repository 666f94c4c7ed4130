"""Packed tables, zip archives, texts, DuckDB and SQLite files: right values, or one sentence."""

from __future__ import annotations

import bz2
import datetime
import gzip
import lzma
import sqlite3
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from labeling_core.errors import LabelingError
from labeling_core.sources import containers, importing, packed_files
from labeling_core.sources.archives import Limits

TABLE = b"id,text\n1,caf\xc3\xa9\n2,007\n"
READ = [(1, "café"), (2, "007")]


def read(path: Path, part: str = "", name: str = "") -> tuple[importing.Preview, list[Any]]:
    """The preview, and the rows as they get into a database."""
    preview = importing.inspect(path, name or path.name, part=part)
    with duckdb.connect() as con:
        assert importing.load(con, path, preview, "t") == preview.row_count
        rows = con.execute("SELECT * FROM t").fetchall()
    assert [name for name, _ in preview.columns] and preview.part == part
    return preview, rows


def refusal(path: Path, part: str = "") -> str:
    with pytest.raises(LabelingError) as raised:
        importing.inspect(path, path.name, part=part)
    sentence = str(raised.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


@pytest.mark.parametrize(
    ("suffix", "packed"),
    [
        ("gz", gzip.compress(TABLE, mtime=0)),  # the time would name each test otherwise
        ("gz", gzip.compress(TABLE[:10], mtime=0) + gzip.compress(TABLE[10:], mtime=0)),
        ("zst", pa.compress(TABLE, codec="zstd", asbytes=True)),
        ("bz2", bz2.compress(TABLE)),
        ("xz", lzma.compress(TABLE)),
    ],
)
def test_a_packed_table_is_read_and_a_damaged_one_told(tmp_path, suffix, packed):
    path = tmp_path / f"a.csv.{suffix}"
    path.write_bytes(packed)
    assert containers.parts(path, path.name) == ()
    preview, rows = read(path)
    assert rows == READ and preview.format == "csv" and preview.delimiter == ","
    path.write_bytes(packed[:-6])
    assert "cut off or damaged" in refusal(path)


def test_what_is_packed_may_be_json_lines_or_parquet(tmp_path):
    lines = tmp_path / "a.jsonl.gz"
    lines.write_bytes(gzip.compress(b'{"a": 1, "b": "x"}\n{"a": 2}\n'))
    assert read(lines)[1] == [(1, "x"), (2, None)]
    pd.DataFrame({"a": [1.5]}).to_parquet(tmp_path / "b.parquet")
    packed = tmp_path / "b.parquet.gz"
    packed.write_bytes(gzip.compress((tmp_path / "b.parquet").read_bytes()))
    assert read(packed)[1] == [(1.5,)]


def test_a_bomb_is_refused_by_its_size_and_by_its_ratio(tmp_path, monkeypatch):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 1_000_000))
    plain = packed_files.unpack(path, "a.csv.gz", "", tmp_path)
    assert plain.path.stat().st_size == 4_000_004
    small = Limits(file_bytes=1000)
    with pytest.raises(LabelingError, match=r"unpacks to more than 0\.0 GB"):
        packed_files.unpack(path, "a.csv.gz", "", tmp_path, small)
    monkeypatch.setattr(packed_files, "_SMALL", 1000)
    assert "more than 200 times its own size" in refusal(path)


def test_what_is_packed_twice_is_told(tmp_path):
    path = tmp_path / "a.csv.gz.gz"
    path.write_bytes(gzip.compress(gzip.compress(TABLE)))
    assert "packed once more; unpack it first" in refusal(path)
    path.write_bytes(gzip.compress(b"\x89PNG\r\n\x1a\n" + bytes(50)))
    assert "is a PNG image" in refusal(path)


def test_a_zip_with_one_table_is_read_and_of_several_one_is_chosen(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.md", "no table")
        archive.writestr("__MACOSX/._a.csv", "x")
        archive.writestr("deep/a.csv", TABLE)
    preview, rows = read(path)
    assert rows == READ
    assert preview.notes == ("“deep/a.csv” was read of the 3 entries in “a.zip”.",)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("b.jsonl", '{"x": 1}')
    assert containers.parts(path, "a.zip") == ("deep/a.csv", "b.jsonl")
    assert read(path, "b.jsonl")[1] == [(1,)]
    assert "holds 2 tables: choose one of “deep/a.csv”, “b.jsonl”" in refusal(path)
    assert "holds no “c.csv”: choose one of" in refusal(path, "c.csv")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("notes.md", "no table")
    assert "without a table in it" in refusal(path)


def test_texts_one_a_line_are_read_and_empty_lines_counted(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes('Grüße, "Welt"\r\n\r\n  eingerückt \n{"a": 1}\n   \n007'.encode("cp1252"))
    preview, rows = read(path, containers.LINES)
    assert rows == [('Grüße, "Welt"',), ("  eingerückt ",), ('{"a": 1}',), ("007",)]
    assert preview.columns == (("text", "VARCHAR"),)
    assert "2 empty lines were left out." in preview.notes
    assert any("Read as cp1252" in note for note in preview.notes)
    packed = tmp_path / "a.txt.gz"
    packed.write_bytes(gzip.compress(b"one\ntwo\n"))
    assert read(packed, containers.LINES)[1] == [("one",), ("two",)]
    assert "is one table and holds no “Sheet1”" in refusal(path, "Sheet1")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(600), "an old Excel or Word file, or a workbook with"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"\x89HDF\r\n\x1a\n" + bytes(9), "an HDF5 file"),
        (b"\x80\x04\x95" + bytes(9), "a Python pickle"),
        (b"  <!DOCTYPE html><table></table>", "a web page"),
        (b"x" * 257 + b"ustar" + bytes(300), "a tar archive"),
        (b"Rar!\x1a\x07" + bytes(9), "a RAR archive"),
    ],
)
def test_what_is_no_table_is_called_what_it_is(tmp_path, content, what):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    assert f"“table.csv” is {what}" in refusal(path)


def test_an_arrow_file_is_called_one(tmp_path):
    path = tmp_path / "a.feather"
    pyarrow.feather.write_feather(pa.table({"a": [1]}), path)
    assert "is an Arrow (Feather) file" in refusal(path)


@pytest.mark.parametrize("head", ["ORCA,b", "MZ,b", "BZh,b", "RIFF,b", "ID3,b"])
def test_a_table_whose_first_name_looks_like_a_signature_is_a_table(tmp_path, head):
    path = tmp_path / "a.csv"
    path.write_text(f"{head}\n1,2\n3,4\n", encoding="utf-8")
    assert read(path)[1] == [(1, 2), (3, 4)]


def sqlite_file(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as connection:
        for each in statements:
            connection.execute(each)
    connection.close()
    return path


SQLITE = (
    'CREATE TABLE "my t" (id INTEGER, "n, m" REAL, t TEXT, d DATE, moment DATETIME, mixed, '
    "age INTEGER, big INTEGER, data BLOB, part, odd DATE)",
    "INSERT INTO \"my t\" VALUES (1, 1.5, '007', '2024-02-29', '2024-01-02 03:04:05', 5, 30, "
    "9223372036854775807, x'00ff', 1, '2023-02-30')",
    "INSERT INTO \"my t\" VALUES (2, 2, 'é', NULL, '2024-01-02T00:00:00', 'x', 'NA', 1, "
    "NULL, 0.5, '2024-01-01')",
    'CREATE VIEW v AS SELECT id + 1 AS n, id FROM "my t"',
)


def test_a_sqlite_table_keeps_its_cells(tmp_path):
    path = sqlite_file(tmp_path / "a b#%3f.db", *SQLITE)
    assert containers.parts(path, "a.db") == ("my t", "v")
    preview, rows = read(path, "my t")
    moments = [datetime.datetime(2024, 1, 2, 3, 4, 5), datetime.datetime(2024, 1, 2)]
    assert rows == [
        (1, 1.5, "007", datetime.date(2024, 2, 29), moments[0], "5", 30, 2**63 - 1, b"\0\xff", 1.0,
         "2023-02-30"),
        (2, 2.0, "é", None, moments[1], "x", None, 1, None, 0.5, "2024-01-01"),
    ]  # fmt: skip
    assert dict(preview.columns) == {
        "id": "BIGINT", "n, m": "DOUBLE", "t": "VARCHAR", "d": "DATE", "moment": "TIMESTAMP",
        "mixed": "VARCHAR", "age": "BIGINT", "big": "BIGINT", "data": "BLOB", "part": "DOUBLE",
        "odd": "VARCHAR",
    }  # fmt: skip
    assert len(preview.notes) == 2
    assert "“mixed” holds numbers and texts: it was taken as text" in preview.notes[0]
    assert "“age” 1 × a sign for missing values" in preview.notes[1]
    assert read(path, "v")[1] == [(2, 1), (3, 2)]


def test_a_sqlite_file_of_many_columns_and_with_a_log_is_read(tmp_path):
    names = ", ".join(f"c{number}" for number in range(450))
    path = sqlite_file(
        tmp_path / "a.db", "PRAGMA journal_mode = WAL", f"CREATE TABLE t ({names})",
        f"INSERT INTO t VALUES ({', '.join(map(str, range(450)))})",
    )  # fmt: skip
    preview, rows = read(path)
    assert rows == [tuple(range(450))]
    assert "written with a log beside it (-wal)" in preview.notes[-1]


def test_whole_numbers_beyond_a_float_beside_fractions_stay_as_written(tmp_path):
    path = sqlite_file(
        tmp_path / "a.db", "CREATE TABLE t (a)", "INSERT INTO t VALUES (9007199254740993), (0.1)"
    )
    assert read(path)[1] == [("9007199254740993",), ("0.1",)]


def test_what_is_wrong_with_a_sqlite_file_is_told(tmp_path):
    path = sqlite_file(tmp_path / "a.db", "CREATE TABLE t (a)")
    assert "no rows" in refusal(path)
    path = sqlite_file(tmp_path / "b.db", "CREATE VIEW v AS SELECT * FROM gone")
    assert "cannot be read by SQLite (no such table: main.gone)" in refusal(path)
    path = sqlite_file(tmp_path / "c.db", "PRAGMA user_version = 3")
    assert "without a table" in refusal(path)
    path = sqlite_file(tmp_path / "d.db", *SQLITE)
    path.write_bytes(path.read_bytes()[:5000])
    assert "cut off or damaged" in refusal(path, "my t")
    path.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    assert "cut off or damaged" in refusal(path)


DUCKDB = (
    "CREATE TABLE t AS SELECT 1 AS a, 'x' AS b, 1.50::DECIMAL(4, 2) AS price, "
    "DATE '2024-02-29' AS d, 3::HUGEINT AS small, 170141183460469231731687303715884105727 AS big, "
    "[1, 2] AS l, INTERVAL 1 DAY AS i, TIMESTAMPTZ '2024-01-01 00:00:00+02' AS z",
    "CREATE SCHEMA other",
    "CREATE TABLE other.t AS SELECT 2 AS a",
    "CREATE VIEW sums AS SELECT sum(a) AS s, count(*) AS n FROM t",
    "CREATE VIEW secret AS SELECT * FROM read_csv('/etc/passwd', columns = {'a': 'VARCHAR'})",
)


def duckdb_file(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as con:
        for each in statements:
            con.execute(each)
    return path


def test_a_duckdb_table_keeps_its_cells(tmp_path):
    path = duckdb_file(tmp_path / "a.duckdb", *DUCKDB)
    assert set(containers.parts(path, "a.duckdb")) == {"t", "other.t", "sums", "secret"}
    preview, rows = read(path, "t")
    assert rows[0][:8] == (
        1, "x", Decimal("1.50"), datetime.date(2024, 2, 29), 3, str(2**127 - 1), [1, 2], "1 day"
    )  # fmt: skip
    assert rows[0][8].astimezone(datetime.UTC).isoformat() == "2023-12-31T22:00:00+00:00"
    assert dict(preview.columns)["small"] == "BIGINT"
    assert [note.split("”")[0] for note in preview.notes] == [
        "The column “i", "The column “big",
    ]  # fmt: skip
    assert read(path, "other.t")[1] == [(2,)]
    assert read(path, "sums")[1] == [(1, 1)]


def test_a_view_of_an_uploaded_file_reads_no_file_of_the_server(tmp_path):
    path = duckdb_file(tmp_path / "a.duckdb", *DUCKDB)
    assert "has a view “secret” that reads other files" in refusal(path, "secret")


def test_a_duckdb_file_that_is_held_newer_or_damaged_is_told(tmp_path):
    path = duckdb_file(tmp_path / "a.duckdb", *DUCKDB)
    program = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert "is open in another process" in refusal(path, "t")
        holder.communicate(b"\n")
    content = bytearray(path.read_bytes())
    content[12:20] = (9999).to_bytes(8, "little")
    newer = tmp_path / "newer.duckdb"
    newer.write_bytes(content)
    assert "newer DuckDB" in refusal(newer) or "damaged" in refusal(newer)
    newer.write_bytes(path.read_bytes()[:5000])
    assert "cut off or damaged" in refusal(newer)
