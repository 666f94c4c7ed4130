"""Run the app by its own command, with a thread beside it that holds things up when told to.

Told by lines on stdin: ``interpreter 3``, ``database 3`` or ``cpu 3`` (seconds), or ``place 1``,
``place 2`` and so on: another place for the deck; or ``fail 1``, see there.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from typing import Any


def interpreter(seconds: float) -> None:
    """Sleep in C without giving up the interpreter lock: no other thread runs."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def database(seconds: float) -> None:
    """Hold the lock that all writes go through."""
    from labeling_core.workspace import open_workspace

    with open_workspace().database.lock:
        time.sleep(seconds)


def cpu(seconds: float) -> None:
    """Four busy threads of pure Python beside the server."""
    until = time.monotonic() + seconds

    def burn() -> None:
        while time.monotonic() < until:
            sum(range(1000))

    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()


def place(number: float) -> None:
    """Another key: with its next run, a page takes the deck away and puts it in again."""
    from pages.shell import mounting

    def mount(project: Any, mode: Any, key: str, *rest: Any) -> None:
        original(project, mode, f"{key}-{number}", *rest)

    original = getattr(mounting.mount, "original", mounting.mount)
    mount.original = original  # type: ignore[attr-defined]
    mounting.mount = mount  # type: ignore[assignment]


SECRET = "what a sample holds"


def fail(where: float) -> None:
    """What is asked of the database fails, with what a sample holds in the error: nowhere (0), in
    pages from the gate on (1), in what comes before them as well (2), or what is asked of the gate
    by parts of pages that run by themselves (3)."""
    from labeling_core.store.database import Database
    from pages.shell import gate, identity

    def read(database: Any) -> Any:
        if where == 2 or (where == 1 and getattr(_within, "page", False)):
            raise RuntimeError(SECRET)
        return reading(database)

    def require(page: Any) -> None:
        admitting(page)
        _within.page = True

    def require_role() -> None:
        _within.page = False
        asking()

    def still(*asked: Any) -> None:
        if where == 3:
            raise RuntimeError(SECRET)
        staying(*asked)

    reading, admitting, staying, asking = _originals.setdefault(
        "fail", (Database.read, gate.require, gate.still, identity.require_role)
    )
    Database.read = read  # type: ignore[assignment, method-assign]
    gate.require, gate.still, identity.require_role = require, still, require_role


_within, _originals = threading.local(), dict[str, Any]()


def obey() -> None:
    orders = {"interpreter": interpreter, "database": database, "cpu": cpu, "place": place,
              "fail": fail}  # fmt: skip
    for line in sys.stdin:
        name, number = line.split()
        orders[name](float(number))
        print(f"done: {line}", end="", flush=True)


if __name__ == "__main__":
    from streamlit.web.cli import main

    threading.Thread(target=obey, daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    main()
