"""Many annotators at once on the real server, which is killed under their hands."""

from __future__ import annotations

import random
import sys
import threading
import time

import pytest
from app_server import AppServer, decisions, settings_for
from wire_deck import Page, WireDeck

PEOPLE = 8


@pytest.fixture
def server(tmp_path):
    server = AppServer(tmp_path)
    server.command = [sys.executable, "-m", "streamlit", "run", "app.py"]
    server.make_projects([settings_for("team", queries_table="team_queries", every=40)])
    server.start()
    yield server
    server.stop()


@pytest.fixture
def decks(server):
    pages = [Page(server, "team", f"annotator {number}") for number in range(PEOPLE)]
    decks = [WireDeck(server, page.token) for page in pages]
    yield decks
    for each in (*decks, *pages):
        each.close()


def told(decks):
    return sorted(pair for deck in decks for pair in deck.acknowledged.items())


def stored(server):
    return sorted((sample_id, category) for sample_id, category, _ in decisions(server, "team"))


def test_everybody_labels_at_once_and_each_decision_is_stored_exactly_once(server, decks):
    threads = [threading.Thread(target=deck.label, args=(25,)) for deck in decks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored(server) == told(decks)
    assert len(told(decks)) == PEOPLE * 25
    assert [deck.refused for deck in decks] == [[]] * PEOPLE
    with server.tables() as tables:
        who = tables.execute("SELECT count(DISTINCT annotator) FROM team_metadata").fetchone()
    assert who == (PEOPLE,)


def test_five_kills_under_load_lose_nothing_acknowledged_and_double_nothing(server, decks):
    done = threading.Event()

    def go_on(deck: WireDeck) -> None:
        while not done.is_set() or deck.pending:
            deck.label(len(deck.acknowledged) + 1)

    threads = [threading.Thread(target=go_on, args=(deck,)) for deck in decks]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(random.uniform(0.2, 1.5))  # killed at any moment, not at one that was chosen
        server.kill()
        server.start()
    done.set()
    for thread in threads:
        thread.join()
    assert len(told(decks)) > 0
    assert stored(server) == told(decks)
