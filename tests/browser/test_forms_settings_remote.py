"""Pictures on S3, from the form over the keys to what is learned; credentials in secrets only."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import ROOT, AppServer, decisions
from deck_page import DeckPage
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect
from s3_server import BUCKET, S3Server

SOURCE = f"s3://{BUCKET}/digits"
LEARNED = 300.0  # seconds
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    storage = S3Server(tmp_path_factory.mktemp("s3"))
    yield storage
    storage.stop()


@pytest.fixture(scope="module")
def server(storage: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    server = AppServer(Path(tmp_path_factory.mktemp("remote")))
    secrets = server.folder / "secrets.toml"
    lines = (f'{name} = "{storage.environment[name]}"\n' for name in CREDENTIALS)
    secrets.write_text("".join(lines), "utf-8")
    server.command = [*server.command, "--secrets.files", str(secrets)]
    server.make_projects([], wines=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in storage.environment.items():
            if name not in CREDENTIALS:
                patch.setenv(name, value)
        server.start(storage.packages)
    yield server
    server.stop()


def test_pictures_on_s3_are_chosen_labeled_and_learned_from(
    server: AppServer, storage: S3Server, context: BrowserContext
) -> None:
    pictures = sorted((ROOT / "data/digits").glob("*.png"))[:40]
    for each in pictures:
        storage.put(f"digits/{each.name}", each.read_bytes())
    storage.put("digits/film.mov", b"")
    form = Form(context, server).open("settings?new=1")
    form.choose("Modality", "Images")
    form.segment("Samples from", "Use a folder on the server")
    form.text("Folder", "s3://elsewhere/digits")
    expect(form.page.get_by_text("lies outside of the remote folders")).to_be_visible()
    form.text("Folder", f"s3://key:secret@{BUCKET}/digits")
    expect(form.page.get_by_text("holds neither a password nor a query")).to_be_visible()
    form.text("Folder", SOURCE)
    expect(form.page.get_by_text("40 images.")).to_be_visible()
    form.page.get_by_text("1 file not taken").click()
    table = form.page.get_by_test_id("stDataFrame").first
    expect(table).to_contain_text("Video (.mov): export pictures of it")
    form.page.get_by_text("Add several", exact=True).click()
    form.text("One name per line", "low\nhigh", runs=False)
    form.press("Add them")
    form.text("Name", "far")
    form.press("Create the project")
    assert stored(server, "far")["source"] == SOURCE

    deck = DeckPage(context, server.url, "far", "post")
    deck.address = f"{server.url}/label_images?project=far"
    deck.open()
    wanted = []
    for number in range(24):
        image = deck.page.locator("[data-sample-id] img")
        expect(image).to_be_visible()
        assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 8
        sample = deck.sample or ""
        deck.page.keyboard.press("lh"[number % 2])
        wanted.append((sample, ("low", "high")[number % 2], None))
        expect(deck.page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)
    deck.wait_saved()
    assert decisions(server, "far") == wanted
    end = time.monotonic() + LEARNED
    while not _sessions(server):
        assert time.monotonic() < end, "nothing was learned"
        time.sleep(0.5)
    assert deck.errors == []
    secret = storage.environment[CREDENTIALS[1]].encode()
    written = [each for each in server.folder.rglob("*") if each.is_file()]
    holding = [each.name for each in written if secret in each.read_bytes()]
    assert holding == ["secrets.toml"]


def _sessions(server: AppServer) -> int:
    with server.tables() as tables:
        row = tables.execute("SELECT count(*) FROM labeling.sessions WHERE state = 'DONE'")
        return int((row.fetchone() or (0,))[0])


def test_what_the_storage_does_not_give_is_said_where_it_is_missing(
    server: AppServer, storage: S3Server, context: BrowserContext
) -> None:
    storage.put("digits/new.png", (ROOT / "data/digits/digit_0099.png").read_bytes())
    form = Form(context, server).open("settings?project=far")
    with storage.refusing():
        form.press("Look for new files in the source")
        refused = "cannot be read: the storage refuses it"
        expect(form.page.get_by_text(refused)).to_be_visible()
    form.press("Look for new files in the source")
    expect(form.page.get_by_text("1 new")).to_be_visible()
    assert newest(server, "far", "refreshed")["added"] == 1
    storage.stop()
    try:
        deck = DeckPage(context, server.url, "far", "post")
        deck.address = f"{server.url}/label_images?project=far"
        deck.open()
        for _ in range(17):
            sample = deck.sample or ""
            kept = sample != "new.png"
            shown = deck.page.locator("[data-sample-id]").locator("img" if kept else ".excuse")
            expect(shown).to_be_visible()
            if not kept:
                expect(shown).to_contain_text(f"The folder {SOURCE} cannot be read")
            deck.page.keyboard.press("l" if kept else "Delete")
            expect(deck.page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)
        deck.wait_saved()
    finally:
        storage.start()
    labels = dict(row[:2] for row in decisions(server, "far"))
    assert len(labels) == 41
    assert [name for name, label in labels.items() if label is None] == ["new.png"]
