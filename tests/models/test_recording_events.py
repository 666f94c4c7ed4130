"""Events of windows: merged, as a table, as label tracks; of a model at work elsewhere."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import soundfile
from broken_media import coded
from long_recording import CATEGORIES, truth, write

import labeling_core as lc
from labeling_core import __main__ as commands
from labeling_core import use_cases
from labeling_core.config import DATA_ROOTS
from labeling_core.models import events
from labeling_core.models.events import Event
from labeling_core.notebook.opened import Labeling
from labeling_core.sources import windows


def test_neighbours_of_one_category_are_one_event() -> None:
    found = [
        ("a.wav#5-10", "owl", 0.6), ("a.wav#0-5", "owl", 0.8), ("a.wav#10-15", "none", 0.9),
        ("a.wav#20-25", "none", 0.5), ("b.wav#0-5", "owl", None), ("b.wav#2.5-7.5", "owl", 0.7),
        ("c.wav", "owl", 1.0), ("b.wav#7.5-12.5", None, None), ("b.wav#10-15", "owl", None),
    ]  # fmt: skip
    assert events.merged(found) == [
        Event("a.wav", 0, 10, "owl", pytest.approx(0.7)),
        Event("a.wav", 10, 15, "none", 0.9),
        Event("a.wav", 20, 25, "none", 0.5),
        Event("b.wav", 0, 7.5, "owl", 0.7),
        Event("b.wav", 10, 15, "owl", None),
    ]
    assert events.merged([]) == []


def test_a_label_track_is_what_audacity_imports() -> None:
    found = [Event("n/a.wav", 0, 2.5, "long\teared\nowl", 1), Event("n/a.wav", 9, 10, "Käuz", None)]
    assert events.label_files(found) == {
        "n/a.wav.txt": "0.000000\t2.500000\tlong eared owl\n9.000000\t10.000000\tKäuz\n"
    }


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Labeling]:
    monkeypatch.setenv(DATA_ROOTS.name, str(tmp_path / "sounds"))
    with lc.open(tmp_path / "labeling.duckdb", annotator="ana") as found:
        yield found


def rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_model_of_windows_gives_the_events_of_other_recordings(
    opened: Labeling, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = write(tmp_path / "sounds/one.wav", 150)
    project = opened.create(
        "Sounds", tmp_path / "sounds", CATEGORIES, modality="sounds", every=1_000,
        window_seconds=5.0, probe_share=0.0,
    )  # fmt: skip
    for each in project.next(20):
        project.label(each.sample_id, truth(told, *windows.split(each.sample_id).span))
    project.train()
    model = tmp_path / "model.zip"
    model.write_bytes(project.model())
    card = zipfile.ZipFile(model).read("model_card.md").decode()
    assert "--events events.csv" in card and "(0, 5)" in card

    there = write(tmp_path / "new/night/two.wav", 60, seed=7)
    (tmp_path / "new/film.mov").write_bytes(b"x")
    out, table = tmp_path / "out.csv", tmp_path / "events.csv"
    arguments = ["predict", "--model", model, "--folder", tmp_path / "new", "--out", out,
                 "--events", table, "--audacity", tmp_path / "tracks"]  # fmt: skip
    assert commands.main([str(each) for each in arguments]) == 0
    assert "Not taken: 1 × Video (.mov): export pictures of it" in capsys.readouterr().err
    predicted = {each["path"]: each["prediction"] for each in rows(out.read_bytes())}
    assert [predicted[f"night/two.wav#{n}-{n + 5}"] for n in range(0, 60, 5)] == there
    heard = rows(table.read_bytes())
    assert list(heard[0]) == ["path", "from", "to", "category", "probability"]
    assert (heard[0]["from"], heard[-1]["to"]) == ("0.0", "60.0")
    runs = [here for here, before in zip(there, ["", *there], strict=False) if here != before]
    assert [each["category"] for each in heard] == runs
    assert all(0.3 < float(each["probability"]) <= 1 for each in heard)
    track = (tmp_path / "tracks/night/two.wav.txt").read_text(encoding="utf-8").splitlines()
    assert [line.split("\t")[2] for line in track] == runs

    workspace, person = opened._work._workspace, opened._work._person
    of_project = use_cases.export_predictions(
        workspace, project._work._project, "CSV", person, as_events=True
    )
    own = rows(of_project)
    assert {each["path"] for each in own} == {"one.wav"} and own[-1]["to"] == "150.0"
    packed = use_cases.export_predictions(
        workspace, project._work._project, events.AUDACITY, person, as_events=True
    )
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["one.wav.txt"]


def test_the_events_of_a_recording_are_the_same_in_every_format(
    opened: Labeling, tmp_path: Path
) -> None:
    """By the words of Audacity's manual on label tracks: start, end and label with tabs between,
    seconds with a point, one label a line, in the order of time."""
    told = write(tmp_path / "sounds/one.wav", 100)
    project = opened.create(
        "Sounds", tmp_path / "sounds", CATEGORIES, modality="sounds", every=1_000,
        window_seconds=5.0, window_overlap=1.0, probe_share=0.0,
    )  # fmt: skip
    for each in project.next(18):
        project.label(each.sample_id, truth(told, *windows.split(each.sample_id).span))
    project.train()
    (tmp_path / "model.zip").write_bytes(project.model())
    write(tmp_path / "new/x.wav", 60, seed=7)
    signal, rate = soundfile.read(tmp_path / "new/x.wav", dtype="float32", always_2d=True)
    for name, form, codec in [("x.flac", "flac", "flac"), ("x.mp3", "mp3", "libmp3lame"),
                              ("x.m4a", "ipod", "aac")]:  # fmt: skip
        (tmp_path / "new" / name).write_bytes(coded(signal, rate, form, codec, timed=True))
    arguments = ["predict", "--model", tmp_path / "model.zip", "--folder", tmp_path / "new",
                 "--out", tmp_path / "out.csv", "--events", tmp_path / "events.csv",
                 "--audacity", tmp_path / "tracks"]  # fmt: skip
    assert commands.main([str(each) for each in arguments]) == 0
    heard: dict[str, list[tuple[float, float, str]]] = {}
    for each in rows((tmp_path / "events.csv").read_bytes()):
        one = (float(each["from"]), float(each["to"]), each["category"])
        heard.setdefault(each["path"], []).append(one)
    assert set(heard) == {"x.wav", "x.flac", "x.mp3", "x.m4a"} and len(heard["x.wav"]) > 3
    frame = 1152 / rate
    for found in heard.values():
        assert [each[2] for each in found] == [each[2] for each in heard["x.wav"]]
        for one, other in zip(found, heard["x.wav"], strict=True):
            assert one[:2] == pytest.approx(other[:2], abs=frame)
    for path, found in heard.items():
        content = (tmp_path / f"tracks/{path}.txt").read_bytes().decode("utf-8")
        lines = [line.split("\t") for line in content.removesuffix("\n").split("\n")]
        assert [(float(start), float(end), label) for start, end, label in lines] == [
            (pytest.approx(start), pytest.approx(end), label) for start, end, label in found
        ]
        assert all(re.fullmatch(r"\d+\.\d{6}", each) for line in lines for each in line[:2])
        assert found == sorted(found) and "\r" not in content and not content.startswith("\ufeff")


def test_a_model_of_whole_files_has_no_events(
    opened: Labeling, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "sounds/low.wav", 5, seed=1)
    for number in range(2, 9):
        write(tmp_path / f"sounds/{number}.wav", 5, seed=number)
    project = opened.create(
        "Sounds", tmp_path / "sounds", CATEGORIES, modality="sounds", every=1_000, probe_share=0.0
    )
    for number, each in enumerate(project.next(4)):
        project.label(each.sample_id, CATEGORIES[number % 2])
    project.train()
    (tmp_path / "model.zip").write_bytes(project.model())
    arguments = ["predict", "--model", tmp_path / "model.zip", "--folder", tmp_path / "sounds",
                 "--out", tmp_path / "out.csv", "--events", tmp_path / "e.csv"]  # fmt: skip
    assert commands.main([str(each) for each in arguments]) == 2
    assert "learned from whole files" in capsys.readouterr().err
