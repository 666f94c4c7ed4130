"""Whatever fails on a page: one sentence with a number, the same number in the log, and no more."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app_server import AppServer, settings_for
from held_up_server import SECRET
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from labeling_core.access.rights import PAGES
from labeling_core.modalities.registry import MODALITIES

OPENED = [each for each in PAGES if "*" not in each] + [each.page for each in MODALITIES.values()]
SENTENCE = re.compile(r"Something went wrong on this page: tell an admin the reference (\w{8})\.")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project, whose log is one of JSON lines."""
    server = AppServer(tmp_path_factory.mktemp("failing"))
    server.make_projects([settings_for("plain", queries_table="plain_queries")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_LOG", "json")
        server.start()
    yield server
    server.stop()


def log_of(server: AppServer) -> str:
    return (Path(server.folder) / "server.log").read_text("utf-8")


def order(server: AppServer, where: int) -> None:
    """Have pages fail from now on: see held_up_server.fail."""
    known = log_of(server).count("done: fail")
    server.hold_up("fail", where)
    while log_of(server).count("done: fail") == known:
        time.sleep(0.05)


class Visit:
    """A websocket on which a page runs."""

    def __init__(self, opened: ClientConnection, page: str) -> None:
        self.opened, self.page = opened, "" if page == "home" else page

    def run(self, fragment: str = "") -> list[ForwardMsg]:
        """Run the page, or a part of it that runs by itself; what it has sent."""
        message = BackMsg()
        message.rerun_script.page_name = self.page
        message.rerun_script.query_string = "project=plain"
        message.rerun_script.fragment_id = fragment
        self.opened.send(message.SerializeToString())
        sent = []
        while True:
            sent.append(ForwardMsg.FromString(bytes(self.opened.recv(120))))
            if sent[-1].WhichOneof("type") == "script_finished":
                return sent


def visit(server: AppServer) -> Any:
    return connect(f"ws://127.0.0.1:{server.port}/_stcore/stream", max_size=None, open_timeout=120)


def assert_told(server: AppServer, sent: list[ForwardMsg]) -> None:
    """One sentence, in the log as well, and nothing of where or why it failed."""
    elements = [each.delta.new_element for each in sent if each.WhichOneof("type") == "delta"]
    errors = [each.alert.body for each in elements if "went wrong" in each.alert.body]
    found = [SENTENCE.fullmatch(each) for each in errors]
    assert len(found) == 1 and found[0], errors
    assert not [each for each in elements if each.WhichOneof("type") == "exception"]
    everything = "".join(map(str, sent))
    assert SECRET not in everything and "Traceback" not in everything
    assert ".py" not in everything.replace("main.py", "")
    lines = [json.loads(each) for each in log_of(server).splitlines() if each.startswith("{")]
    (line,) = [each for each in lines if each.get("request") == found[0][1]]
    assert line["level"] == "error" and "held_up_server" in line["traceback"][-2], line
    assert line["traceback"][-1] == "RuntimeError"
    assert SECRET not in json.dumps(lines)


@pytest.mark.parametrize("where", [1, 2])
@pytest.mark.parametrize("page", OPENED)
def test_a_page_that_fails_says_one_sentence_and_the_log_has_its_number(
    server: AppServer, page: str, where: int
) -> None:
    with visit(server) as opened:
        shown = Visit(opened, page)
        assert "went wrong" not in "".join(map(str, shown.run()))
        order(server, where)
        try:
            assert_told(server, shown.run())
        finally:
            order(server, 0)
        assert "went wrong" not in "".join(map(str, shown.run())), "it goes on as before"


def test_a_part_of_a_page_that_runs_by_itself_fails_alike(server: AppServer) -> None:
    with visit(server) as opened:
        shown = Visit(opened, "query_sampler")
        sent = shown.run()
        fragments = {each.auto_rerun.fragment_id for each in sent} - {""}
        assert fragments
        order(server, 3)
        try:
            for each in sorted(fragments):
                assert_told(server, shown.run(each))
        finally:
            order(server, 0)
