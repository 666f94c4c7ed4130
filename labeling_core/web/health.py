"""Whether the server can do its work: for a proxy, a container, a watchman.

Strangers learn ``ok`` or ``failing`` and nothing else; what it is stands in the server's log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from labeling_core.errors import LabelingError
from labeling_core.store.database import Database
from labeling_core.web.base_path import normalized
from labeling_core.workspace import open_workspace

log = logging.getLogger(__name__)
ADDRESS = "/labeling/health"
WITHIN = 0.7  # seconds for an answer; a check that takes longer goes on for the next one
FRESH = 2.0  # seconds for which a check holds, however often it is asked for
OLD = 60.0  # seconds after which a check says nothing any more
LEAST = 200 * 1024 * 1024  # bytes that must be left on the disk of the database


class _Health:
    """The last check, and the one that runs; asked on the server's one event loop."""

    def __init__(self) -> None:
        self.trouble, self.checked = "the first check has not ended", 0.0
        self.running: asyncio.Task[None] | None = None

    async def look(self) -> str:
        """What is wrong, or ""; within WITHIN seconds, from the last check if need be."""
        if time.monotonic() - self.checked > FRESH and (not self.running or self.running.done()):
            self.running = asyncio.create_task(self._check())
        if self.running:
            await asyncio.wait([self.running], timeout=WITHIN)
        age = time.monotonic() - self.checked
        return self.trouble or ("No check has ended for a minute." if age > OLD else "")

    async def _check(self) -> None:
        found = await run_in_threadpool(trouble)
        if found and found != self.trouble:
            log.error("Not healthy: %s", found)
        self.trouble, self.checked = found, time.monotonic()


def trouble() -> str:
    """What keeps the server from its work at this moment, or ""."""
    try:
        return _trouble_of(open_workspace().database)
    except (LabelingError, duckdb.Error, OSError) as error:
        return str(error)


def _trouble_of(database: Database) -> str:
    """The file is there and answers, its folder can be written to, and the disk has room. Nothing
    is written to the database itself: who asks must not make it grow, nor wait for a session."""
    database.require_file()
    with database.read() as cursor:
        cursor.execute("SELECT 1")
    if not os.access(database.path, os.W_OK):
        return "The database cannot be written to."
    probe = database.files() / "health"
    with probe.open("wb") as file:
        file.write(b"x" * 4096)
        file.flush()
        os.fsync(file.fileno())
    free = shutil.disk_usage(database.path.parent).free
    return "" if free > LEAST else f"{free // 1024**2} MB are left on the disk of the database."


_health = _Health()


async def get_health(_: Request) -> JSONResponse:
    """200 and ``ok``, or 503 and ``failing``."""
    failing = await _health.look()
    told = {"status": "failing" if failing else "ok"}
    return JSONResponse(told, 503 if failing else 200, {"Cache-Control": "no-store"})


def below(base: str | None) -> Route:
    """The route of an app whose own base is ``base``; open to everybody, as its answer says
    nothing of anybody."""
    return Route(normalized(base) + ADDRESS, get_health, methods=["GET"])
