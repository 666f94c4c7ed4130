"""Run the app by its own command, with a thread beside it that holds things up when told to.

Told by lines on stdin: ``interpreter 3``, ``database 3`` or ``cpu 3`` (seconds).
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time


def interpreter(seconds: float) -> None:
    """Sleep in C without giving up the interpreter lock: no other thread runs."""
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))


def database(seconds: float) -> None:
    """Hold the lock that all writes go through."""
    from labeling_core.workspace import workspace

    with workspace().database.lock:
        time.sleep(seconds)


def cpu(seconds: float) -> None:
    """Four busy threads of pure Python beside the server."""
    until = time.monotonic() + seconds

    def burn() -> None:
        while time.monotonic() < until:
            sum(range(1000))

    for _ in range(4):
        threading.Thread(target=burn, daemon=True).start()


def obey() -> None:
    for line in sys.stdin:
        name, seconds = line.split()
        {"interpreter": interpreter, "database": database, "cpu": cpu}[name](float(seconds))


if __name__ == "__main__":
    from streamlit.web.cli import main

    threading.Thread(target=obey, daemon=True).start()
    sys.argv = ["streamlit", "run", "app.py", *sys.argv[1:]]
    main()
