"""Folders of Parquet files as a table: read where they lie, and what is left out is said."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import table_named
from labeling_core.settings import Column, Settings
from labeling_core.sources import parquet_folders, parquet_notes
from labeling_core.sources.parquet_folders import ParquetFolder, pattern_of
from labeling_core.store.database import Database, literal

TABLE = ParquetFolder()


def write(path: Path, sql: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"COPY ({sql}) TO {literal(str(path))} (FORMAT parquet)")


@pytest.fixture
def readings(media: Path) -> Path:
    folder = media / "readings"
    write(folder / "year=2025" / "b.parquet", "SELECT i AS n, i * 0.5 AS x FROM range(3) t(i)")
    write(folder / "year=2026" / "a.parquet", "SELECT i AS n, i * 0.5 AS x FROM range(3, 5) t(i)")
    return folder


@pytest.mark.parametrize(
    ("typed", "source"),
    [
        ("readings", "readings/**/*.parquet"),
        ("readings/", "readings/**/*.parquet"),
        ("readings/*/a?.parquet", "readings/*/a?.parquet"),
        ("a\\b", "a/b/**/*.parquet"),
        ("", ""),
    ],
)
def test_what_a_folder_is_called(typed: str, source: str) -> None:
    assert pattern_of(typed) == source
    assert parquet_folders.is_pattern(source) == bool(source)


@pytest.mark.parametrize("typed", ["readings/*.csv", "readings/one.parquet"])
def test_other_files_are_refused(typed: str) -> None:
    with pytest.raises(LabelingError) as caught:
        pattern_of(typed)
    assert caught.value.field == "source"


def test_a_table_may_be_called_like_a_file(database: Database) -> None:
    assert type(table_named("one.parquet")) is not ParquetFolder
    assert type(table_named("all*.parquet")) is ParquetFolder


def test_rows_come_in_the_order_of_names_with_the_keys_of_folders(
    database: Database, readings: Path
) -> None:
    source = pattern_of(str(readings))
    with database.read() as cursor:
        assert TABLE.columns(cursor, source) == [
            ("n", "BIGINT"), ("x", "DECIMAL(21,1)"), ("year", "BIGINT")
        ]  # fmt: skip
        found = cursor.execute(f"SELECT n, year FROM {TABLE.rows(cursor, source)}").fetchall()
        assert found == [(0, 2025), (1, 2025), (2, 2025), (3, 2026), (4, 2026)]
        assert TABLE.count(cursor, source) == 5 and TABLE.mistake(cursor, source) == ""
        some = f"{readings}/year=2026/?.parquet"
        assert TABLE.count(cursor, some) == 2


def test_columns_that_are_left_are_not_read(database: Database, readings: Path) -> None:
    source = pattern_of(str(readings))
    some = ParquetFolder(["x"])
    with database.read() as cursor:
        assert [name for name, _ in some.columns(cursor, source)] == ["n", "year"]
        plan = cursor.execute(f"EXPLAIN SELECT * FROM {some.rows(cursor, source)}").fetchall()
    assert "x" not in str(plan).split("Projections:")[1].split("Total")[0].replace("─", "").split()


def test_only_columns_that_are_neither_shown_nor_learned_stay_in_the_files() -> None:
    columns = (Column("a", "neither"), Column("b", "shown"))
    settings = parquet_folders.taken(Settings(source="r/*.parquet", columns=columns))
    assert settings.left_in_files == ("a",) and settings.columns == (Column("b", "shown"),)
    table = Settings(source="wine", columns=columns)
    assert parquet_folders.taken(table) == table


def test_what_is_guessed_and_left_out_is_said(database: Database, readings: Path) -> None:
    write(readings / "year=2026" / "c.parquet", "SELECT 'x' AS n, {'n': 1, 'q': 2} AS both")
    write(readings / "_tmp" / "d.parquet", "SELECT 1 AS n")
    (readings / "_SUCCESS").touch()
    (readings / "notes.csv").write_text("a", "utf-8")
    with database.read() as cursor:
        said = parquet_notes.notes(cursor, pattern_of(str(readings)))
        some = parquet_notes.notes(cursor, f"{readings}/*=2025/*.parquet")
    assert said[0] == "6 rows in 3 files, in the order of their names."
    assert said[1] == "From the names of folders: “year”."
    assert "The column “x” is missing in 1 file: no values there." in said
    assert "The column “both” is missing in 2 files: no values there." in said
    assert any("“n” is BIGINT and VARCHAR" in each for each in said)
    assert sum("“q”" in each for each in said) == 0
    assert any("begins with _" in each and "_tmp/d.parquet" in each for each in said)
    assert any("notes.csv" in each for each in said)
    assert any("does not match" in each for each in some)


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"PAR1 and no more", "“z.parquet” cannot be read"), (b"", "“z.parquet” cannot be read")],
)
def test_a_damaged_file_is_named(
    database: Database, readings: Path, content: bytes, told: str
) -> None:
    (readings / "year=2026" / "z.parquet").write_bytes(content)
    source = pattern_of(str(readings))
    with database.read() as cursor:
        assert told in TABLE.mistake(cursor, source)
        assert TABLE.columns(cursor, source) == [] and TABLE.exists(cursor, source)
        with pytest.raises(LabelingError, match=r"z\.parquet"):
            TABLE.listed(cursor, source)


def test_what_cannot_be_a_source(database: Database, media: Path, tmp_path: Path) -> None:
    write(media / "empty" / "a.parquet", "SELECT 1 AS n LIMIT 0")
    write(media / "mixed" / "a=1" / "a.parquet", "SELECT 1 AS n")
    write(media / "mixed" / "b=1" / "a.parquet", "SELECT 1 AS n")
    (media / "none").mkdir()
    outside = tmp_path / "outside"
    write(outside / "a.parquet", "SELECT 1 AS n")
    with database.read() as cursor:
        told = {
            name: TABLE.mistake(cursor, pattern_of(str(media / name)))
            for name in ("empty", "mixed", "none", "nowhere")
        }
        assert "have no rows" in told["empty"]
        assert "names before their =" in told["mixed"]
        assert "No Parquet file of the folder" in told["none"]
        assert "There is no folder" in told["nowhere"]
        assert "lies outside" in TABLE.mistake(cursor, pattern_of(str(outside)))
        assert "contains '..'" in TABLE.mistake(cursor, "../**/*.parquet")
        for elsewhere in ("s3://bucket/readings", "https://host/readings"):
            told = TABLE.mistake(cursor, pattern_of(elsewhere))
            assert "lies outside of the remote folders that may be read" in told
        (media / "none" / "a.parquet").symlink_to(outside / "a.parquet")
        assert "No Parquet file" in TABLE.mistake(cursor, pattern_of(str(media / "none")))


def test_names_with_wildcards_are_taken_as_they_are(database: Database, media: Path) -> None:
    write(media / "odd" / "a[1]'s.parquet", "SELECT 1 AS n")
    write(media / "odd" / "a1's.parquet", "SELECT 2 AS n")
    with database.read() as cursor:
        source = pattern_of(str(media / "odd"))
        found = cursor.execute(f"SELECT n FROM {TABLE.rows(cursor, source)}").fetchall()
    assert sorted(found) == [(1,), (2,)]
