"""The rows of any table of the database: whether there are any, how many, and the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from labeling_core.settings import quote
from labeling_core.store.database import columns

if TYPE_CHECKING:
    import pandas as pd


def has_rows(cursor: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether ``main.table`` has a row."""
    return cursor.execute(f"SELECT 1 FROM main.{quote(table)} LIMIT 1").fetchone() is not None


def row_count(cursor: duckdb.DuckDBPyConnection, table: str) -> int | None:
    """How many rows ``main.table`` has; None if there is no such table."""
    if not columns(cursor, table):
        return None
    row = cursor.execute(f"SELECT count(*) FROM main.{quote(table)}").fetchone()
    return int(row[0]) if row else None


def first_rows(
    cursor: duckdb.DuckDBPyConnection, table: str, number: int = 5
) -> pd.DataFrame | None:
    """The first rows of ``main.table``; None if there is no such table."""
    if not columns(cursor, table):
        return None
    return cursor.execute(f"SELECT * FROM main.{quote(table)} LIMIT {number:d}").df()
