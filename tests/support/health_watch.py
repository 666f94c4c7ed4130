"""Asks a server all the while how it is, from a process of its own: what a watchman would see.

Beside it a server that does nothing is asked as often: what that one takes is the machine's doing,
which stands still for seconds at times, and not the server's.
"""

from __future__ import annotations

import http.client
import http.server
import multiprocessing
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

WITHIN = 1.0  # seconds that an answer may take, as docs/hosting.md promises
EVERY = 0.05
HEALTH, IDLE = "/labeling/health", "/"


class Answer(NamedTuple):
    """How many ``seconds`` an answer took, and at most the idle server's meanwhile."""

    seconds: float
    idle: float
    status: str


@contextmanager
def watching(port: int) -> Iterator[list[Answer]]:
    """The answers during the block, once it has ended."""
    found = list[Answer]()
    command = [sys.executable, __file__, str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as watchman:
        assert watchman.stdin and watchman.stdout
        watchman.stdout.readline()  # it has begun
        yield found
        watchman.stdin.close()
        told = watchman.stdout.readlines()
    found += [Answer(float(a), float(b), status) for a, b, status in map(str.split, told)]


@contextmanager
def health_throughout(port: int) -> Iterator[None]:
    """Fail when a single answer during the block is not that all is well, or takes longer than
    WITHIN, and longer than the machine stood still."""
    with watching(port) as found:
        yield
    assert found and {each.status for each in found} == {"200"}, found
    late = [each for each in found if each.seconds - each.idle > WITHIN]
    assert not late, late


def ask(port: int, path: str) -> tuple[float, float, int]:
    """When an answer came, the seconds that it took, and its status; 0 for none within a minute."""
    start, status = time.perf_counter(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except OSError:
        pass
    finally:
        connection.close()
    end = time.perf_counter()
    return end, end - start, status


class _Idle(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


def serve_idle(port: Connection) -> None:
    """A server that does nothing, in a process of its own; tells its port."""
    server = http.server.HTTPServer(("127.0.0.1", 0), _Idle)
    port.send(server.server_port)
    server.serve_forever()


def main() -> None:
    done = threading.Event()
    here, there = multiprocessing.Pipe()
    idle = multiprocessing.Process(target=serve_idle, args=(there,), daemon=True)
    idle.start()
    beside, of_idle, of_server = here.recv(), [], []

    def go_on(port: int, path: str, found: list[tuple[float, float, int]]) -> None:
        while True:
            found.append(ask(port, path))
            if done.wait(EVERY):
                return

    threads = [
        threading.Thread(target=go_on, args=each)
        for each in ((int(sys.argv[1]), HEALTH, of_server), (beside, IDLE, of_idle))
    ]
    for each in threads:
        each.start()
    print("watching", flush=True)
    sys.stdin.read()
    done.set()
    for each in threads:
        each.join()
    idle.terminate()
    for end, seconds, status in of_server:
        meanwhile = [
            took for last, took, _ in of_idle if last - took < end and last > end - seconds
        ]
        print(seconds, max(meanwhile, default=0.0), status)


if __name__ == "__main__":
    main()
