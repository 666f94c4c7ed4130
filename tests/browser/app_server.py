"""The real app as a process of its own, to be frozen, held up, killed and looked into."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from labeling_core.projects.lifecycle import create_project
from labeling_core.projects.sample_projects import WINE_COLOUR, create_wine_colour
from labeling_core.settings import Category, Settings
from labeling_core.store.database import Database

ROOT = Path(__file__).resolve().parents[2]
# C and R are also keys of Streamlit (clear the cache, run again).
CATEGORIES = (Category("red", "pressed late"), Category("white"), Category("cava"))
# Cells that a page must not stumble over: markup, a long word, nothing at all, sixty columns.
ODD_TABLE = (
    "CREATE TABLE main.odd AS SELECT '<script>alert(1)</script><b>bold</b>' AS markup, "
    "repeat('word ', 500) || repeat('x', 3000) AS \"a long ‹text›\", NULL::DOUBLE AS nothing, i, "
    + ", ".join(f"i * {n} AS column_{n}" for n in range(60))
    + " FROM range(40) t(i)"
)


_held: list[socket.socket] = []


def free_port() -> int:
    """A port that nobody listens on, and that nobody else is given until this process ends.

    A server may listen on it, as it sets SO_REUSEADDR too; and again after it was killed.
    """
    holding = socket.socket()
    holding.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holding.bind(("127.0.0.1", 0))
    _held.append(holding)
    return int(holding.getsockname()[1])


@contextmanager
def serving_files(folder: Path, *projects: Settings) -> Iterator[AppServer]:
    """The app with a database in ``folder``, and projects of files below it."""
    server = AppServer(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        server.make_projects(list(projects))
        server.start()
    yield server
    server.stop()


class AppServer:
    """`streamlit run app.py` on 127.0.0.1 with a database of its own in ``folder``."""

    def __init__(self, folder: Path, base: str = "") -> None:
        """``base``: the path below which the app knows itself to be, such as ``/labeling``."""
        self.folder, self.base = folder, base
        self.path = folder / "deck.duckdb"
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None
        # The app with a thread beside it that can hold it up; or what a person would type.
        self.command = [sys.executable, str(Path(__file__).with_name("held_up_server.py"))]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.base}"

    def make_projects(self, settings: list[Settings], wines: bool = True) -> list[str]:
        """Make projects on the wine table, each with output tables of its own; their ids.

        Without ``wines`` that table is there already.
        """
        database = Database(self.path)
        try:
            if wines:
                create_wine_colour(database)
                with database.transaction() as cursor:
                    cursor.execute(ODD_TABLE)
            return [create_project(database, each).project_id for each in settings]
        finally:
            database.close()

    def make_tables(self, queries: dict[str, str], kind: str = "TABLE") -> None:
        """Make tables, or by ``kind`` views, each by a query, beside those of the wines."""
        database = Database(self.path)
        try:
            with database.transaction() as cursor:
                for name, query in queries.items():
                    cursor.execute(f"CREATE {kind} main.{name} AS {query}")
        finally:
            database.close()

    def start(self, *packages: Path) -> None:
        """Start the process, with folders of further packages, and wait until it answers."""
        self.log = (self.folder / "server.log").open("a", encoding="utf-8")
        self.process = subprocess.Popen(
            [*self.command, "--server.port", str(self.port), "--server.address", "127.0.0.1"]
            + (["--server.baseUrlPath", self.base] if self.base else []),
            cwd=ROOT,
            env=os.environ
            | {
                "LABELING_DATABASE": str(self.path),
                "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *packages])),
            },
            stdin=subprocess.PIPE,
            stdout=self.log,
            stderr=self.log,
            encoding="utf-8",
        )
        deadline = time.monotonic() + 300
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "server.log").read_text("utf-8")
                raise RuntimeError(f"no server: {log[-3000:]}")
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as response:
                return response.status == 200
        except OSError:
            return False

    def hold_up(self, what: str, number: float) -> None:
        """Stall the process for seconds: ``interpreter`` lock, ``database`` lock or ``cpu``; or
        have the deck put into another ``place`` of the page."""
        process = self._running()
        assert process.stdin
        process.stdin.write(f"{what} {number}\n")
        process.stdin.flush()

    def freeze(self) -> None:
        """The process stops where it is; connections stay open and nothing is answered."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)  # each of its threads, in the midst of a write, too

    def thaw(self) -> None:
        self._running().send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: no goodbye, no clean-up."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        if self.process:
            self._end(signal.SIGTERM)

    def _running(self) -> subprocess.Popen[str]:
        assert self.process, "the server is not running"
        return self.process

    def _end(self, how: signal.Signals) -> None:
        process = self._running()
        process.send_signal(how)
        process.wait(timeout=120)
        if process.stdin:
            process.stdin.close()
        self.log.close()
        self.process = None

    def tables(self) -> duckdb.DuckDBPyConnection:
        """Open what a crash at this moment would leave: the frozen process's files, copied."""
        copy = self.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        if self.process:
            self.freeze()
        for file in self.path.parent.glob(f"{self.path.name}*"):
            if file.is_file():
                shutil.copy(file, copy)
        if self.process:
            self.thaw()
        return duckdb.connect(str(copy / self.path.name))


def settings_for(name: str, **changes: Any) -> Settings:
    """Settings of a project on the wine table; without active learning unless asked for."""
    plain = replace(
        WINE_COLOUR,
        title=name,
        categories=CATEGORIES,
        labels_table=f"{name}_labels",
        metadata_table=f"{name}_metadata",
        queries_table="",
        test_table="",
        probe_share=0.0,
    )
    return replace(plain, **changes)


def decisions(server: AppServer, project: str) -> list[tuple[str, str | None, str | None]]:
    """(sample_id, category or None, comment) of a project's metadata, oldest first.

    Checks on the way that metadata, labels and the event log tell the same story.
    """
    connection = server.tables()
    try:
        rows = connection.execute(
            f"SELECT sample_id, label, comment, status, label_id FROM {project}_metadata "
            "ORDER BY label_id"
        ).fetchall()
        labels = connection.execute(
            f"SELECT label_id, label FROM {project}_labels ORDER BY label_id"
        ).fetchall()
        numbers = connection.execute(
            "SELECT client, list(seq ORDER BY event_id) FROM labeling.events "
            "WHERE project_id = ? AND seq IS NOT NULL GROUP BY client",
            [project],
        ).fetchall()
    finally:
        connection.close()
    assert len({row[0] for row in rows}) == len(rows), "a sample is decided twice"
    assert labels == [(row[4], row[1]) for row in rows if row[3] == "LABELED"]
    for client, seqs in numbers:
        assert seqs == list(range(1, len(seqs) + 1)), f"{client}: not once each, in order"
    return [row[:3] for row in rows]
