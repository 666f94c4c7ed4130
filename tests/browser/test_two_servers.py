"""A second server on one file: one sentence, nothing spoilt; and fifty people on one server."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer, decisions, settings_for
from health_watch import HEALTH, ask
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from wire_deck import Page, WireDeck

PEOPLE, LABELS = 50, 8


@pytest.fixture
def server(tmp_path: Path) -> Iterator[AppServer]:
    server = AppServer(tmp_path)
    server.command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    server.make_projects([settings_for("team", queries_table="team_queries", every=40)])
    server.start()
    yield server
    server.stop()


def page_of(server: AppServer) -> str:
    """All that a page sends until its script has finished."""
    address = f"ws://127.0.0.1:{server.port}/_stcore/stream"
    with connect(address, max_size=None, open_timeout=120) as opened:
        message = BackMsg()
        message.rerun_script.query_string = ""
        opened.send(message.SerializeToString())
        told = ""
        while True:
            news = ForwardMsg.FromString(bytes(opened.recv(120)))
            told += str(news)
            if news.WhichOneof("type") == "script_finished":
                return told


def test_a_second_server_on_one_file_says_so_and_spoils_nothing(
    server: AppServer, tmp_path: Path
) -> None:
    page = Page(server, "team", "ana")
    deck = WireDeck(server, page.token)
    deck.label(3)
    (tmp_path / "second").mkdir()
    second = AppServer(tmp_path / "second")
    second.command, second.path = server.command, server.path
    second.start()
    try:
        assert "is open in another process" in page_of(second)
        assert ask(second.port, HEALTH)[2] == 503
        deck.label(6)  # the first goes on
        assert len(decisions(server, "team")) == 6
    finally:
        second.stop()
    told = (second.folder / "server.log").read_text("utf-8")
    assert (
        f"The database {server.path} is open in another process" in told and "Traceback" not in told
    )
    assert re.search(rf"\(process {server.process.pid}\)", told)  # type: ignore[union-attr]
    deck.label(9)  # and after the second has gone
    assert len(decisions(server, "team")) == 9
    deck.close()
    page.close()


def test_fifty_people_label_at_once_and_nothing_is_lost_or_doubled(server: AppServer) -> None:
    pages = [Page(server, "team", f"annotator {number}") for number in range(PEOPLE)]
    decks = [WireDeck(server, page.token) for page in pages]
    threads = [threading.Thread(target=deck.label, args=(LABELS,)) for deck in decks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = sorted(pair for deck in decks for pair in deck.acknowledged.items())
    assert len(told) == PEOPLE * LABELS
    assert sorted((sample, category) for sample, category, _ in decisions(server, "team")) == told
    for each in (*decks, *pages):
        each.close()
