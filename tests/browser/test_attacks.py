"""Attacks on the real server: it is well throughout, labeling goes on after each, nothing was let
out."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from app_server import AppServer, decisions, settings_for
from attacks import ATTACKS
from health_watch import health_throughout
from wire_deck import Page, WireDeck

# What each of an attack's answers must be, where that is one thing; others may be hung up on.
STATUS = {
    "half_sent_bodies": b" 200 ",
    "half_sent_heads": b" 200 ",
    "uploads_of_strangers": b" 403 ",
}
FORBIDDEN = (b"root:x:", b"evil.example", b"Traceback")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(tmp_path_factory.mktemp("attacks"))
    server.make_projects([settings_for("calm")])
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def deck(server: AppServer) -> Iterator[WireDeck]:
    """Somebody who labels all the while."""
    page = Page(server, "calm", "ana")
    deck = WireDeck(server, page.token)
    deck.exchange()
    yield deck
    deck.close()
    page.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_after_an_attack_labeling_goes_on(server: AppServer, deck: WireDeck, name: str) -> None:
    with health_throughout(server.port):
        answers = ATTACKS[name](server.port)
    for answer in answers:
        assert not [each for each in FORBIDDEN if each in answer], answer[:500]
        assert STATUS.get(name, b"") in answer[:20], answer[:500]
        assert b" 500 " not in answer[:20], answer[:500]
    with urllib.request.urlopen(f"{server.url}/labeling/health", timeout=30) as response:
        assert response.read() == b'{"status":"ok"}'
    before = len(deck.acknowledged)
    deck.label(before + 3)
    assert len(deck.acknowledged) == before + 3
    assert len(decisions(server, "calm")) == before + 3
