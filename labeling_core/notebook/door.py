"""The door of the app: commands and notebooks of the owner come in while it has the database.

Each who comes has a thread, and does what notebooks do by the same methods
(labeling_core.notebook.database_work), as an admin: the file is theirs. They ask with
``[project_id, method, arguments]``, an empty id for the database itself; the answer is
``[kind, value]``: a value, an error, or ``pieces``, after which a file comes and one more answer.
"""

from __future__ import annotations

import inspect
import logging
import socket
import socketserver
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

from labeling_core.errors import LabelingError
from labeling_core.notebook import doorway
from labeling_core.notebook.database_work import DatabaseWork
from labeling_core.notebook.wire import ERROR, PIECES, VALUE, Wire
from labeling_core.notebook.work import ProjectWork
from labeling_core.people import local_person
from labeling_core.store.database import UnavailableError
from labeling_core.workspace import Workspace

log = logging.getLogger(__name__)
OTHER_VERSION = (
    "The app that has the database open is of another version of the program: start it again."
)
UNEXPECTED = "The app met an unexpected fault; see its log."
_LEAVING = 10.0  # seconds for those who are inside to leave what they are at


class Door:
    """Open from when it is made until :meth:`close`."""

    def __init__(self, workspace: Workspace) -> None:
        """Where it cannot be opened the app goes on without, and the log says so."""
        try:
            self._listener: _Listener | None = _Listener(workspace)
        except OSError as error:
            log.warning("Commands cannot go through the app: %s", error)
            self._listener = None
            return
        serve = self._listener.serve_forever
        threading.Thread(target=serve, name="door", daemon=True).start()

    def close(self) -> None:
        """Let nobody in, and everybody out."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener.end_all()


class _Listener(doorway.Listener):
    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.inside = workspace, dict[_Guest, threading.Thread]()
        super().__init__(workspace.database.path, _Guest)

    def handle_error(self, request: Any, client_address: Any) -> None:
        log.exception("A command through the app failed")

    def end_all(self) -> None:
        """Tell all who are inside to leave, and wait for that: the database is closed next."""
        inside = dict(self.inside)
        for guest in inside:
            guest.gone.set()
            with suppress(OSError):
                guest.request.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + _LEAVING
        for thread in inside.values():
            thread.join(max(0.0, until - time.monotonic()))


class _Guest(socketserver.BaseRequestHandler):
    """One who came in."""

    server: _Listener
    request: socket.socket

    def handle(self) -> None:
        self.gone = threading.Event()
        self.server.inside[self] = threading.current_thread()
        try:
            self.request.settimeout(doorway.PATIENCE)  # until it has shown who it is
            with closing(Wire(self.request)) as wire:
                self._serve(wire)
        except EOFError:
            pass  # gone, as everybody goes sooner or later
        finally:
            del self.server.inside[self]

    def _serve(self, wire: Wire) -> None:
        workspace = self.server.workspace
        key = doorway.key_of(workspace.database.path)
        if not wire.greet(key, doorway.SERVER, doorway.CLIENT):
            return
        with tempfile.TemporaryDirectory(prefix="door-") as folder:
            person = local_person(wire.receive(Path(folder)))
        database, projects = DatabaseWork(workspace, person, self._wait), dict[str, ProjectWork]()
        while True:
            wire.await_next()
            with tempfile.TemporaryDirectory(prefix="door-") as folder, wire.working(self.gone):
                _answer(wire, partial(_do, database, projects, wire, Path(folder)))

    def _wait(self, seconds: float) -> None:
        if self.gone.wait(seconds):
            raise EOFError("nobody waits for it any more")


def _do(database: DatabaseWork, projects: dict[str, ProjectWork], wire: Wire, folder: Path) -> Any:
    """Do the next thing that is asked for; EOFError when nothing more is."""
    try:
        project_id, name, arguments = wire.receive(folder)
        owner: type = ProjectWork if project_id else DatabaseWork
        method = vars(owner)[name]
        inspect.signature(method).bind(None, *arguments)
        if name.startswith("_"):
            raise LookupError(name)
    except (LookupError, TypeError, ValueError) as error:
        raise LabelingError(OTHER_VERSION) from error
    if project_id and project_id not in projects:
        projects[project_id] = database.project(project_id)
    return method(projects[project_id] if project_id else database, *arguments)


def _answer(wire: Wire, do: Callable[[], Any]) -> None:
    """Send what ``do`` gives, or its error in the sentence that people are told."""
    try:
        found = do()
        if isinstance(found, Generator):
            with closing(found):
                _send_pieces(wire, found)
            found = None
        answer = [VALUE, found]
    except EOFError:
        raise
    except LabelingError as error:
        answer = [ERROR, [str(error), error.field]]
    except UnavailableError as error:
        answer = [ERROR, [str(error), None]]
    except Exception:
        log.exception("A command through the app failed")
        answer = [ERROR, [UNEXPECTED, None]]
    wire.send(answer)


def _send_pieces(wire: Wire, pieces: Generator[bytes]) -> None:
    wire.send([PIECES, None])
    try:
        wire.send_pieces(pieces)
    except EOFError:
        raise
    except Exception:
        wire.end_pieces()  # what is wrong with it is told next
        raise
