"""What somebody without a login can do to the real server over the network: nothing."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import ROOT, AppServer
from health_watch import health_throughout
from login_provider import LoginProvider, hosted_server
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

FLOOD = 1_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder: Path = tmp_path_factory.mktemp("strangers")
    provider = LoginProvider(folder)
    server = hosted_server(folder, provider)
    server.start()
    yield server
    server.stop()
    provider.stop()


def rerun() -> bytes:
    message = BackMsg()
    message.rerun_script.query_string = ""
    return message.SerializeToString()


def enter(server: AppServer) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None)


def asked(server: AppServer, method: str, path: str, body: bytes = b"") -> int:
    """The status of the answer, within 30 seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request(method, path, body)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_thousand_reruns_at_once_hold_nobody_up(server: AppServer) -> None:
    with health_throughout(server.port), enter(server) as stranger:
        for _ in range(FLOOD):
            stranger.send(rerun())
        for _ in range(50):
            assert asked(server, "GET", "/_stcore/health") == 200


def test_a_stranger_is_told_no_path_and_uploads_nothing(server: AppServer) -> None:
    with enter(server) as stranger:
        stranger.send(rerun())
        told = [bytes(stranger.recv(60))]
        while ForwardMsg.FromString(told[-1]).WhichOneof("type") != "script_finished":
            told.append(bytes(stranger.recv(60)))
        assert not any(str(ROOT).encode() in each for each in told)
        news = [ForwardMsg.FromString(each) for each in told]
        session = next(
            each.new_session.initialize.session_id
            for each in news
            if each.WhichOneof("type") == "new_session"
        )
        assert session
        assert asked(server, "PUT", f"/_stcore/upload_file/{session}/file", b"x" * 1000) == 403


@pytest.mark.parametrize("path", ["metrics", "script-health-check"])
def test_a_stranger_is_told_no_figures(server: AppServer, path: str) -> None:
    assert asked(server, "GET", f"/_stcore/{path}") == 404


def test_a_stranger_is_told_no_metrics(server: AppServer) -> None:
    assert asked(server, "GET", "/labeling/metrics") == 404


def test_a_stranger_learns_whether_the_server_is_well_and_no_more(server: AppServer) -> None:
    with enter(server) as stranger:
        for _ in range(FLOOD):
            stranger.send(rerun())
        assert asked(server, "GET", "/labeling/health") == 200
    with urllib.request.urlopen(f"{server.url}/labeling/health") as response:
        assert response.read() == b'{"status":"ok"}'
