"""Where the app that has a database open can be spoken to, on this machine and by its owner only.

Beside the database, in ``<database>.files/door``: a socket that only its owner may open; on
Windows, which has none, a file that says a port of this machine. Whoever comes has to know the
key beside it, too, which is for the owner's eyes only, and so has whoever answers.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from labeling_core.access import tokens
from labeling_core.store.file_names import files_of
from labeling_core.store.removal import remove

BY_PORT = sys.platform == "win32"
_UNIX = getattr(socket, "AF_UNIX", socket.AF_INET)  # where there is none, nobody asks for it
SERVER, CLIENT = b"server", b"client"
_LONGEST = 100  # bytes of the path of a socket that every system takes
PATIENCE = 10.0  # seconds for what answers at once if it is ours
_HERE = "127.0.0.1"
_PEER = struct.Struct("3i")  # its process, user and group


def door_of(database: Path) -> Path:
    """The socket, or the file with the port, beside a database."""
    return files_of(database) / "door"


def key_of(database: Path) -> bytes:
    """What both ends have to know."""
    return tokens.read_key(files_of(database), "door")


def connect(database: Path) -> socket.socket | None:
    """A connection to whoever listens; None where nobody does."""
    door = door_of(database)
    with ExitStack() as unless_connected:
        try:
            if BY_PORT:
                return socket.create_connection((_HERE, int(door.read_text("ascii"))), PATIENCE)
            found = unless_connected.enter_context(socket.socket(_UNIX))
            found.settimeout(PATIENCE)  # until it has shown who it is
            with _short(door) as path:
                found.connect(path)
        except (OSError, ValueError):
            return None
        unless_connected.pop_all()
    return found


class Listener(socketserver.ThreadingTCPServer):
    """Listens beside one database, a thread for each who comes."""

    address_family = socket.AF_INET if BY_PORT else _UNIX
    daemon_threads = True

    def __init__(self, database: Path, handler: type[socketserver.BaseRequestHandler]) -> None:
        """Raises OSError where no socket can be made."""
        self.door = door_of(database)
        remove(self.door)  # of an app that was killed: two cannot have the file
        if BY_PORT:
            super().__init__((_HERE, 0), handler)
            self.door.write_text(str(self.server_address[1]), encoding="ascii")
            return
        self.owner: int = getattr(os, "geteuid", int)()
        with _short(self.door) as path:
            address: Any = path
            super().__init__(address, handler, bind_and_activate=False)
            self.server_bind()
        self.door.chmod(0o600)  # nobody can connect before the next line
        self.server_activate()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether whoever connects is the owner, where the system tells; root may do all anyway."""
        if BY_PORT or not hasattr(socket, "SO_PEERCRED"):
            return True
        told = request.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
        return _PEER.unpack(told)[1] in (0, self.owner)

    def server_close(self) -> None:
        """Listen no more; whoever comes finds nobody."""
        super().server_close()
        remove(self.door)


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """A path to the same place that fits into the address of a socket."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="door-") as folder:
        link = Path(folder) / "d"
        link.symlink_to(path.parent, target_is_directory=True)
        yield str(link / path.name)
