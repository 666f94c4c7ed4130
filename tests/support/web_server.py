"""A real web server on 127.0.0.1, with what others do on it."""

from __future__ import annotations

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from s3_server import steps_told

ODD_PAGE = (
    '<a href="../">up</a><a href="?C=N;O=D">order</a><a href="http://127.0.0.1:1/x.png">away</a>'
    '<a href="/secret.png">above</a><a href="..%2f..%2fsecret.png">x</a><a href="%2e%2e/">y</a>'
    '<a href="gone.png">gone</a><a href="moved.png">moved</a><a href="gone/">gone</a>'
    '<a href="plain.png">plain</a><a href="plain.png#part">plain</a><a href="no_date.png">z</a>'
)


class _Handler(SimpleHTTPRequestHandler):
    """Files of a folder, as Python lists and sends them; below ``parts`` in parts, too, and below
    ``odd`` stranger things."""

    asked: list[str]
    sent: list[int]

    def do_GET(self) -> None:
        self._answer(super().do_GET)

    def do_HEAD(self) -> None:
        self._answer(super().do_HEAD)

    def _answer(self, usual) -> None:
        self.asked.append(self.path)
        if self.path == "/odd/":
            self._send(200, ODD_PAGE.encode(), ("Content-Type", "text/html"))
        elif self.path == "/odd/no_date.png":
            self._send(200, b"no date")
        elif self.path == "/moved/moved.png":
            self._send(302, b"", ("Location", "/secret.png"))
        elif self.path == "/refused/":
            self._send(403, b"")
        elif self.path == "/netrc/" and "Authorization" not in self.headers:
            self._send(401, b"")
        elif self.path == "/endless/x.png" and self.command == "GET":
            self._send(200, b"x" * 4, ("Last-Modified", self.date_time_string(0)), half=True)
        elif self.path.startswith("/parts/") and "Range" in self.headers:
            self._send_part()
        else:
            usual()

    def _send_part(self) -> None:
        path = Path(self.translate_path(self.path))
        whole, changed = path.read_bytes(), self.date_time_string(int(path.stat().st_mtime))
        start, end = map(int, self.headers["Range"].removeprefix("bytes=").split("-"))
        told = f"bytes {start}-{end}/{len(whole)}"
        self.sent.append(end + 1 - start)
        part = whole[start : end + 1]
        self._send(206, part, ("Content-Range", told), ("Last-Modified", changed))

    def _send(self, status: int, content: bytes, *headers, half: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) * (2 if half else 1)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = half

    def log_message(self, *_: object) -> None: ...


class Web:
    """The server of ``folder``; ``told`` as S3Server has it, with ``packages`` that it finds."""

    def __init__(self, folder: Path, packages: Path) -> None:
        self.folder, self.packages = folder, packages
        self.asked: list[str] = []
        self.sent: list[int] = []  # bytes of each part
        handler = type("Handler", (_Handler,), {"asked": self.asked, "sent": self.sent})
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
        )
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(content)

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to use it."""
        return {"LABELING_REMOTE_ROOTS": self.url}

    def told(self, step: str, *words: str | Path, **environment: str):
        roots = self.environment
        return steps_told(self.packages, step, *words, **(roots | environment))
