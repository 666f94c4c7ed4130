"""DuckDB 1.5.5 with the extension `quack`, whatever version these tests run with, and clients."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import from_pypi

ROOT = Path(__file__).resolve().parents[2]
VERSION = "1.5.5"
NEEDED = [f"{each}=={VERSION}" for each in
          ("duckdb", "duckdb-extension-quack", "duckdb-extension-httpfs")]  # fmt: skip


def install(folder: Path) -> Path:
    """A folder with these packages for a PYTHONPATH."""
    return from_pypi.install(folder, *NEEDED)


def environment(packages: Path) -> dict[str, str]:
    """The environment of a program that finds these packages first."""
    return os.environ | {"PYTHONPATH": os.pathsep.join((str(packages), str(ROOT)))}


def free_ports() -> int:
    """A port that nobody listens on, nor on the next one; DuckDB shares none with a holder."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as first:
            port = int(first.getsockname()[1])
            with suppress(OSError), socket.create_server(("127.0.0.1", port + 1)):
                return port


class RefusedError(Exception):
    """What the server, or DuckDB in the client, has against a statement."""


class Client:
    """A process of its own with a DuckDB that attaches the server as ``live``."""

    def __init__(self, packages: Path, port: int, token: str) -> None:
        self.address = f"quack:localhost:{port}"
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("quack_client.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            env=environment(packages),
        )  # fmt: skip
        self.token = token

    def attach(self) -> None:
        """Connect, by the token if there is one; RefusedError where that is not let in."""
        self.ask("DETACH DATABASE IF EXISTS live")
        if self.token:
            self.ask(f"CREATE OR REPLACE SECRET (TYPE quack, TOKEN '{self.token}')")
        self.ask(f"ATTACH '{self.address}' AS live")

    def ask(self, statement: str) -> list[list[Any]]:
        """The rows of a statement that the client runs."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(statement) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RefusedError(answer["error"])
        return list(answer["rows"])

    def at_server(self, statement: str) -> list[list[Any]]:
        """The rows of a statement as it is sent to the server, letter by letter."""
        quoted = statement.replace("'", "''")
        return self.ask(f"SELECT * FROM quack_query_by_name('live', '{quoted}')")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
