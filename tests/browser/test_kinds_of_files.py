"""Formats that browsers do not know, and pictures of more than 8 bits: right on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  so that Pillow can write it
import pytest
from app_server import AppServer, decisions
from broken_media import coded, photo, tone, write_all
from deck_page import DeckPage
from deep_media import png16
from PIL import Image
from playwright.sync_api import BrowserContext

from labeling_core.modalities import images
from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS
from labeling_core.settings import Category, Settings

TWO = (Category("one", key="1"), Category("two", key="2"))
SIDE = 64
RAMP = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
# What the browser has painted of the picture in front, as red, green, blue of each pixel.
PIXELS = """(() => {
  const image = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
    .querySelector("[data-sample-id] img");
  if (!image?.complete) return null;
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  return [width, height, ...canvas.getImageData(0, 0, width, height).data];
})()"""
PLAYS = """(() => {
  const audio = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
    .querySelector("[data-sample-id] audio");
  return audio && audio.readyState > 0 && audio.duration;
})()"""


def deep_pictures(folder: Path) -> dict[str, np.ndarray]:
    """Write pictures that Pillow alone would show wrongly; file → how each looks in 8 bits."""
    folder.mkdir()
    eight = np.rint(RAMP * (255 / 4095)).astype(np.uint8)
    grey = np.repeat(eight[..., None], 3, axis=2)
    Image.fromarray(RAMP.astype(np.uint16)).save(folder / "twelve.tif")
    colours = np.stack([RAMP, RAMP.T, 4095 - RAMP], axis=2).astype(np.uint16)
    (folder / "twelve_rgb.png").write_bytes(png16(colours))
    floats = (RAMP / 1000 - 2).astype(np.float32)
    floats[0, 0], floats[0, 1] = -np.inf, np.inf
    Image.fromarray(floats).save(folder / "float.tif")
    low, high = floats[0, 2], floats[-1, -1]
    level = np.rint(np.clip((floats.astype(float) - low) * (255 / (high - low)), 0, 255))
    pages = [Image.fromarray(each) for each in (grey, 255 - grey)]
    pages[0].save(folder / "pages.tif", save_all=True, append_images=pages[1:])
    inks = Image.fromarray(np.stack([eight, eight.T, 255 - eight, eight // 4], axis=2), "CMYK")
    inks.save(folder / "inks.tif")
    full = (colours.astype(int) * 16).astype(np.uint16)
    (folder / "sixteen.png").write_bytes(png16(full))
    return {
        "twelve.tif": grey,
        "twelve_rgb.png": np.rint(colours * (255 / 4095)).astype(np.uint8),
        "float.tif": np.repeat(level.astype(np.uint8)[..., None], 3, axis=2),
        "pages.tif": grey,
        "inks.tif": np.asarray(inks.convert("RGB")),
        "sixteen.png": (full >> 8).astype(np.uint8),
    }


def settings(name: str, base: Settings, source: Path) -> Settings:
    return replace(base, title=name, source=str(source), categories=TWO, queries_table="",
                   labels_table=f"{name}_labels", metadata_table=f"{name}_metadata",
                   probe_share=0.0)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, Any]]:
    """One server with a project each of deep pictures, of rare formats, and of sounds."""
    folder = Path(tmp_path_factory.mktemp("kinds"))
    pillow_heif.register_heif_opener()
    known = deep_pictures(folder / "deep")
    (folder / "rare").mkdir()
    for name, kind in {"a.heic": "HEIF", "b.avif": "AVIF", "c.jxl": "JXL", "d.jpg": "JPEG"}.items():
        photo(SIDE, SIDE).save(folder / "rare" / name, kind)
    write_all(folder / "heard", {
        "a.m4a": coded(tone(1, 44_100), 44_100, "mp4", "aac"),
        "b.opus": coded(tone(1, 48_000), 48_000, "opus", "libopus"),
        "c.amr": coded(tone(1, 8_000), 8_000, "amr", "libopencore_amrnb"),
    })  # fmt: skip
    server = AppServer(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        server.make_projects([
            settings("deep", DIGITS, folder / "deep"), settings("rare", DIGITS, folder / "rare"),
            settings("heard", SPOKEN_WORDS, folder / "heard"),
        ])  # fmt: skip
        server.start()
    yield server, known
    server.stop()


def opened(context: BrowserContext, server: AppServer, page: str, name: str) -> DeckPage:
    deck = DeckPage(context, server.url, name, "post")
    deck.address = f"{server.url}/{page}?project={name}"
    return deck.open()


def painted(deck: DeckPage) -> np.ndarray:
    deck.wait_for(PIXELS)
    width, height, *values = deck.page.evaluate(PIXELS)
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]


def decide(deck: DeckPage, server: AppServer, number: int) -> None:
    """Label what is in front by a key, and wait until it is stored."""
    deck.page.keyboard.press("1")
    deck.wait_for(
        f"document.querySelector('[data-testid=\"stBidiComponentIsolated\"]').shadowRoot"
        f".querySelector('[data-count=\"labeled\"]').textContent === '{number}'"
    )


def test_pictures_of_more_than_8_bits_are_right_on_the_screen_and_in_the_features(
    made: tuple[AppServer, dict[str, np.ndarray]], context: BrowserContext, tmp_path: Path
) -> None:
    server, known = made
    deck, seen = opened(context, server, "label_images", "deep"), set[str]()
    for number in range(1, len(known) + 1):
        name = deck.sample or ""
        difference = painted(deck).astype(int) - known[name]
        assert np.abs(difference).max() <= 1, name
        Image.fromarray(known[name]).save(tmp_path / "same.png")
        mine = images.features(server.folder / "deep" / name)
        assert np.abs(mine - images.features(tmp_path / "same.png")).mean() < 0.001, name
        seen.add(name)
        decide(deck, server, number)
    deck.wait_saved()
    assert seen == set(known) == {name for name, *_ in decisions(server, "deep")}


def test_pictures_that_browsers_do_not_know_are_labeled_by_key(
    made: tuple[AppServer, Any], context: BrowserContext
) -> None:
    server, _ = made
    deck = opened(context, server, "label_images", "rare")
    reference = np.asarray(photo(SIDE, SIDE), int)
    for number in range(1, 5):
        assert np.abs(painted(deck) - reference).mean() < 8, deck.sample
        decide(deck, server, number)
    deck.wait_saved()
    assert {name for name, *_ in decisions(server, "rare")} == {
        "a.heic", "b.avif", "c.jxl", "d.jpg"}  # fmt: skip


def test_sounds_that_browsers_do_not_know_are_heard_and_labeled_by_key(
    made: tuple[AppServer, Any], context: BrowserContext
) -> None:
    server, _ = made
    deck = opened(context, server, "label_sounds", "heard")
    for number in range(1, 4):
        deck.wait_for(PLAYS)
        assert deck.page.evaluate(PLAYS) == pytest.approx(1, abs=0.2), deck.sample
        decide(deck, server, number)
    deck.wait_saved()
    assert {name for name, *_ in decisions(server, "heard")} == {"a.m4a", "b.opus", "c.amr"}
