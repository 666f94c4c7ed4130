"""A table and a folder answer the same questions, each in its own way."""

from __future__ import annotations

from pathlib import Path

import pytest
from annotating import make_source

from labeling_core.errors import LabelingError
from labeling_core.sources.sample_sources import FolderSource, TableSource
from labeling_core.store.database import Database

TABLE, FOLDER = TableSource(), FolderSource("notes", frozenset({".txt"}))


def test_a_table(database: Database) -> None:
    make_source(database, rows=3)
    make_source(database, rows=0, table="empty")
    with database.read() as cursor:
        assert TABLE.exists(cursor, "wine") and not TABLE.exists(cursor, "beer")
        assert [name for name, _ in TABLE.columns(cursor, "wine")] == ["bottle", "acidity", "cask"]
        listed = TABLE.listed(cursor, "wine")
        assert len(cursor.execute(f"SELECT * FROM {listed.rows}").fetchall()) == 3
        mistakes = [TABLE.mistake(cursor, each) for each in ("wine", "empty", "beer")]
    assert mistakes == [
        "",
        "The table “empty” has no rows.",
        "There is no table “beer” in the database.",
    ]
    assert TABLE.root(database.path.parent, "wine") == ""
    assert TABLE.beside("wine") == "table “wine”"


def test_rows_are_counted_and_the_first_of_them_read(database: Database) -> None:
    make_source(database, rows=12, table='"odd ""name"""')
    make_source(database, rows=0)
    with database.read() as cursor:
        assert TABLE.count(cursor, 'odd "name"') == 12
        first = TABLE.first_rows(cursor, 'odd "name"')
        assert first is not None
        assert list(first.columns) == ["bottle", "acidity", "cask"]
        assert first["bottle"].tolist() == [0, 1, 2, 3, 4]
        two = TABLE.first_rows(cursor, 'odd "name"', 2)
        assert two is not None and len(two) == 2
        assert TABLE.count(cursor, "wine") == 0
        assert TABLE.count(cursor, "beer") is None
        assert TABLE.first_rows(cursor, "beer") is None


def test_a_folder(database: Database, media: Path) -> None:
    (media / "sub").mkdir()
    for name in ("a.txt", "sub/b.TXT", "c.png"):
        (media / name).write_text(name, "utf-8")
    name = str(media)
    with database.read() as cursor:
        assert FOLDER.exists(cursor, name) and not FOLDER.exists(cursor, "nowhere")
        assert FOLDER.columns(cursor, name) == [("path", "VARCHAR")]
        listed = FOLDER.listed(cursor, name)
        found = cursor.execute(f"SELECT path FROM {listed.rows} ORDER BY path").fetchall()
        assert found == [("a.txt",), ("sub/b.TXT",)]
        assert FOLDER.mistake(cursor, name) == ""
        assert "There is no folder" in FOLDER.mistake(cursor, "nowhere")
        none = FolderSource("films", frozenset({".mp4", ".avi"})).mistake(cursor, name)
        with pytest.raises(LabelingError):
            FOLDER.listed(cursor, "nowhere")
    assert none == f"The folder “{name}” holds no films (.avi, .mp4)."
    assert FOLDER.root(database.path.parent, name) == str(media.resolve())


@pytest.mark.parametrize(
    ("values", "kept", "fine"),
    [
        ("(1.0), (NULL)", "INTEGER", True),
        ("(1.5), (2.0)", "INTEGER", False),
        ("('a')", "VARCHAR", True),
    ],
)
def test_values_of_another_type_are_looked_at(
    database: Database, values: str, kept: str, fine: bool
) -> None:
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE wine AS SELECT * FROM (VALUES {values}) AS t(a)")
        found = TABLE.columns(cursor, "wine")
        if fine:
            TABLE.require_values(cursor, "wine", [("a", kept)], found)
        else:
            with pytest.raises(LabelingError, match=r"holds “1\.5” now"):
                TABLE.require_values(cursor, "wine", [("a", kept)], found)
    FOLDER.require_values(cursor, "anywhere", [("path", "VARCHAR")], [("path", "INTEGER")])
