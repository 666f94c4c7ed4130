"""The door of the app: who may come in, what may be asked for there, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from annotating import SETTINGS, make_source

import labeling_core as lc
from labeling_core.config import child_environment
from labeling_core.notebook import doorway, wire
from labeling_core.notebook.database_work import DatabaseWork
from labeling_core.notebook.door import Door
from labeling_core.notebook.wire import Wire
from labeling_core.notebook.work import NextSample, ProjectWork
from labeling_core.progress.label_filter import Wanted
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Category, Settings
from labeling_core.store.eventlog import Filter as EventFilter
from labeling_core.workspace import Workspace


@pytest.fixture(params=["socket", "port"])
def path(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A database with the project `wine` that the app has open, and its door."""
    if request.param == "port":  # as on Windows
        monkeypatch.setattr(doorway, "BY_PORT", True)
        monkeypatch.setattr(doorway.Listener, "address_family", socket.AF_INET)
    workspace = Workspace(tmp_path / "app.duckdb")
    make_source(workspace.database)
    create_project(workspace.database, SETTINGS)
    opened = Door(workspace)
    yield workspace.database.path
    opened.close()
    workspace.close()


def test_what_crosses_is_what_comes_out(tmp_path: Path) -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    for value in (
        None, 1, 0.5, float("inf"), "ß", True, b"\x00", [1, [2]], (1, (2,)), {"$": [1], 3: (4,)},
        moment, Settings("a", categories=(Category("x"), Category("y", newer={"then": 1}))),
        NextSample("1", {"tuple": 1}), Wanted(("a",), since=moment, agreement=0.5),
    ):  # fmt: skip
        files: list[Path] = []
        assert wire.decode(wire.encode(value, files), files) == value
    with pytest.raises(lc.Error, match="cannot be handed to the app"):
        wire.encode(object(), [])
    with pytest.raises(lc.Error, match="cannot be handed to the app"):
        wire.encode(EventFilter("wine"), [])  # a tuple, and more than that


def test_the_owner_comes_in_and_nobody_else(path: Path) -> None:
    place = doorway.door_of(path)
    assert place.parent == doorway.files_of(path)
    if not doorway.BY_PORT:
        assert place.stat().st_mode & 0o777 == 0o600
    with lc.open(path, "ana") as opened:
        assert list(opened.projects) == ["wine"]
    key = doorway.files_of(path) / "signing.key"
    kept = key.read_bytes()
    connection = doorway.connect(path)
    assert connection is not None
    key.write_bytes(b"another")  # whoever comes reads another one than the app does
    assert not _greets(connection, b"wrong")
    key.write_bytes(kept)
    with lc.open(path) as opened:  # and the door is open for the owner as before
        assert list(opened.projects) == ["wine"]


def _greets(connection: socket.socket, key: bytes) -> bool:
    with connection, closing(Wire(connection)) as ours:
        try:
            return ours.greet(key, doorway.CLIENT, doorway.SERVER)
        except EOFError:
            return False


@pytest.mark.posix
def test_another_user_is_refused_by_the_socket_and_by_whoever_listens() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        workspace = Workspace(Path(folder) / "app.duckdb")
        path, opened = workspace.database.path, Door(workspace)
        try:
            if os.geteuid():  # nobody can be somebody else then; so the app is
                assert opened._listener is not None
                opened._listener.owner += 1
            else:
                with _somebody_else():
                    assert doorway.connect(path) is None
                doorway.door_of(path).chmod(0o666)  # if the file system did not heed it
            with _somebody_else():
                connection = doorway.connect(path)
            assert connection is not None
            assert not _greets(connection, doorway.key_of(path))
        finally:
            opened.close()
            workspace.close()
        assert not doorway.door_of(path).exists()


@contextmanager
def _somebody_else() -> Iterator[None]:
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_is_no_work_of_a_notebook_cannot_be_asked_for(path: Path) -> None:
    with lc.open(path) as opened:
        app = opened._work._app
        for project_id, name, arguments in (
            ("wine", "_exchange", []), ("wine", "__init__", [1, 2, 3]), ("", "close", []),
            ("wine", "next", []), ("wine", "next", [1, 2]), ("", "__class__", []),
        ):  # fmt: skip
            with pytest.raises(lc.Error, match="of another version"):
                app.call(project_id, name, *arguments)
        with pytest.raises(lc.Error, match="no project “beer”"):
            opened.project("beer")
        with pytest.raises(lc.Error, match="unexpected fault"):
            app.call("wine", "table_file", "nothing")
        assert opened.project("wine").settings.title == SETTINGS.title  # and it goes on


def test_strangers_are_sent_away_whatever_they_say(path: Path) -> None:
    for said in (
        b"",
        b"\xff\xff\xff\xff",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x00\x00\x00\x20" + b"x" * 99,
    ):
        connection = doorway.connect(path)
        assert connection is not None
        with connection:
            connection.sendall(said)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(4096):
                pass
    with lc.open(path) as opened:
        assert list(opened.projects) == ["wine"]


