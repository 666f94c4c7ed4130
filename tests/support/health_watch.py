"""Asks a server all the while how it is, from a process of its own: what a watchman would see."""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

WITHIN = 1.0  # seconds that an answer may take, as docs/hosting.md promises
EVERY = 0.05


@contextmanager
def watching(port: int) -> Iterator[list[tuple[float, str]]]:
    """The answers during the block, once it has ended: how many seconds each took, its status."""
    found = list[tuple[float, str]]()
    command = [sys.executable, __file__, str(port)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as watchman:
        assert watchman.stdin and watchman.stdout
        answers = [watchman.stdout.readline()]  # it has begun
        yield found
        watchman.stdin.close()
        answers += watchman.stdout.readlines()
    found += [(float(seconds), status) for seconds, status in map(str.split, answers)]


@contextmanager
def health_throughout(port: int) -> Iterator[None]:
    """Fail when a single answer during the block is not that all is well, or takes longer than
    WITHIN."""
    with watching(port) as found:
        yield
    assert {status for _, status in found} == {"200"}, found
    assert max(found)[0] <= WITHIN, max(found)


def ask(port: int) -> tuple[float, int]:
    """The seconds that an answer takes, and its status; 0 for none within a minute."""
    start, status = time.perf_counter(), 0
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/labeling/health")
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except OSError:
        pass
    finally:
        connection.close()
    return time.perf_counter() - start, status


def main() -> None:
    done = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
    while True:
        print(*ask(int(sys.argv[1])), flush=True)
        if done.wait(EVERY):
            return


if __name__ == "__main__":
    main()
