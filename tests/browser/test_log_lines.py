"""The real server's log as JSON lines: requests are told, and nothing that people wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from app_server import AppServer, settings_for
from wire_deck import Page, WireDeck

MARK = "Zwetschge"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a project whose title has the mark."""
    server = AppServer(tmp_path_factory.mktemp("lines"))
    server.make_projects([replace(settings_for("plain"), title=MARK)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_LOG", "json")
        server.start()
    yield server
    server.stop()


def test_requests_are_lines_of_json_without_a_person_or_a_title(server: AppServer) -> None:
    page = Page(server, MARK.lower(), f"{MARK}@example.org")
    deck = WireDeck(server, page.token)
    deck.exchange()
    deck.label(3)
    deck.close()
    page.close()
    text = (Path(server.folder) / "server.log").read_text("utf-8")
    lines = [json.loads(each) for each in text.splitlines() if each.startswith("{")]
    asked = [each for each in lines if each["message"] == "request"]
    assert {(each["path"], each["status"]) for each in asked} == {("/labeling/exchange", 200)}
    assert len({each["person"] for each in asked}) == 1 and all(each["request"] for each in asked)
    assert MARK.lower() not in text.lower() and "127.0.0.1" not in json.dumps(lines)
    assert "Traceback" not in text
