"""Recordings of forty minutes: cut into windows, labeled by keys, learned from, told as events."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from app_server import AppServer, decisions, serving_files
from broken_media import coded
from deck_page import DeckPage
from forms import Form
from long_recording import CATEGORIES, WINDOW, truth, write
from playwright.sync_api import BrowserContext, expect

from labeling_core import __main__ as commands
from labeling_core.projects.sample_projects import SPOKEN_WORDS
from labeling_core.settings import Category
from labeling_core.sources import windows

SECONDS, LABELS, LONGEST = 2_400.0, 40, 12
LEARNED = 600_000  # milliseconds: the process that learns gives way to all others
SETTINGS = replace(
    SPOKEN_WORDS, title="night", window_seconds=WINDOW, window_overlap=1.0, every=20,
    categories=tuple(Category(each) for each in CATEGORIES), probe_share=0.2,
    labels_table="night_labels", metadata_table="night_metadata", queries_table="night_queries",
)  # fmt: skip
Part = tuple[float, float, str]  # from and to, in seconds, and the category


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AppServer, list[str]]]:
    """One server with a project of an m4a, and what is heard in that."""
    folder = Path(tmp_path_factory.mktemp("forty_minutes"))
    told = write(folder / "written.wav", SECONDS, longest=LONGEST)
    signal, rate = soundfile.read(folder / "written.wav", dtype="float32", always_2d=True)
    (folder / "night").mkdir()
    (folder / "night/one.m4a").write_bytes(coded(signal, rate, "ipod", "aac", timed=True))
    with serving_files(folder, replace(SETTINGS, source=str(folder / "night"))) as server:
        yield server, told


def agreement(found: list[Part], told: list[str]) -> tuple[float, float]:
    """The share of the time in which an event says what is heard, and that of the events' time in
    which they are right."""
    moments = np.arange(0.05, SECONDS, 0.1)
    heard = np.array([truth(told, each, each) for each in moments])
    at = [(moments >= start) & (moments < end) for start, end, _ in found]
    right = [each & (heard == one[2]) for each, one in zip(at, found, strict=True)]
    return np.any(right, axis=0).mean(), np.sum(right) / np.sum(at)


def predicted(model: Path, folder: Path, out: Path) -> tuple[list[Part], list[Part]]:
    """What the command `predict` says of the recording in ``folder``: the table of events, and
    Audacity's label track."""
    arguments = ["predict", "--model", model, "--folder", folder, "--out", out / "out.csv",
                 "--events", out / "events.csv", "--audacity", out / "tracks"]  # fmt: skip
    assert commands.main([str(each) for each in arguments]) == 0
    with (out / "events.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(0 < float(each["probability"]) <= 1 for each in rows)
    (track,) = (out / "tracks").iterdir()
    lines = [line.split("\t") for line in track.read_text("utf-8").splitlines()]
    return (
        [(float(each["from"]), float(each["to"]), each["category"]) for each in rows],
        [(float(start), float(end), label) for start, end, label in lines],
    )


def test_forty_minutes_are_labeled_by_keys_and_others_told_as_events(
    made: tuple[AppServer, list[str]], context: BrowserContext, tmp_path: Path
) -> None:
    server, told = made
    deck = DeckPage(context, server.url, "night", "post")
    deck.address = f"{server.url}/label_sounds?project=night"
    deck.open()

    def heard(sample: str) -> str:
        path, span = windows.split(sample)
        assert path == "one.m4a" and span is not None
        return truth(told, *span)

    expected = {}
    for number in range(2):
        deck.wait_session(number)  # the files have been read, then: learned from
        expected |= deck.label(LABELS // 2, heard)
    deck.wait_saved()
    deck.wait_session(2)
    assert {name: label for name, label, _ in decisions(server, "night")} == expected
    with server.tables() as tables:
        (sessions,) = tables.execute(
            "SELECT count(*) FROM labeling.sessions WHERE state = 'DONE' AND session_id > 0"
        ).fetchall()[0]
        (left,) = tables.execute("SELECT count(*) FROM night_queries").fetchall()[0]
    assert sessions == 2 and left + LABELS == len(windows.cut(SECONDS, WINDOW, 1.0)) == 600
    assert deck.errors == []

    form = Form(context, server).open("session_progress?project=night")
    form.press("Train the final model")
    expect(form.button("Final model")).to_be_visible(timeout=LEARNED)
    form.settle()
    model = tmp_path / "model.zip"
    model.write_bytes(form.download("Final model")[1])

    there = write(tmp_path / "new/two.flac", SECONDS, seed=7, longest=LONGEST)
    events, track = predicted(model, tmp_path / "new", tmp_path)
    assert [each[2] for each in track] == [each[2] for each in events]
    assert np.allclose([each[:2] for each in track], [each[:2] for each in events], atol=1e-5)
    of_time, of_events = agreement(events, there)
    assert of_time >= 0.9 and of_events >= 0.9, (of_time, of_events)
    print(f"{len(events)} events: {of_time:.3f} of the time, {of_events:.3f} of theirs")
