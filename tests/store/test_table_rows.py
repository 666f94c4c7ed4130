"""The rows of a table: whether there are any."""

from __future__ import annotations

from annotating import make_source

from labeling_core.store.database import Database
from labeling_core.store.table_rows import has_rows


def test_whether_a_table_has_rows(database: Database) -> None:
    make_source(database, rows=12, table='"odd ""name"""')
    make_source(database, rows=0)
    with database.read() as cursor:
        assert has_rows(cursor, 'odd "name"')
        assert not has_rows(cursor, "wine")
