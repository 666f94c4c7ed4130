"""What people who may label, or manage, send to stop the server: labeling goes on."""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from app_server import AppServer, decisions, settings_for
from attacks import EXCHANGE, request, send
from broken_media import encoded, photo, wave, write_all
from health_watch import health_throughout
from hostile_files import PICTURES
from wire_deck import Page, WireDeck

from labeling_core.settings import Category, Settings

AB = (Category("a"), Category("b"))


class Site(NamedTuple):
    """The server, somebody who labels a table all the while, and the decks of who attacks."""

    server: AppServer
    calm: WireDeck
    pictures: WireDeck
    sounds: WireDeck


def media(modality: str, folder: Path) -> Settings:
    return Settings(title=modality, modality=modality, source=str(folder), categories=AB,
                    labels_table=f"{modality}_labels", metadata_table=f"{modality}_metadata",
                    queries_table="")  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("insiders")
    long = "/".join(["d" * 200] * 12) + "/" + "n" * 200 + ".png"
    pictures = {"good.png": encoded(photo(), "PNG"), long: encoded(photo(), "PNG")}
    hostile = {name: make() for name, make in PICTURES.items()}
    write_all(folder / "root" / "images", pictures | hostile)
    write_all(folder / "root" / "sounds", {f"{n}.wav": wave(2) for n in range(3)})
    os.environ["LABELING_DATA_ROOTS"] = str(folder / "root")
    try:
        server = AppServer(folder)
        server.make_projects([settings_for("calm"), media("images", folder / "root" / "images"),
                              media("sounds", folder / "root" / "sounds")])  # fmt: skip
        server.start()
    finally:
        del os.environ["LABELING_DATA_ROOTS"]
    pages = [Page(server, "calm", "ana"), Page(server, "images", "eve", "label_images"),
             Page(server, "sounds", "eve", "label_sounds")]  # fmt: skip
    decks = [WireDeck(server, page.token) for page in pages]
    decks[0].exchange()
    yield Site(server, *decks)
    for each in (*decks, *pages):
        each.close()
    server.stop()


def hostile_files(site: Site) -> list[bytes]:
    """Each sample that is handed out and can be shown is fetched five times at once."""
    deck = site.pictures
    while "good.png" not in deck.views:
        deck.exchange()
    addresses = [each["url"] for each in deck.views.values() if "url" in each]
    assert addresses
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda url=url: answers.append(get(site, deck, url)))
        for url in addresses * 5
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(addresses) * 5
    return answers


def get(site: Site, deck: WireDeck, url: str, **headers: str) -> bytes:
    headers |= deck.cookies
    return send(site.server.port, request("GET", f"/{url.lstrip('/')}", **headers))


RANGES = (
    "bytes=0-", "bytes=-1", "bytes=" + ",".join(["0-"] * 5_000),
    "bytes=" + ",".join(f"{n}-{n}" for n in range(90)), "bytes=" + ",".join(["0-"] * 99),
    "bytes=99999999999999999999-", "bytes=5-2", "bytes=a-b", "bytes=-", "bytes=--1", "bytes=,",
    "bytes=0-99999999999999999999999999", "lines=0-", "bytes=" + "9" * 50_000 + "-",
)  # fmt: skip


def ranges_of_a_recording(site: Site) -> list[bytes]:
    deck = site.sounds
    deck.exchange()
    url = next(iter(deck.views.values()))["url"]
    whole = get(site, deck, url)
    assert b" 200 " in whole[:20]
    answers = [get(site, deck, url, Range=each) for each in RANGES]
    assert b" 206 " in answers[0][:20] and b" 206 " in answers[1][:20]
    assert all(any(f" {n} ".encode() in each[:20] for n in (200, 206, 400, 416, 431))
               for each in answers if each)  # fmt: skip
    return answers


def messages_with_a_token(site: Site) -> list[bytes]:
    """What passes the check of the token and is refused, or taken for nothing, all the same."""
    deck = site.calm
    decision = {"client": "eve", "seq": 1, "sample_id": "x", "action": "label", "category": "red",
                "comment": "x" * 1_500, "seconds": 1}  # fmt: skip
    huge = 10**30
    base = {"token": deck.token, "client": "eve", "message": 1}
    many = [decision | {"seq": n, "sample_id": f"no sample {n}"} for n in range(1, 5_001)]
    bodies = [
        b"[" * 4_000_000, b'{"a":' * 1_000_000, b'{"a":[' * 900_000 + b"1",
        b'{"holding":[' + b",".join([b'"\\u0041"'] * 900_000) + b"]}",
        b'{"message":' + b"9" * 7_000_000 + b"}", b'{"message":1e999999,"client":"eve"}',
        b"{" + b",".join(b'"%d":1' % n for n in range(600_000)) + b"}",
        b'"' + b"\\" * 7_999_990, b"\x00" * 8_000_000, b"\xff" * 8_000_000,
        json.dumps(base | {"decisions": many}).encode()[:8_000_000],
        json.dumps(base | {"decisions": [decision | {"sample_id": "y" * 4_000}] * 1_500}).encode(),
        json.dumps(base | {"want": huge, "history": {"index": -huge, "count": huge}}).encode(),
        json.dumps(base | {"history": {"index": {}, "count": []}}).encode(),
        json.dumps(base | {"holding": [[[[]]]], "screen": {"a": 1}}).encode(),
        b"x" * 9_000_000,
    ]  # fmt: skip
    return [
        send(site.server.port, request("POST", EXCHANGE, each, X_Labeling_Token=deck.token))
        for each in bodies
    ]


def long_names(site: Site) -> list[bytes]:
    port, deck = site.server.port, site.pictures
    url = next(each["url"] for each in deck.views.values() if "url" in each)
    return [
        send(port, request("GET", "/label_images?project=" + "x" * 60_000)),
        send(port, request("GET", "/" + "a/" * 20_000)),
        get(site, deck, url + "x" * 30_000),
        get(site, deck, url + "/.." * 5_000),
        get(site, deck, url, X_Labeling_Token="y" * 60_000),
    ]


ATTACKS: tuple[Callable[[Site], list[bytes]], ...] = (
    hostile_files, ranges_of_a_recording, messages_with_a_token, long_names,
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda each: each.__name__)
def test_after_an_attack_from_within_labeling_goes_on(
    site: Site, attack: Callable[[Site], list[bytes]]
) -> None:
    with health_throughout(site.server.port):
        answers = attack(site)
    for answer in answers:
        assert b"Traceback" not in answer and b" 500 " not in answer[:20], answer[:500]
    with urllib.request.urlopen(f"{site.server.url}/labeling/health", timeout=30) as response:
        assert response.read() == b'{"status":"ok"}'
    before = len(site.calm.acknowledged)
    site.calm.label(before + 3)
    assert len(decisions(site.server, "calm")) == before + 3
    log = (site.server.folder / "server.log").read_text("utf-8")
    assert "Traceback" not in log, log[-3_000:]
