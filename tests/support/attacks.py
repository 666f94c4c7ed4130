"""What strangers send to a server to stop it or to get in: each attack on an open port."""

from __future__ import annotations

import contextlib
import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

EXCHANGE = "/labeling/exchange"
SECONDS = 10.0  # to wait for an answer


def send(port: int, data: bytes) -> bytes:
    """What is answered to bytes on a connection of their own, as far as it fits into 64 kB."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), SECONDS) as to:
        with contextlib.suppress(OSError):  # it is closed while we still send
            to.sendall(data)
        return to.recv(65536)
    return b""


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a request."""
    lines = {"Host": "localhost", "Content-Length": str(len(body)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


@contextlib.contextmanager
def held(port: int, data: bytes, number: int) -> Iterator[None]:
    """So many connections that have sent no more than ``data``, open until the end of the block."""
    with ExitStack() as stack:
        for _ in range(number):
            with contextlib.suppress(OSError):
                opened = stack.enter_context(socket.create_connection(("127.0.0.1", port), SECONDS))
                opened.sendall(data)
        yield


def giant_header(port: int) -> list[bytes]:
    return [send(port, request("GET", "/", X_Giant="x" * 1_000_000))]


def ten_thousand_headers(port: int) -> list[bytes]:
    return [send(port, request("GET", "/", **{f"X_{n}": "x" for n in range(10_000)}))]


def giant_address(port: int) -> list[bytes]:
    return [send(port, request("GET", "/" + "x" * 1_000_000))]


def half_sent_bodies(port: int) -> list[bytes]:
    with held(port, request("POST", EXCHANGE, Content_Length="60000") + b"{", 200):
        return [send(port, request("GET", "/labeling/health"))]


def half_sent_heads(port: int) -> list[bytes]:
    with held(port, b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 300):
        return [send(port, request("GET", "/labeling/health"))]


def silent_connections(port: int) -> list[bytes]:
    with held(port, b"", 500):
        return [send(port, request("GET", "/labeling/health"))]


def deep_and_wide_json(port: int) -> list[bytes]:
    bodies = (b"[" * 60_000, b'{"a":' * 10_000, b"[" + b"9" * 60_000 + b"]",
              b"{" + b",".join(b'"%d":1' % n for n in range(6_000)) + b"}",
              b'{"seq": 1e999999, "client": "\\ud800"}', b"\x00" * 60_000)  # fmt: skip
    return [send(port, request("POST", EXCHANGE, each)) for each in bodies]


def gzip_bomb(port: int) -> list[bytes]:
    bomb = gzip.compress(gzip.compress(b"\x00" * 50_000_000))
    coded = ("gzip", "br")
    found = [send(port, request("POST", EXCHANGE, bomb, Content_Encoding=each)) for each in coded]
    return [*found, send(port, request("POST", EXCHANGE, zlib.compress(b"[" * 10_000_000)))]


def thousands_of_ranges(port: int) -> list[bytes]:
    wanted = "bytes=" + ",".join(f"{n}-{n}" for n in range(5_000))
    paths = ("/", "/labeling/media/x", "/static/media/x.woff2")
    return [send(port, request("GET", path, Range=wanted)) for path in paths]


def paths_that_lead_out(port: int) -> list[bytes]:
    ways = (
        "../../../../etc/passwd", "..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd",
        "....//....//etc/passwd", "..%5c..%5cetc%5cpasswd", "%00/etc/passwd", "//etc/passwd",
    )  # fmt: skip
    places = ("/labeling/media/", "/labeling/text/", "/labeling/export/", "/static/", "/media/",
              "/component/x/", "/")  # fmt: skip
    return [send(port, request("GET", place + way)) for place in places for way in ways]


def forged_tokens(port: int) -> list[bytes]:
    token = "eyJ" + "A" * 400 + ".AAAA"
    tries = [request("POST", EXCHANGE, b"{}", X_Labeling_Token=f"{token}{n}") for n in range(300)]
    tries += [request("GET", f"/labeling/media/{token}{n}") for n in range(300)]
    return [send(port, each) for each in tries]


def other_hosts(port: int) -> list[bytes]:
    evil = "evil.example"
    more = {"X_Forwarded_Host": evil, "Forwarded": f"host={evil}", "X_Original_URL": "/people"}
    return [
        send(port, request("GET", "/", Host=evil, **more)),
        send(port, request("GET", f"http://{evil}/people", Host=evil)),
        send(
            port, f"GET / HTTP/1.1\r\nHost: a\r\nHost: {evil}\r\nConnection: close\r\n\r\n".encode()
        ),
        send(port, request("GET", f"//{evil}/..", Host=evil)),
    ]


def two_lengths(port: int) -> list[bytes]:
    inner = request("GET", "/labeling/metrics")
    both = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    return [
        send(port, both + b"0\r\n\r\n" + inner),
        send(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 9\r\n\r\n"),
        send(
            port, b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n"
        ),
    ]


def uploads_of_strangers(port: int) -> list[bytes]:
    path = "/_stcore/upload_file/nobody/file"
    return [send(port, request("PUT", path, b"x" * 1_000_000)) for _ in range(20)]


def websocket_fragments(port: int) -> list[bytes]:
    """One message in pieces that never ends, and a flood of pings."""
    address, gone = f"ws://127.0.0.1:{port}/_stcore/stream", (WebSocketException, OSError)
    with contextlib.suppress(*gone), connect(address, open_timeout=SECONDS) as opened:
        opened.send(b"x" * 10_000 for _ in range(3_000))
    with contextlib.suppress(*gone), connect(address, open_timeout=SECONDS) as opened:
        for _ in range(2_000):
            opened.ping()
    return []


ATTACKS: dict[str, Callable[[int], list[bytes]]] = {
    each.__name__: each
    for each in (
        giant_header, ten_thousand_headers, giant_address, half_sent_bodies, half_sent_heads,
        silent_connections, deep_and_wide_json, gzip_bomb, thousands_of_ranges,
        paths_that_lead_out, forged_tokens, other_hosts, two_lengths, uploads_of_strangers,
        websocket_fragments,
    )
}  # fmt: skip
