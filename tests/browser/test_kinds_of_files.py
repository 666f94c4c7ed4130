"""Formats that browsers do not know, and pictures of more than 8 bits: right on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import product
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
from playwright.sync_api import BrowserContext, expect

from labeling_core.modalities import images
from labeling_core.projects.sample_projects import DIGITS, SPOKEN_WORDS
from labeling_core.settings import Category, Settings

TWO = (Category("one", key="1"), Category("two", key="2"))
SIDE = 64
RAMP = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
# What the browser has painted of the picture in front, as red, green, blue of each pixel.
PIXELS = """(() => {
  const image = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
    .querySelector("[data-sample-id] :is(img, canvas)");
  if (!image || image.complete === false) return null;
  const { naturalWidth: width = image.width, naturalHeight: height = image.height } = image;
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
        "inks.tif": reflected(np.asarray(inks, float)),
        "sixteen.png": (full >> 8).astype(np.uint8),
    }


def reflected(inks: np.ndarray) -> np.ndarray:
    """Red, green, blue of cyan, magenta, yellow and black without a profile: what each ink lets
    through, times what black does."""
    return np.rint((255 - inks[..., :3]) * (255 - inks[..., 3:]) / 255).astype(np.uint8)


def photographs(folder: Path) -> dict[str, np.ndarray]:
    """Write greys of 12 bits, and one of 8; file → its values."""
    folder.mkdir()
    values = {f"{n}.tif": (RAMP + 997 * n) % 4096 for n in range(6)} | {"eight.png": RAMP // 16}
    for name, each in values.items():
        Image.fromarray(each.astype(np.uint8 if name == "eight.png" else np.uint16)).save(
            folder / name
        )
    return values


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
    photographs(folder / "twelve")
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
            settings("twelve", DIGITS, folder / "twelve"),
            settings("open", DIGITS, folder / "deep"),
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


def on_the_screen(deck: DeckPage) -> np.ndarray:
    """The middle of a screenshot, where a picture at its actual size lies, with a margin of 1."""
    frame = deck.page.locator("[data-sample-id] .image")
    expect(frame.locator(".reading")).to_contain_text("100 %")
    box = frame.bounding_box()
    assert box
    left, top = (
        box[at] + box[size] / 2 - SIDE / 2 - 1 for at, size in (("x", "width"), ("y", "height"))
    )
    clip = {"x": round(left), "y": round(top), "width": SIDE + 2, "height": SIDE + 2}
    content = deck.page.screenshot(clip=clip)  # type: ignore[arg-type]
    return np.asarray(Image.open(BytesIO(content)).convert("RGB"), int)


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
        deck.page.keyboard.press("z")
        seen_at = on_the_screen(deck)
        assert min(
            np.abs(seen_at[y : y + SIDE, x : x + SIDE] - known[name]).max()
            for y, x in product(range(3), range(3))
        ) <= 2, name  # fmt: skip
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


def in_levels(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """How bright values are in a range, by the definition; the same for all three colours."""
    level = np.clip((values.astype(float) - black) * (255 / (white - black)), 0, 255)
    return np.repeat(np.rint(level)[..., None], 3, axis=2)


def set_level(deck: DeckPage, name: str, value: object) -> None:
    field = deck.page.get_by_role("spinbutton", name=name)
    field.fill(str(value))
    field.press("Enter")


WRITTEN_WHILE_PAINTED = """async (panel) => {
    const [black, white] = ["black", "white"].map(
        (end) => panel.querySelector(`input[type=number][data-end=${end}]`));
    black.value = "900";
    black.dispatchEvent(new Event("change"));
    white.focus();
    white.value = "12";
    white.dispatchEvent(new Event("input"));
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return white.value;
}"""


def differs(deck: DeckPage, wanted: np.ndarray) -> int:
    """By how much what is painted differs at most; it is painted in the frame after a change."""
    twice = "requestAnimationFrame(() => requestAnimationFrame(() => done(true)))"
    deck.wait_for(f"new Promise((done) => {twice})")
    return int(np.abs(painted(deck) - wanted).max())


def test_levels_are_the_same_for_all_pictures_until_the_page_is_closed(
    made: tuple[AppServer, Any], context: BrowserContext
) -> None:
    server, _ = made
    values = photographs(server.folder / "again")
    deck = opened(context, server, "label_images", "twelve")
    page = deck.page
    control, button = page.get_by_role("group", name="Levels"), page.locator("[data-action=levels]")
    changed = False
    for number in range(1, 8):
        name = deck.sample or ""
        if name == "eight.png":
            expect(button).to_be_hidden()
            expect(control).to_be_hidden()
            expect(page.locator("[data-sample-id] canvas")).to_have_count(0)
            assert differs(deck, np.repeat(values[name][..., None], 3, axis=2)) == 0
        elif not changed:
            assert differs(deck, in_levels(values[name], 0, 4095)) <= 1
            page.keyboard.press("l")
            expect(page.get_by_role("slider", name="Brightest")).to_be_enabled()
            expect(control).to_contain_text("Holds 0 to 4095.")
            expect(page.get_by_role("spinbutton", name="Brightest value")).to_have_value("4095")
            assert differs(deck, in_levels(values[name], 0, 4095)) == 0
            set_level(deck, "Darkest value", 1000)
            set_level(deck, "Brightest value", 2000)
            changed = True
        if name != "eight.png":
            expect(page.locator("[data-sample-id] canvas")).to_have_attribute("role", "img")
            assert differs(deck, in_levels(values[name], 1000, 2000)) == 0, name
        decide(deck, server, number)
    deck.wait_saved()
    assert {name for name, *_ in decisions(server, "twelve")} == set(values)


def test_a_slider_of_levels_has_the_arrows_and_the_deck_all_other_keys(
    made: tuple[AppServer, dict[str, np.ndarray]], context: BrowserContext
) -> None:
    server, known = made
    deck = opened(context, server, "label_images", "open")
    page = deck.page
    while deck.sample in ("pages.tif", "inks.tif"):  # of 8 bits
        before = deck.sample
        page.keyboard.press("Shift+ArrowRight")
        expect(page.locator(f'[data-sample-id="{before}"]')).to_have_count(0)
    sample = deck.sample or ""
    slider, said = page.get_by_role("slider", name="Darkest"), page.locator("[data-levels=said]")
    page.keyboard.press("l")
    expect(slider).to_be_enabled()
    start = float(slider.input_value())
    assert differs(deck, known[sample]) <= 1
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("The same for all")
    assert float(slider.input_value()) > start and deck.sample == sample
    set_level(deck, "Darkest value", -5)
    set_level(deck, "Darkest value", "")
    expect(page.get_by_role("spinbutton", name="Darkest value")).to_have_value("-5")
    page.get_by_role("button", name="Reset").click()
    expect(said).to_contain_text("goes by what it holds")
    assert differs(deck, known[sample]) <= 1
    set_level(deck, "Darkest value", 1000)  # now the darkest is above the brightest, or near it
    set_level(deck, "Brightest value", 0)
    page.keyboard.press("l")
    expect(page.locator("[data-sample-id] .reading")).to_have_text("1000 to 0")
    page.keyboard.press("l")
    # What somebody is writing stays as it is while the other end is painted.
    control = page.get_by_role("group", name="Levels")
    assert control.evaluate(WRITTEN_WHILE_PAINTED) == "12"
    slider.focus()
    page.keyboard.press("2")
    expect(page.locator(f'[data-sample-id="{sample}"]')).to_have_count(0)
    deck.wait_saved()
    assert sample in {name for name, *_ in decisions(server, "open")}
    page.reload()
    deck.wait_ready()
    expect(page.locator("[data-sample-id] img")).to_have_count(1)
    assert deck.errors == []
