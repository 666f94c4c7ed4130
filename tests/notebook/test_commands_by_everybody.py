"""Every command × everybody on the machine and beyond: who gets at a database, and who does not."""

from __future__ import annotations

import getpass
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pytest

import labeling_core as lc
from labeling_core.__main__ import commands
from labeling_core.access import rights
from labeling_core.access.rights import COMMANDS, STOPPED, WITHOUT
from labeling_core.config import child_environment
from labeling_core.notebook import doorway
from labeling_core.notebook.door import Door
from labeling_core.notebook.wire import Wire
from labeling_core.workspace import Workspace

ROOT = Path(__file__).parents[2]
NOBODY = 65534  # a user of the machine that owns nothing
TITLE = "Wine colour"  # of a project: whoever is refused must not learn of it
APP = """
import sys
from pathlib import Path
from labeling_core.notebook.door import Door
from labeling_core.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]), hosted=True)
door = Door(workspace)
print("open", flush=True)
sys.stdin.read()
door.close()
workspace.close()
"""
# Becomes somebody else when all is imported: not everybody may read the interpreter's own files.
CALLS = """
import contextlib, encodings.utf_8_sig, io, json, os, sys
from labeling_core.__main__ import main
def call(name, words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([name, *words])
    return [code, out.getvalue(), err.getvalue()]
user, first, calls = json.load(sys.stdin)
if user is not None:
    os.umask(0)  # what is written now can be written again
    for name in first:
        call(name, calls[name])
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
print(json.dumps({name: call(name, words) for name, words in calls.items()}))
"""


def test_every_command_is_in_the_table_and_the_table_in_the_documents() -> None:
    assert {*COMMANDS} == {*commands.commands}
    assert rights.commands_markdown() in (ROOT / "docs" / "teams.md").read_text("utf-8")
    assert {*COMMANDS} == {*_calls(Path(), Path())}


