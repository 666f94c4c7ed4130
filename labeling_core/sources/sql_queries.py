"""A SELECT over the project's own database, whose rows become a table.

It reads the tables of people in this database and nothing else: no file, no address, no other
schema, and it changes nothing.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.people import Person
from labeling_core.sources import importing
from labeling_core.sources.parquet_copy import write_parquet
from labeling_core.sources.uploads import Upload, discard_table, waiting_table
from labeling_core.store.database import Database, tables

LONGEST = 60.0  # seconds
# Functions in the place of a table that read nothing from outside.
_TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# Functions that tell of this machine or of the session, or change something.
_FORBIDDEN = re.compile(
    r"read_|getenv|current_setting|getvariable|nextval|currval|setseed|write_log|query$|"
    r"query_table|glob|.*_scan|pragma_|duckdb_|set_config|http_|sniff_|load_"
)


def query_table(database: Database, sql: str, by: Person) -> Upload:
    """The rows of one SELECT over the database, as an upload that waits.

    Raises LabelingError (``field="query"``) for a mistake in it, or if it reads anything else.
    """
    by.require("manage")
    path = waiting_table(database.path.parent)
    try:
        with database.read() as cursor:
            notes = write_query(cursor, sql, path)
        preview = importing.inspect(path, "query")
    except LabelingError:
        discard_table(path)
        raise
    return Upload(path, replace(preview, notes=(*notes, *preview.notes)))


def require_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> str:
    """``sql`` without what ends it, if it is one SELECT that reads tables of ``main`` only.

    Raises LabelingError (``field="query"``) with one sentence otherwise.
    """
    try:
        statements = cursor.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise _mistake("Enter one SELECT: it may read the tables of this database.")
        row = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    except duckdb.Error as error:
        raise _not_run(error) from error
    tree = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise _mistake("Enter one plain SELECT; this kind of statement cannot be checked.")
    nodes = list(_nodes(tree["statements"]))
    known = {name.lower() for name in tables(cursor)}
    known |= {str(name).lower() for node in nodes for name in _common_names(node)}
    for node in nodes:
        _require_harmless(node, known)
    return statements[0].query.strip().rstrip(";")


def write_query(cursor: duckdb.DuckDBPyConnection, sql: str, target: Path) -> tuple[str, ...]:
    """Write what the SELECT yields to the Parquet file ``target``; a note per conversion.

    Raises LabelingError (``field="query"``) for a mistake in it, or if it takes too long.
    """
    select = require_select(cursor, sql)
    timer = threading.Timer(LONGEST, cursor.interrupt)
    timer.start()
    try:
        return write_parquet(cursor, select, target)
    except duckdb.InterruptException as error:
        raise _mistake(
            f"The query takes longer than {LONGEST:.0f} seconds: let it read less."
        ) from error
    except duckdb.Error as error:
        raise _not_run(error) from error
    finally:
        timer.cancel()


def _nodes(part: Any) -> Iterator[dict[str, Any]]:
    """All objects in the tree of a statement."""
    stack = [part]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            yield here
            stack += here.values()
        elif isinstance(here, list):
            stack += here


def _common_names(node: dict[str, Any]) -> list[Any]:
    """What a WITH calls its parts."""
    cte = node.get("cte_map")
    return [each["key"] for each in cte.get("map", [])] if isinstance(cte, dict) else []


def _require_harmless(node: dict[str, Any], known: set[str]) -> None:
    kind = node.get("type")
    function = str(node.get("function_name") or "").lower()
    if kind == "TABLE_FUNCTION":
        called = str((node.get("function") or {}).get("function_name", "")).lower()
        if called not in _TABLE_FUNCTIONS:
            raise _mistake(f"“{called}” cannot be used here: a query reads tables only.")
    if kind == "BASE_TABLE":
        name = str(node.get("table_name", ""))
        if node.get("catalog_name") or str(node.get("schema_name") or "main").lower() != "main":
            raise _mistake(f"“{name}” is in another schema than main: take one of main.")
        if name.lower() not in known:
            raise _mistake(f"There is no table “{name}” in this database.")
    if function and _FORBIDDEN.match(function):
        raise _mistake(f"“{function}” cannot be used here: a query reads tables only.")


def _not_run(error: Exception) -> LabelingError:
    lines = [line for line in str(error).splitlines() if line.strip()]
    first = re.sub(r"^\w+ Error: ", "", lines[0] if lines else "it failed").strip().rstrip(".!")
    return _mistake(f"The query cannot be run: {first[:300]}.")


def _mistake(sentence: str) -> LabelingError:
    return LabelingError(sentence, "query")
