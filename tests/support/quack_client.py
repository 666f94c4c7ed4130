"""Runs the statements that come in, one a line as JSON, in a DuckDB with the extension `quack`."""

from __future__ import annotations

import importlib.resources
import json
import sys
from pathlib import Path

import duckdb

connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
for name in ("httpfs", "quack"):
    package = Path(str(importlib.resources.files(f"duckdb_extension_{name}")))
    (file,) = package.rglob(f"{name}.duckdb_extension")
    connection.execute(f"LOAD '{file}'")
for line in sys.stdin:
    try:
        answer = {"rows": connection.execute(json.loads(line)).fetchall()}
    except duckdb.Error as error:
        answer = {"error": str(error)}
    print(json.dumps(answer, default=str), flush=True)
