"""Who has a database open, for whoever finds it locked: it may be on another machine, whose numbers
of processes mean nothing here.

The app writes it beside the database, in ``<database>.files/holder``. DuckDB's own number of a
process is worth something only where that process has the file open here.
"""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from labeling_core.store.file_names import files_of
from labeling_core.store.removal import remove

_MINUTE = "%Y-%m-%d %H:%M"  # in UTC
_PROCESSES = Path("/proc")  # of Linux; elsewhere DuckDB's number is taken as it is


class Holder(NamedTuple):
    """``place`` is what processes have in common that see each other's numbers."""

    host: str
    process: int
    place: str
    since: str


def claim(database: Path) -> None:
    """Tell others that this process has it open; without room for that, they know less."""
    now = datetime.now(UTC).strftime(_MINUTE)
    with suppress(OSError):
        _record(database).write_text(
            json.dumps(Holder(socket.gethostname(), os.getpid(), _place(), now)), "utf-8"
        )


def give_up(database: Path) -> None:
    """To be called while the database is still open: later it may be another's."""
    with suppress(OSError):
        remove(_record(database))


def told(database: Path, error: str) -> str:
    """Who has the database open that could not be opened for this ``error`` of DuckDB: words in
    brackets with a space before them; "" where nothing is known."""
    found = re.search(r"PID (\d+)", error)
    number, known = int(found[1]) if found else 0, _read(database)
    if number and not _PROCESSES.exists():
        return f" (process {number})"
    elsewhere = known is not None and known.place != _place()
    has_open = _has_open(number, database) if number else False
    if has_open or (has_open is None and not elsewhere):
        return f" (process {number})"
    if known is not None and elsewhere:
        return f" (process {known.process} on {known.host}, since {known.since} UTC)"
    if found:
        return " (on another machine, or in another container, that has the same folder)"
    return ""


def _has_open(process: int, database: Path) -> bool | None:
    """Whether a process of that number is here and has the file open; None where it is another
    user's, and that is not told."""
    try:
        opened = list((_PROCESSES / str(process) / "fd").iterdir())
    except PermissionError:
        return None
    except OSError:
        return False
    for each in opened:
        with suppress(OSError):
            if each.samefile(database):
                return True
    return False


def _record(database: Path) -> Path:
    return files_of(database) / "holder"


def _read(database: Path) -> Holder | None:
    try:
        host, process, place, since = json.loads(_record(database).read_text("utf-8"))
        since = datetime.strptime(since, _MINUTE).strftime(_MINUTE)
        named = re.sub(r"[^\w.-]", "", str(host))[:64]
        return Holder(named or "another machine", int(process), str(place), since)
    except (OSError, ValueError, TypeError):
        return None


def _place() -> str:
    """A machine since its start and, as a container has its own, its namespace of processes."""
    with suppress(OSError):
        boot = (_PROCESSES / "sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot} {os.readlink(_PROCESSES / 'self/ns/pid')}"
    return socket.gethostname()
