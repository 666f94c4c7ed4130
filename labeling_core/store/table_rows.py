"""The rows of any table of the database: whether there are any."""

from __future__ import annotations

import duckdb

from labeling_core.settings import quote


def has_rows(cursor: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Whether ``main.table`` has a row."""
    return cursor.execute(f"SELECT 1 FROM main.{quote(table)} LIMIT 1").fetchone() is not None
