"""The child program that answers SQL sessions: a DuckDB of its own, which holds nothing but copies.

What a session can reach is safe by what there is here, not by what is looked for in its SQL: the
database file is not attached, only copies of the tables that may be seen, read-only; no other file
can be opened, no setting changed. DuckDB's protocol appends rows without asking whether that is
allowed (seen in 1.5.5), so what has a name a session can append to is a view. On top of that only
SELECT is answered, with few table functions: others start servers, or write logs.
"""

from __future__ import annotations

import importlib.resources
import json
import os
import secrets
import sys
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.config import SQL
from labeling_core.errors import LabelingError
from labeling_core.modalities.child_program import own_pipes
from labeling_core.settings import quote
from labeling_core.store.database import literal
from labeling_core.store.removal import remove

EXTENSIONS = ("httpfs", "quack")  # quack draws its session numbers with the cryptography of httpfs
LOCAL = ("localhost", "127.0.0.1", "[::1]")
ROOM = 4 << 30  # bytes of addresses: one value may be larger than DuckDB's own limit
# Looked up by clients when they attach, and of no effect on anything.
FUNCTIONS = (
    "range", "generate_series", "unnest", "duckdb_tables", "duckdb_views", "duckdb_columns",
    "duckdb_schemas", "json_each", "json_tree",
)  # fmt: skip
MISSING = (
    "DuckDB {version} has no extension “quack” here: install it with `python -m pip install "
    "duckdb==1.5.5 duckdb-extension-quack==1.5.5 duckdb-extension-httpfs==1.5.5`, or, for another "
    "DuckDB, by its `INSTALL quack` and `INSTALL httpfs`; then start the app again."
)
_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": "1",
    "memory_limit": "512MB",
    "temp_directory": "",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}


def connect() -> duckdb.DuckDBPyConnection:
    """A DuckDB in memory with the extensions; duckdb.Error where one is not installed."""
    connection = duckdb.connect(config=_SETTINGS)
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    for each in EXTENSIONS:
        connection.execute(f"LOAD {_packaged(each) or each}")
    return connection


def _packaged(extension: str) -> str:
    """The extension as a package of PyPI brings it for this DuckDB, as a literal; "" without."""
    try:
        package = Path(str(importlib.resources.files(f"duckdb_extension_{extension}")))
    except ModuleNotFoundError:
        return ""
    name = f"{extension}.duckdb_extension"
    found = package / "extensions" / f"v{duckdb.__version__}" / name
    return literal(str(found)) if found.is_file() else ""


def lock(connection: duckdb.DuckDBPyConnection, token: str, folders: Sequence[str]) -> None:
    """Let nobody in but with a token of this SHA-256, to nothing but SELECT, and to no file but
    the copies in ``folders``; from then on no setting can be changed.

    Only the digest is compared: how long that takes tells nothing about the token.
    """
    kinds, opened = (", ".join(map(literal, each)) for each in (FUNCTIONS, folders))
    parsed = "json_serialize_sql(query::VARCHAR)"
    called = f"json_extract_string({parsed}, t.path || '.function.function_name')"
    connection.execute(
        "CREATE SCHEMA gate; "
        f"CREATE MACRO gate.known(session, token, ours) AS sha256(token) = {literal(token)}; "
        "CREATE MACRO gate.reads(session, query) AS coalesce("
        f"json_extract_string({parsed}, '$.error') = 'false' AND NOT EXISTS ("
        f"FROM json_tree({parsed}) AS t WHERE t.key = 'type' AND t.type = 'VARCHAR' "
        "AND json_extract_string(t.value, '$') = 'TABLE_FUNCTION' "
        f"AND coalesce({called} NOT IN ({kinds}), true)), false); "
        "SET GLOBAL quack_authentication_function = 'memory.gate.known'; "
        "SET GLOBAL quack_authorization_function = 'memory.gate.reads'; "
        f"SET GLOBAL allowed_directories = [{opened}]; "
        "SET GLOBAL enable_external_access = false; "
        "SET GLOBAL lock_configuration = true"
    )


def serve(connection: duckdb.DuckDBPyConnection, address: str) -> None:
    """Listen at ``quack:HOST:PORT``; its own machine only unless the host says otherwise.

    What is answered gives way to everything else on the machine: on Linux threads have the
    niceness of the one that starts them. Raises duckdb.Error where nothing can listen.
    """
    host = address.removeprefix("quack:").rpartition(":")[0]
    values = [address, secrets.token_urlsafe(), host not in LOCAL]
    failed: list[duckdb.Error] = []

    def listen() -> None:
        if sys.platform != "win32":
            os.nice(10)
        try:
            connection.execute("CALL quack_serve(?, token => ?, allow_other_hostname => ?)", values)
        except duckdb.Error as error:
            failed.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def show(
    connection: duckdb.DuckDBPyConnection,
    attach: dict[str, str],
    views: Iterable[tuple[str, str, str]],
    detach: Iterable[str],
) -> None:
    """Attach new copies (name → file), have the views (schema, name, SELECT) read them, all at
    once, and let go of old copies and of every other view."""
    for name, path in attach.items():
        connection.execute(f"ATTACH {literal(path)} AS {name} (READ_ONLY)")
    wanted = {(schema, name): select for schema, name, select in views}
    there = connection.execute(
        "SELECT schema_name, view_name FROM duckdb_views() "
        "WHERE NOT internal AND database_name = 'memory'"
    ).fetchall()
    connection.execute("BEGIN")
    for schema, name in set(there) - set(wanted):
        connection.execute(f"DROP VIEW {quote(schema)}.{quote(name)}")
    for (schema, name), select in wanted.items():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
        connection.execute(f"CREATE OR REPLACE VIEW {quote(schema)}.{quote(name)} AS {select}")
    connection.execute("COMMIT")
    for name in detach:
        with suppress(duckdb.Error):  # somebody reads it still
            connection.execute(f"DETACH {name}")


def _bounded() -> None:
    """End rather than take all of the machine's memory."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (ROOM, ROOM))


def opened(order: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """The DuckDB that serves what the order says; LabelingError with one sentence if it cannot."""
    try:
        connection = connect()
    except duckdb.Error as error:
        raise LabelingError(MISSING.format(version=duckdb.__version__)) from error
    _bounded()
    lock(connection, order["token"], order["folders"])
    try:
        serve(connection, order["address"])
    except duckdb.Error as error:
        raise LabelingError(
            f"Nothing can listen at {order['address']}: another program may do so already. Set "
            f"{SQL.name} to another port, or end that program."
        ) from error
    return connection


def main() -> None:
    """Answer the app's orders, one line of JSON each, until it is gone.

    The first says where to listen, the others what to show (see :func:`show`).
    """
    orders, answers = own_pipes()
    connection: duckdb.DuckDBPyConnection | None = None
    folders: list[str] = []
    for line in orders:
        order: dict[str, Any] = json.loads(line)
        folders = order.get("folders", folders)
        answer: dict[str, Any] = {}
        try:
            if connection is None:
                connection = opened(order)
            else:
                show(connection, order["attach"], order["views"], order["detach"])
        except (LabelingError, duckdb.Error) as error:
            answer = {"error": str(error).splitlines()[0][:400]}
        with suppress(OSError):  # it may be gone already
            answers.write(json.dumps(answer) + "\n")
    for each in folders:  # the app may have been killed: nobody else is left to do it
        remove(Path(each).parent)
    os._exit(0)  # DuckDB would wait for sessions that are still open


if __name__ == "__main__":
    main()