class Told(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def _calls(path: Path, work: Path) -> dict[str, list[str]]:
    """A call of each command that works where it is allowed, in an order in which all of them
    do."""
    on = ["--database", str(path)]
    project = [*on, "--project", "wine_colour"]
    none = str(path.parent / "none.csv")
    source = str(path.parent / "numbers.csv")
    return {
        "projects": on,
        "create": [*on, "--title", "New", "--source", source, "--category", "a",
                   "--category", "b"],
        "import": [*project, "--file", str(path.parent / "labels.csv")],
        "next": project,
        "label": [*project, "--file", none],
        "sample": project,
        "progress": project,
        "export": [*project, "--what", "metadata", "--out", str(work / "out.csv")],
        "backup": on,
        "delete": [*on, "--project", "digits"],
        "check": on,
        "storage": on,
        "serve": [*on, "--port", "1"],
        "restore": [str(path.parent / "backup.duckdb"), *on],
        "simulate": ["--features-npz", str(path.parent / "arrays.npz"), "--budget", "20",
                     "--seeds", "1"],
        "predict": ["--model", str(path.parent / "model.zip"), "--data",
                    str(path.parent / "wine.csv"), "--out", str(work / "predicted.csv")],
    }  # fmt: skip


@pytest.fixture(scope="module")
def prepared(sample_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database and all that the calls read."""
    folder = tmp_path_factory.mktemp("prepared")
    path = folder / "trained.duckdb"
    shutil.copy(sample_database, path)
    shutil.copy(sample_database, folder / "backup.duckdb")
    labels = "".join(f"{n},{('red', 'white')[n % 2]}\n" for n in range(1, 41))
    (folder / "labels.csv").write_text(f"sample_id,label\n{labels}", "utf-8")
    (folder / "none.csv").write_text("sample_id,label\n", "utf-8")
    (folder / "numbers.csv").write_text("n\n" + "\n".join(map(str, range(20))), "utf-8")
    shutil.copy(ROOT / "data" / "wine_colour" / "pool.csv", folder / "wine.csv")
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    np.savez(folder / "arrays.npz", X=X, y=(X[:, 0] > 0).astype(int))
    with lc.open(path) as database:
        project = database.project("wine_colour")
        project.import_labels(folder / "labels.csv")
        project.train()
        (folder / "model.zip").write_bytes(project.model())
    return folder


@pytest.fixture
def path(prepared: Path) -> Iterator[Path]:
    """The database of a folder that everybody may enter, as pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "data"
        shutil.copytree(prepared, place, ignore=shutil.ignore_patterns("trained.*"))
        shutil.copy(place / "backup.duckdb", place / "app.duckdb")
        for each in (Path(folder), place):
            each.chmod(0o755)
        yield place / "app.duckdb"


@pytest.fixture
def app(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A hosted app that has the database open."""
    with _started(path) as running:
        yield running
        running.kill()


def _started(path: Path) -> subprocess.Popen[str]:
    running = subprocess.Popen(
        [sys.executable, "-c", APP, str(path)], env=child_environment(), encoding="utf-8",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stdout.readline() == "open\n"
    return running


def _everything_called(path: Path, user: int | None, but: str = "") -> dict[str, Told]:
    """How each command ``but`` one ends for a user of the machine; without one for us."""
    first = [name for name, where in COMMANDS.items() if where == WITHOUT]
    with tempfile.TemporaryDirectory() as work:
        Path(work).chmod(0o777)
        calls = {name: words for name, words in _calls(path, Path(work)).items() if name != but}
        done = subprocess.run(
            [sys.executable, "-c", CALLS], env=child_environment(), cwd=work,
            input=json.dumps([user, first, calls]), capture_output=True,
            encoding="utf-8", check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return {name: Told(*each) for name, each in json.loads(done.stdout).items()}


def _assert_done(told: Told, name: str) -> None:
    assert (told.code, told.err.replace("\n", "")) == (0, ""), (name, told)


def _assert_refused(told: Told, name: str, sentence: str) -> None:
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1), (name, told)
    assert sentence in told.err, (name, told)
    assert TITLE not in told.err


def _events(path: Path) -> list[Any]:
    with duckdb.connect() as tables:
        tables.execute(f"ATTACH '{path}' AS file (READ_ONLY)")
        return tables.execute("SELECT kind, annotator FROM file.labeling.events").fetchall()


def test_the_owner_does_everything_through_the_app_as_an_admin(
    path: Path, app: subprocess.Popen[str]
) -> None:
    told = _everything_called(path, None)
    for name, where in COMMANDS.items():
        if where == STOPPED:
            _assert_refused(told[name], name, "open")
        else:
            _assert_done(told[name], name)
    app.communicate()
    assert ("import", getpass.getuser()) in _events(path)


needs_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can be somebody else"
)


def _as_made(path: Path) -> None:
    """Leave everything as the program makes it."""


def _copied_key(path: Path) -> None:
    """Somebody has the key, and the file system lets everybody to the socket."""
    (doorway.files_of(path) / "signing.key").chmod(0o644)
    doorway.door_of(path).chmod(0o666)


@needs_root
@pytest.mark.posix
@pytest.mark.parametrize("given", [_as_made, _copied_key])
def test_another_user_of_the_machine_gets_at_nothing(
    path: Path, app: subprocess.Popen[str], given: Callable[[Path], None]
) -> None:
    before = sorted(path.parent.rglob("*"))
    given(path)
    told = _everything_called(path, NOBODY)
    for name, where in COMMANDS.items():
        if where == WITHOUT:
            _assert_done(told[name], name)
        else:
            _assert_refused(told[name], name, str(path))
    assert sorted(path.parent.rglob("*")) == before
    app.communicate()
    assert "label" not in {kind for kind, _ in _events(path)}


@needs_root
@pytest.mark.posix
@pytest.mark.parametrize("user", [None, NOBODY])
def test_the_socket_of_an_app_that_was_killed_lets_nobody_in(
    path: Path, app: subprocess.Popen[str], user: int | None
) -> None:
    app.kill()
    app.wait()
    assert doorway.door_of(path).is_socket()
    # Ours would start the app, which stays: tests/test_wheel.py.
    told = _everything_called(path, user, but="serve" if user is None else "")
    for name in told:
        where = COMMANDS[name]
        if where == WITHOUT or user is None:
            _assert_done(told[name], name)
        else:
            _assert_refused(told[name], name, str(path))


def test_from_another_machine_there_is_nothing_to_come_in_by(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(path, hosted=True)
    try:
        with closing(Door(workspace)) as opened:
            assert opened._listener is not None
            if not doorway.BY_PORT:
                assert opened._listener.address_family == socket.AF_UNIX
        monkeypatch.setattr(doorway, "BY_PORT", True)
        monkeypatch.setattr(doorway.Listener, "address_family", socket.AF_INET)
        with closing(Door(workspace)) as opened:
            assert opened._listener is not None
            host, port = opened._listener.server_address[:2]
            assert host == "127.0.0.1"
            with pytest.raises(ConnectionRefusedError):  # any other address of this machine
                socket.create_connection(("127.0.0.2", int(port)), 10)
            connection = socket.create_connection(("127.0.0.1", int(port)), 10)
            with connection, closing(Wire(connection)) as ours:
                assert not ours.greet(b"guessed", doorway.CLIENT, doorway.SERVER)
                with pytest.raises(EOFError):
                    ours.receive(path.parent)
    finally:
        workspace.close()
