"""Pulses above hearing: labeled by keys, learned from, heard at a tenth of the speed, seen."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from above_hearing import RATE, pulses
from app_server import AppServer, decisions, serving_files
from broken_media import recorded, write_all
from deck_page import DeckPage
from forms import Form
from playwright.sync_api import BrowserContext, expect

from labeling_core import __main__ as commands
from labeling_core.projects.sample_projects import SPOKEN_WORDS
from labeling_core.settings import Category

PITCHES = {"low": 40_000.0, "high": 70_000.0}
LEARNED = 600_000  # milliseconds: the process that learns gives way to all others
SETTINGS = replace(
    SPOKEN_WORDS, title="bats", every=20, probe_share=0.0,
    categories=tuple(Category(each) for each in PITCHES),
    labels_table="bats_labels", metadata_table="bats_metadata", queries_table="bats_queries",
)  # fmt: skip


# How bright the picture in front is at most below the waveform: where nothing is heard, and in all.
BRIGHTEST = """(() => {
  const image = document.querySelector('[data-testid="stBidiComponentIsolated"]').shadowRoot
    .querySelector("[data-sample-id] .wave img");
  if (!image?.complete) return null;
  const { naturalWidth: width, naturalHeight: height } = image;
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const top = Math.ceil(0.4 * height);
  return [width / 4, width].map((share) => canvas.getImageData(0, top, share, height - top).data
    .reduce((most, value, at) => (at % 4 < 3 && value > most ? value : most), 0));
})()"""


def write(folder: Path, number: int, seed: int = 0) -> dict[str, str]:
    """Write recordings whose first third is silent, then pulses are heard; file → category."""
    told = {f"{n:03}.wav": list(PITCHES)[n % 2] for n in range(number)}
    silence = np.zeros(RATE // 10, np.float32)
    write_all(folder, {
        name: recorded(np.concatenate([silence, pulses(PITCHES[each], seed + n)]), RATE, "WAV")
        for n, (name, each) in enumerate(told.items())
    })  # fmt: skip
    return told


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, dict[str, str]]]:
    """One server with a project of recordings at 250 kHz, and what each of them holds."""
    folder = Path(tmp_path_factory.mktemp("ultrasound"))
    told = write(folder / "bats", 80)
    with serving_files(folder, replace(SETTINGS, source=str(folder / "bats"))) as server:
        yield server, told


def look_and_listen(deck: DeckPage, context: BrowserContext, pitch: float) -> None:
    """What is on the screen is dark where nothing is heard; what is played is a tenth of it."""
    deck.wait_for(BRIGHTEST)
    silent, all_of_it = deck.page.evaluate(BRIGHTEST)
    assert silent < 32 < 128 < all_of_it
    audio = deck.page.locator("[data-sample-id] audio")
    deck.wait_for("audio => audio.duration > 0", audio.element_handle())
    assert audio.evaluate("audio => audio.duration") == pytest.approx(3, abs=0.1)
    deck.page.keyboard.press("Space")
    deck.wait_for("audio => audio.currentTime > 0.1", audio.element_handle())
    played = context.request.get(audio.evaluate("audio => audio.src")).body()
    heard, rate = soundfile.read(BytesIO(played))
    loudest = np.abs(np.fft.rfft(heard)).argmax() * rate / len(heard)
    assert loudest == pytest.approx(pitch / 10, rel=0.06)


def test_pulses_above_hearing_are_seen_heard_labeled_by_keys_and_told_apart(
    made: tuple[AppServer, dict[str, str]], context: BrowserContext, tmp_path: Path
) -> None:
    server, told = made
    deck = DeckPage(context, server.url, "bats", "post")
    deck.address = f"{server.url}/label_sounds?project=bats"
    deck.open()
    for _ in range(3):  # from 1 × to the slowest
        deck.page.keyboard.press("-")
    expect(deck.page.locator("[data-sample-id] .reading")).to_contain_text("0.1 ×")
    deck.wait_session(0)
    expected: dict[str, str] = {}
    while len(expected) < 20:
        deck.page.locator("[data-sample-id]:not([data-unseen])").wait_for()
        if len(expected) < 4:
            look_and_listen(deck, context, PITCHES[told[deck.sample or ""]])
        expected |= deck.label(1, told.__getitem__)
    deck.wait_saved()
    assert {name: label for name, label, _ in decisions(server, "bats")} == expected
    assert deck.errors == []
    deck.wait_session(1)
    with server.tables() as tables:
        [(accuracy, labels)] = tables.execute(
            "SELECT correct / evaluated, labels FROM labeling.sessions WHERE session_id = 1"
        ).fetchall()
        rest = tables.execute("SELECT path, prediction FROM bats_queries").fetchall()
    assert labels == 20 and accuracy >= 0.95  # each of the five models has seen 16 labels
    assert len(rest) == 60 and np.mean([told[path] == each for path, each in rest]) > 0.95

    form = Form(context, server).open("session_progress?project=bats")
    form.press("Train the final model")
    expect(form.button("Final model")).to_be_visible(timeout=LEARNED)
    form.settle()
    model, out = tmp_path / "model.zip", tmp_path / "out.csv"
    model.write_bytes(form.download("Final model")[1])
    others = write(tmp_path / "held_back", 80, seed=1_000)
    arguments = ["predict", "--model", model, "--folder", tmp_path / "held_back", "--out", out]
    assert commands.main([str(each) for each in arguments]) == 0
    with out.open(encoding="utf-8") as file:
        found = {each["path"]: each["prediction"] for each in csv.DictReader(file)}
    assert set(found) == set(others)
    assert np.mean([found[name] == each for name, each in others.items()]) > 0.95
