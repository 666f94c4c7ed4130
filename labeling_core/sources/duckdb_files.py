"""Tables and views of DuckDB files, opened beside the program's own and for reading only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core.settings import quote
from labeling_core.sources.import_errors import file_error
from labeling_core.sources.parquet_copy import OFFLINE, write_parquet
from labeling_core.sources.plain_files import Plain, damaged
from labeling_core.store.database import literal
from labeling_core.store.file_errors import is_held


class _Table(NamedTuple):
    schema: str
    name: str

    @property
    def called(self) -> str:
        """What people choose it by."""
        return self.name if self.schema == "main" else f"{self.schema}.{self.name}"


def parts(path: Path, name: str) -> tuple[str, ...]:
    """Its tables and views; those of other schemas than ``main`` with the schema before them."""
    with _open(path, name) as con:
        found = tuple(each.called for each in _tables(con))
    if not found:
        raise file_error(name, "is a DuckDB database without a table; choose another file")
    return found


def unpack(path: Path, name: str, part: str, folder: Path) -> Plain:
    """The table or view ``part``; LabelingError if it cannot be read."""
    target = folder / "table"
    with _open(path, name) as con:
        table = next(each for each in _tables(con) if each.called == part)
        # A view must not read other files of this machine: whoever made it is not known.
        con.execute(f"SET allowed_directories = [{literal(str(folder))}]")
        con.execute("SET enable_external_access = false")
        con.execute("SET lock_configuration = true")
        try:
            select = f"SELECT * FROM {quote(table.schema)}.{quote(table.name)}"
            notes = write_parquet(con, select, target)
        except duckdb.PermissionException as error:
            problem = f"has a view “{part}” that reads other files; make a table of it"
            raise file_error(name, problem) from error
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            first = str(error).splitlines()[0][:200]
            raise file_error(name, f"cannot be read at “{part}” ({first})") from error
    return Plain(target, name, notes)


def _tables(con: duckdb.DuckDBPyConnection) -> list[_Table]:
    return [
        _Table(*each)
        for each in con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = current_database() AND NOT internal UNION ALL "
            "SELECT schema_name, view_name FROM duckdb_views() "
            "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
        ).fetchall()
    ]


@contextmanager
def _open(path: Path, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database; what DuckDB has against it becomes one sentence."""
    try:
        with duckdb.connect(str(path), read_only=True, config=OFFLINE) as con:
            con.execute("SET TimeZone = 'UTC'")
            yield con
    except duckdb.Error as error:
        text = str(error)
        if is_held(error) or "different configuration" in text:
            raise file_error(
                name, "is open in another process; close that one first, or copy the file"
            ) from error
        if "newer version" in text or "version number" in text:
            raise file_error(
                name, "was written by a newer DuckDB; export the table as Parquet there"
            ) from error
        if "encrypt" in text.lower():
            raise file_error(name, "is encrypted; export the table as Parquet") from error
        raise damaged(name) from error
