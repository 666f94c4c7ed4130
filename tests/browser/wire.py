"""A wire between browser and server that can be cut: a TCP relay on 127.0.0.1."""

from __future__ import annotations

import contextlib
import socket
import threading

from app_server import free_port


class Wire:
    """Relays ``port`` to ``target``; after :meth:`cut` nothing gets through until :meth:`mend`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = free_port()
        self.ends: list[socket.socket] = []
        self.guard = threading.Lock()
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=[self.listener], daemon=True).start()

    def cut(self) -> None:
        """Close every connection and refuse new ones."""
        with self.guard:
            for each in [self.listener, *self.ends]:
                _close(each)
            self.ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            with self.guard:
                if listener.fileno() < 0:  # cut since it was accepted
                    _close(near)
                    _close(far)
                    return
                self.ends += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=[source, sink], daemon=True).start()


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
