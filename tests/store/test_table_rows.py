"""The rows of a table: whether there are any, how many, and the first of them."""

from __future__ import annotations

from annotating import make_source

from labeling_core.store.database import Database
from labeling_core.store.table_rows import first_rows, has_rows, row_count


def test_rows_are_counted_and_the_first_of_them_read(database: Database) -> None:
    make_source(database, rows=12, table='"odd ""name"""')
    with database.read() as cursor:
        assert has_rows(cursor, 'odd "name"')
        assert row_count(cursor, 'odd "name"') == 12
        first = first_rows(cursor, 'odd "name"')
        assert first is not None
        assert list(first.columns) == ["bottle", "acidity", "cask"]
        assert first["bottle"].tolist() == [0, 1, 2, 3, 4]
        two = first_rows(cursor, 'odd "name"', 2)
        assert two is not None and len(two) == 2


def test_an_empty_table_and_one_that_is_not_there(database: Database) -> None:
    make_source(database, rows=0)
    with database.read() as cursor:
        assert not has_rows(cursor, "wine")
        assert row_count(cursor, "wine") == 0
        assert row_count(cursor, "beer") is None
        assert first_rows(cursor, "beer") is None
