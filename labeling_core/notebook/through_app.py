"""The work of notebooks and commands on a database that the app has open, done by the app."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.notebook import doorway
from labeling_core.notebook.database_work import DatabaseWork
from labeling_core.notebook.wire import ERROR, PIECE, PIECES, Wire
from labeling_core.notebook.work import ProjectWork
from labeling_core.web import exports

if TYPE_CHECKING:
    import pandas as pd

GONE = (
    "The way through the app is closed: it has stopped, did not answer for a minute, or a call was "
    "interrupted. What was answered is stored: look what is there, and try again."
)


def enter(database: Path, annotator: str) -> tuple[DatabaseWork, Callable[[], None]] | None:
    """What does the work on the database in the app, and how to leave; None while no app has it."""
    connection = doorway.connect(database)
    if connection is None:
        return None
    app = _App(connection)
    try:
        known = app.greet(doorway.key_of(database), annotator)
    except (EOFError, OSError):  # another user's, or another program at that port
        known = False
    if not known:
        app.close()
        return None
    return cast(DatabaseWork, _Database(app, "")), app.close


class _App:
    """A connection to the app, for one call at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._wire = connection, Wire(connection)
        self._one = threading.RLock()

    def greet(self, key: bytes, annotator: str) -> bool:
        """Whether it is the app that answers, which then knows who comes."""
        if not self._wire.greet(key, doorway.CLIENT, doorway.SERVER):
            return False
        self._wire.send(annotator)
        return True

    def close(self) -> None:
        self._wire.close()
        self._connection.close()

    def call(self, project_id: str, method: str, *arguments: Any) -> Any:
        """What a method of DatabaseWork, or of a project's ProjectWork, gives."""
        try:
            with self._one:
                self._wire.send([project_id, method, list(arguments)])
                return self._answer()
        except LabelingError:
            raise
        except BaseException as error:
            self.close()  # half an answer may be under way: the next would be taken for its rest
            if isinstance(error, EOFError | ValueError):  # ValueError: it was closed
                raise LabelingError(GONE) from error
            if isinstance(error, OSError):
                raise LabelingError(f"The way through the app broke off: {error}.") from error
            raise

    def _answer(self) -> Any:
        kind, value = self._wire.receive(None)  # no files but in pieces
        if kind == PIECES:
            spooled = tempfile.TemporaryFile()  # noqa: SIM115  _read closes it
            spooled.writelines(self._wire.pieces())
            self._answer()  # whether they are whole
            spooled.seek(0)
            return _read(spooled)
        if kind == ERROR:
            raise LabelingError(*value)
        return value


def _read(spooled: IO[bytes]) -> Iterator[bytes]:
    with spooled:
        yield from iter(partial(spooled.read, PIECE), b"")


class _Caller:
    """Each method is one of the app's, by the same name."""

    def __init__(self, app: _App, project_id: str) -> None:
        self._app, self._id = app, project_id

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return partial(self._app.call, self._id, name)


class _Database(_Caller):
    def project(self, project_id: str) -> ProjectWork:
        self._app.call(project_id, "settings")  # raises where there is none
        return cast(ProjectWork, _Project(self._app, project_id))


class _Project(_Caller):
    def table(self, which: str) -> pd.DataFrame:
        with tempfile.TemporaryDirectory(prefix="table-") as folder:
            path = Path(folder) / "table"
            exports.save(self.table_file(which), path)
            with duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                return connection.execute("SELECT * FROM rows").df()
