"""What of Streamlit's own addresses is open to whom, and how much of a message is read."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest
from annotating import SETTINGS, Annotator, make_source
from serving import ask, serving

from labeling_core.access import tokens
from labeling_core.projects.lifecycle import create_project
from labeling_core.web import bounds, messages, routes
from labeling_core.web.bounds import Admitted, Bounded

UPLOAD = "/_stcore/upload_file/session/file"


class Upload:
    """An upload to a server that holds ``held`` bytes already."""

    def __init__(self, held: int = 0) -> None:
        self.app = Bounded(self.take, lambda session: session == "session", lambda: held)
        self.read = 0

    async def take(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.read += len(message["body"])
        await send({"type": "http.response.start", "status": 204})

    def put(self, length: str | None = "4", path: str = UPLOAD, method: str = "PUT") -> int:
        """The status of the answer."""
        headers = [] if length is None else [(b"content-length", length.encode("latin-1"))]
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"data", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        return int(sent[0]["status"])


def test_a_file_is_taken_from_whoever_may_manage_and_from_nobody_else():
    upload = Upload()
    assert upload.put() == 204 and upload.read == 4
    assert upload.put(path="/_stcore/upload_file/other/file") == 403
    assert upload.put(method="DELETE") == 204
    assert upload.app.coming == 0


@pytest.mark.parametrize("length", [None, "", "-1", "4x", "1e9", "²", "9" * 20])
def test_a_file_without_a_length_is_not_read(length):
    upload = Upload()
    assert (upload.put(length), upload.read) == (411, 0)


def test_the_files_of_all_together_have_an_end(monkeypatch):
    monkeypatch.setenv("LABELING_UPLOAD_MEMORY", "1")
    assert Upload(held=bounds.MEGABYTE - 4).put() == 204
    upload = Upload(held=bounds.MEGABYTE - 3)
    assert (upload.put(), upload.read) == (413, 0)
    upload = Upload()
    upload.app.coming = bounds.MEGABYTE - 3  # on its way on other connections
    assert upload.put() == 413


def test_a_file_of_which_nothing_comes_any_more_ends(monkeypatch):
    monkeypatch.setattr(bounds, "PATIENCE", 0.01)

    async def nothing() -> Any:
        await asyncio.sleep(60)

    assert asyncio.run(bounds._patient(nothing)()) == {"type": "http.disconnect"}


@pytest.mark.parametrize("path", ["metrics", "metrics/", "script-health-check"])
def test_what_streamlit_counts_is_nobodys_business(path):
    assert Upload().put(path=f"/_stcore/{path}", method="GET") == 404


def test_only_so_many_sessions_are_remembered_the_latest_ones(monkeypatch):
    monkeypatch.setattr(bounds, "MANY", 2)
    admitted = Admitted()
    for session in ("a", "b", "a", "c"):
        admitted.enter(session, session.upper())
    assert [admitted.find(each) for each in "abc"] == ["A", None, "C"]


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 1_000_000,
        b'{"a":' * 9 + b"1" + b"}" * 9,
        b"[" + b"{}," * 20_000 + b"{}]",
        b'"' * 999_999,
        b'"' + b'\\"' * 1_000_000,
        b"",
        b"nothing",
        b"\xff{}",
    ],
)
def test_what_is_no_flat_message_is_refused_before_it_is_built(body):
    start = time.process_time()
    with pytest.raises(ValueError):
        messages.read_json(body)
    assert time.process_time() - start < 5  # and not with the square of its length


def test_brackets_in_a_text_are_text():
    body = {"comment": '[[[[[[[[[[[["{{{{{{{{{{{{\\', "decisions": [{"seq": 1}]}
    assert messages.read_json(json.dumps(body).encode()) == body


@pytest.fixture
def site(workspace, monkeypatch):
    monkeypatch.setattr(routes, "open_workspace", lambda: workspace)
    make_source(workspace.database)
    project = create_project(workspace.database, SETTINGS)
    token = tokens.issue(workspace.key, project.project_id, "ana")
    with serving() as port:
        yield port, token, Annotator(workspace, project).raw(want=1)


def test_a_token_in_the_header_is_as_good_as_one_in_the_message(site):
    port, token, message = site
    for sent, headers in [(message, {"X_Labeling_Token": token}), (message | {"token": token}, {})]:
        answer = ask(port, "POST", "/labeling/exchange", sent, **headers)
        assert answer.status == 200 and json.loads(answer.body)["message"] == 0
    assert ask(port, "POST", "/labeling/review", message, X_Labeling_Token=token).status == 403


def begun(port: int, length: int, body: bytes = b"", token: str = "") -> bytes:
    """The answer to a message of which no more is sent than ``body``."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        head = f"POST /labeling/exchange HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n"
        head += f"X-Labeling-Token: {token}\r\n" if token else ""
        connection.sendall(head.encode() + b"\r\n" + body)
        return connection.recv(4096)


def test_a_wrong_token_is_refused_before_anything_is_read(site):
    assert b" 403 " in begun(site[0], 31_000_000, token="wrong")


def test_without_a_token_in_the_header_no_more_is_read_than_a_beacon_holds(site):
    assert b" 413 " in begun(site[0], 31_000_000, b"[" * (routes.MAX_UNSIGNED + 1))


def test_a_message_that_is_half_sent_ends(site, monkeypatch):
    monkeypatch.setattr(routes, "BODY_SECONDS", 0.1)
    assert b" 408 " in begun(site[0], 100, b"{", site[1])
