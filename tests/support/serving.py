"""The routes on a port of this machine, as the app serves them, without the pages."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from labeling_core.web import routes
from labeling_core.web.security_headers import SecureResponses


class Answer(NamedTuple):
    """A response: status, headers (lower case) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(port: int, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """One request on a connection of its own; ``body`` goes out as JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sent = None if body is None else json.dumps(body)
    connection.request(method, path, sent, {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    found = {name.lower(): value for name, value in answer.getheaders()}
    content = answer.read()
    connection.close()
    return Answer(answer.status, found, content)


@contextmanager
def serving(*around: Middleware) -> Iterator[int]:
    """Serve the routes, with what is put ``around`` them; the port."""
    app = Starlette(routes=routes.ROUTES, middleware=[*around, Middleware(SecureResponses)])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