def test_a_door_that_leads_nowhere_is_passed_over(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other.duckdb"
    Workspace(elsewhere).close()
    place = doorway.door_of(elsewhere)
    with _another_program() if doorway.BY_PORT else nullcontext() as port:
        if port is not None:  # it has the port of an app that was killed
            place.write_text(str(port), encoding="ascii")
        else:
            with socket.socket(socket.AF_UNIX) as killed:
                killed.bind(str(place))
        with lc.open(elsewhere) as opened:
            assert isinstance(opened._work, DatabaseWork)


@contextmanager
def _another_program() -> Iterator[int]:
    """The port of one that answers once, in words of its own."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer() -> None:
            found, _ = other.accept()
            found.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            found.close()

        answering = threading.Thread(target=answer)
        answering.start()
        yield other.getsockname()[1]
        # Before its socket is closed: whoever accepts there would go on with another of its number.
        answering.join()


def test_who_is_inside_is_told_when_the_app_stops(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "app.duckdb")
    opened = Door(workspace)
    with lc.open(workspace.database.path) as inside:
        opened.close()
        workspace.close()
        with pytest.raises(lc.Error, match="it has stopped"):
            _ = inside.projects
    with lc.open(workspace.database.path) as alone:
        assert isinstance(alone._work, DatabaseWork) and alone.projects == {}


APP = """
import sys, time
from pathlib import Path
from labeling_core.notebook.door import Door
from labeling_core.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]))
door = Door(workspace)
print("open", flush=True)
sys.stdin.read()
door.close()
workspace.close()
"""


@contextmanager
def _app_beside(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the database open, and the door."""
    running = subprocess.Popen(
        [sys.executable, "-c", APP, str(path)], env=child_environment(), encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == "open\n"
        yield running
        running.kill()


@pytest.mark.posix
def test_an_app_that_stands_still_or_is_gone_is_waited_for_no_longer_than_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.duckdb"
    monkeypatch.setattr(wire, "SILENCE", 1.0)
    for end in (signal.SIGSTOP, signal.SIGKILL):
        with _app_beside(path) as app, lc.open(path) as opened:
            assert opened.projects == {}
            app.send_signal(end)
            with pytest.raises(lc.Error, match="did not answer for a minute"):
                _ = opened.projects
            with pytest.raises(lc.Error, match="did not answer for a minute"):
                _ = opened.projects  # also when it is asked once more


@pytest.mark.posix
def test_while_the_app_is_open_no_second_process_has_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.duckdb"
    with _app_beside(path), lc.open(path) as opened:
        opened.create("New", _table_of_numbers(tmp_path), ["a", "b"])
        opened.backup()
        project = opened.project("new")
        assert len(project.metadata()) == 0
        project.export("metadata", tmp_path / "out.csv")
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(path))


def _table_of_numbers(folder: Path) -> Path:
    path = folder / "numbers.csv"
    path.write_text("n\n" + "\n".join(map(str, range(20))), "utf-8")
    return path


def test_what_nobody_waits_for_any_more_is_not_done(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "app.duckdb")
    make_source(workspace.database)
    create_project(workspace.database, SETTINGS)
    door = Door(workspace)
    labels = tmp_path / "labels.csv"
    labels.write_text("sample_id,label\n1,red\n", "utf-8")
    at_work, go_on, refused = threading.Event(), threading.Event(), list[lc.Error]()

    def busy(*_: object) -> str:
        at_work.set()
        go_on.wait()
        return "done"

    def bring_in(inside: lc.Labeling) -> None:
        try:
            inside.project("wine").import_labels(labels)
        except lc.Error as error:
            refused.append(error)

    workspace.loop.trainer.submit("wine", busy)
    at_work.wait()
    inside = lc.open(workspace.database.path)
    waiting = threading.Thread(target=bring_in, args=[inside])
    waiting.start()
    while not workspace.loop.pace.is_held("wine"):
        time.sleep(0.01)
    inside._work._app._connection.shutdown(socket.SHUT_RDWR)  # as when a command is killed
    waiting.join()
    while workspace.loop.pace.is_held("wine"):
        time.sleep(0.01)
    go_on.set()
    assert refused
    with workspace.database.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM wine_metadata").fetchall() == [(0,)]
    door.close()
    workspace.close()


def test_a_path_of_any_length_has_a_door(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    workspace = Workspace(folder / "app.duckdb")
    opened = Door(workspace)
    try:
        with lc.open(workspace.database.path) as inside:
            assert not isinstance(inside._work, DatabaseWork)
    finally:
        opened.close()
        workspace.close()


def test_all_work_has_arguments_that_a_call_can_bring() -> None:
    for owner in (DatabaseWork, ProjectWork):
        for name, each in vars(owner).items():
            if not name.startswith("_"):
                assert callable(each), name  # a property could not be called
