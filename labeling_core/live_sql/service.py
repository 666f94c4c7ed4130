"""Live SQL: DuckDB's own protocol, answered beside the app for whoever has a token."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from labeling_core.config import SQL, SQL_ADMIN_TOKEN, SQL_TOKEN
from labeling_core.errors import LabelingError
from labeling_core.live_sql.copies import Copies
from labeling_core.modalities.child_program import ChildProgram
from labeling_core.people import Person
from labeling_core.store.database import Database
from labeling_core.store.removal import remove

log = logging.getLogger(__name__)
SHORTEST = 20  # characters of a token
LOOK = 0.2  # seconds between two looks whether something has changed
AGAIN = 10.0  # seconds until the next attempt after one that failed
ANSWER = 60.0  # seconds that the child program may take for one order


class Told(NamedTuple):
    """What an admin is told about one address: for whom it is, how to attach, what is wrong."""

    audience: str
    attach: str
    trouble: str


class Gate:
    """One address with its child program: for readers, or for admins."""

    def __init__(self, address: str, token: str, internal: bool) -> None:
        self.address, self.internal = address, internal
        self._token = hashlib.sha256(token.encode()).hexdigest()
        self._child: ChildProgram | None = None
        self._attached: set[str] = set()
        self._retry = 0.0
        self.trouble = ""

    @property
    def listens(self) -> bool:
        """Whether sessions are answered at this moment."""
        return self._child is not None and self._child.running

    def told(self) -> Told:
        """How it stands at this moment; ``attach`` is SQL to be copied into a client."""
        token = SQL_ADMIN_TOKEN if self.internal else SQL_TOKEN
        attach = (
            f"CREATE SECRET (TYPE quack, TOKEN '{token.name}');\nATTACH '{self.address}' AS live;"
        )
        starting = "" if self.listens or self.trouble else "It is starting."
        return Told("admins" if self.internal else "readers", attach, self.trouble or starting)

    def show(self, copies: Copies, changed: bool) -> None:
        """Have the child program show the newest copies; it is started where it does not run."""
        if (self.listens and not changed) or time.monotonic() < self._retry:
            return
        try:
            if not self.listens:
                self._start(copies)
            self._bring(copies)
            self.trouble = ""
        except (LabelingError, OSError, ValueError) as error:
            self.end()
            self._retry = time.monotonic() + AGAIN
            if str(error) != self.trouble:
                self.trouble = str(error)
                log.warning("Live SQL is off: %s", error)

    def _start(self, copies: Copies) -> None:
        self.end()
        # What it needs not know it is not told.
        self._child = ChildProgram(
            "labeling_core.live_sql.gate", LABELING_SQL_TOKEN="", LABELING_SQL_ADMIN_TOKEN=""
        )
        folders = [copies.shown, copies.internal] if self.internal else [copies.shown]
        self._ask(
            {"address": self.address, "token": self._token, "folders": [str(e) for e in folders]}
        )
        log.warning("Live SQL answers at %s", self.address)

    def _bring(self, copies: Copies) -> None:
        files = {
            each.name: str(each.path)
            for each in copies.current.values()
            if self.internal or not each.part.internal
        }
        self._ask(
            {
                "attach": {name: files[name] for name in files.keys() - self._attached},
                "views": copies.selects(self.internal),
                "detach": sorted(self._attached - files.keys()),
            }
        )
        self._attached = set(files)

    def _ask(self, order: dict[str, Any]) -> None:
        assert self._child is not None
        with self._child.within(ANSWER):
            answer = next(self._child.ask(order), {"error": "its program has ended"})
        if "error" in answer:
            raise LabelingError(answer["error"])

    def end(self) -> None:
        """End the child program; sessions are cut off."""
        if self._child is not None:
            self._child.end()
        self._child, self._attached = None, set()


class LiveSql:
    """The gates of one open database, and the thread that keeps what they show up to date."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.gates: list[Gate] = []
        self.trouble = ""
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Answer where LABELING_SQL says, if it says so; what is wrong with it is kept as
        ``trouble``, and labeling goes on."""
        try:
            self.gates = asked()
        except LabelingError as error:
            self.trouble = str(error)
            log.warning("Live SQL is off: %s", error)
        if self.gates:
            self._thread = threading.Thread(target=self._serve, name="live-sql", daemon=True)
            self._thread.start()

    def told(self, by: Person) -> list[Told]:
        """Each address; empty where live SQL was not asked for, or cannot be (``trouble``)."""
        by.require("manage")
        return [each.told() for each in self.gates]

    def _serve(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="labeling-sql-"))
        try:
            copies = Copies(self._database, folder, any(each.internal for each in self.gates))
            while not self._closing.is_set():
                self._round(copies)
                self._closing.wait(LOOK if not self.trouble else AGAIN)
        finally:
            for gate in self.gates:
                gate.end()
            remove(folder)

    def _round(self, copies: Copies) -> None:
        """Copy what has changed, and show it."""
        try:
            changed = copies.renew()
            self.trouble = ""
        except (duckdb.Error, OSError, LabelingError) as error:
            if str(error) != self.trouble:
                self.trouble = f"{str(error).splitlines()[0][:200]}"
                log.warning("What live SQL shows cannot be renewed: %s", self.trouble)
            return
        for gate in self.gates:
            gate.show(copies, changed)
        copies.discard()

    def close(self) -> None:
        """Cut off the sessions and end the child programs."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join(10)


def asked() -> list[Gate]:
    """The gates that the environment asks for, not started; LabelingError for what cannot be."""
    address = SQL.get()
    tokens = {SQL_TOKEN.name: SQL_TOKEN.get(), SQL_ADMIN_TOKEN.name: SQL_ADMIN_TOKEN.get()}
    if not address:
        return []
    if not any(tokens.values()):
        raise LabelingError(
            f"{SQL.name} is set, and neither {SQL_TOKEN.name} nor {SQL_ADMIN_TOKEN.name}: set "
            "one to a long random text, or leave it out."
        )
    for name, token in tokens.items():
        if 0 < len(token) < SHORTEST:
            raise LabelingError(
                f"{name} is too short to be a secret: set it to a random text of {SHORTEST} "
                "characters or more."
            )
    reader, admin = tokens.values()
    if reader == admin:
        raise LabelingError(f"{SQL_TOKEN.name} and {SQL_ADMIN_TOKEN.name} are the same: readers "
                            "would be admins. Set them to different texts.")  # fmt: skip
    host, _, port = address.rpartition(":")
    gates = [Gate(address, reader, internal=False)] if reader else []
    return gates + ([Gate(f"{host}:{int(port) + 1}", admin, internal=True)] if admin else [])
