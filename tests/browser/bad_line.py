"""A bad line between browser and server: what loss and latency do to a TCP connection.

A relay on 127.0.0.1 that does what those who use a connection see of lost packets: bytes come late,
those of a lost packet later still and all behind them as well, a connection stands still for ever,
or ends in the midst of a request or an answer, of which any part may have arrived. It differs from
`tc netem`: no packet is lost, doubled or reordered, as TCP would hide that; no window shrinks; what
a connection does on the way (its handshake) takes one trip and cannot be lost.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time

from app_server import free_port

LATENCY = 0.3  # seconds each way
LOSS = 0.3  # of the packets
AGAIN = 0.6  # seconds until a lost packet is sent again; twice as long for each time after that
CUT, STILL = 0.1, 0.02  # of the pieces: the connection ends there, or nothing comes any more
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset


class BadLine:
    """Relays ``port`` to ``target``, badly; what happens follows from ``seed`` and the timing."""

    def __init__(self, target: int, seed: int) -> None:
        self.target, self.port = target, free_port()
        self.chance = random.Random(seed)
        self.cuts = self.stills = self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections; those that there are go on."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=[near], daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        time.sleep(LATENCY)
        try:
            far = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            near.close()
            return
        ends = (near, far)
        threading.Thread(target=self._carry, args=[far, near, ends], daemon=True).start()
        self._carry(near, far, ends)

    def _carry(
        self, source: socket.socket, sink: socket.socket, ends: tuple[socket.socket, ...]
    ) -> None:
        """Carry what comes from one end to the other, until the line ends."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._wait()
                fate = self.chance.random()
                if fate < CUT:
                    self.cuts += 1
                    sink.sendall(data[: self.chance.randrange(len(data) + 1)])
                    break
                if fate < CUT + STILL:
                    self.stills += 1
                    while source.recv(65536):  # taken, and never heard of again
                        pass
                    break
                sink.sendall(data)
        for each in ends:
            with contextlib.suppress(OSError):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                each.shutdown(socket.SHUT_RDWR)
        source.close()

    def _wait(self) -> None:
        """As long as a packet travels, with all the times that it is lost."""
        seconds, again = LATENCY, AGAIN
        while self.chance.random() < LOSS:
            self.lost += 1
            seconds, again = seconds + again, 2 * again
        time.sleep(seconds)
