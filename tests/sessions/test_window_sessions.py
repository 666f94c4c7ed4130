"""A project of windows from Python: sampled, labeled, learned from; its probes lie apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from long_recording import CATEGORIES, truth, write

import labeling_core as lc
from labeling_core import use_cases
from labeling_core.config import DATA_ROOTS
from labeling_core.errors import LabelingError
from labeling_core.notebook.opened import Labeling
from labeling_core.sources import windows


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Labeling]:
    monkeypatch.setenv(DATA_ROOTS.name, str(tmp_path / "sounds"))
    with lc.open(tmp_path / "labeling.duckdb", annotator="ana") as found:
        yield found


def made(opened: Labeling, folder: Path, **settings: object) -> lc.LabelingProject:
    chosen = {"window_seconds": 5.0, "window_overlap": 2.5, "every": 1_000} | settings
    return opened.create("Sounds", folder, CATEGORIES, modality="sounds", **chosen)


def rows(tmp_path: Path, sql: str) -> list[tuple]:
    with duckdb.connect(tmp_path / "labeling.duckdb") as connection:
        return connection.execute(sql).fetchall()


def test_windows_are_sampled_labeled_and_learned_from(opened: Labeling, tmp_path: Path) -> None:
    told = write(tmp_path / "sounds/day/one.wav", 200)
    project = made(opened, tmp_path / "sounds")
    for _ in range(4):
        for each in project.next(10):
            path, span = windows.split(each.sample_id)
            assert path == "day/one.wav" and span is not None
            project.label(each.sample_id, truth(told, *span))
    session = project.run_session()
    assert session.kind == "probes" and session.accuracy > 0.8
    labels = project.labels()
    assert len(labels) == 40 and labels.path.str.fullmatch(r"day/one\.wav#[\d.]+-[\d.]+").all()
    queries = project.queries()
    assert len(queries) + len(labels) == len(windows.cut(200, 5, 2.5)) == 79
    metadata = project.metadata()
    spans = {each: windows.split(each).span for each in metadata.sample_id}
    probes = [spans[each] for each in metadata.sample_id[metadata.origin == "probe"]]
    others = [spans[each] for each in metadata.sample_id[metadata.origin != "probe"]]
    assert probes
    for probe in probes:
        for other in others:
            assert max(other.start - probe.end, probe.start - other.end) >= 2.5


def test_a_recording_that_cannot_be_read_is_set_aside_whole(
    opened: Labeling, tmp_path: Path
) -> None:
    write(tmp_path / "sounds/one.wav", 60)
    (tmp_path / "sounds/two.wav").write_bytes(b"no sound at all")
    project = made(opened, tmp_path / "sounds", window_overlap=0.0)
    labeled = [each.sample_id for each in project.next(8)]
    for number, each in enumerate(labeled):
        project.label(each, CATEGORIES[number % 2])
    project.run_session()
    whole = {f"one.wav#{start}-{start + 5}" for start in range(0, 60, 5)}
    assert set(project.queries().path) == whole - set(labeled)
    sql = "SELECT sample_id, reason FROM labeling.labeling.broken"
    opened.close()
    [(name, reason)] = rows(tmp_path, sql)
    assert name == "two.wav" and "no sound" in reason


def test_a_new_recording_brings_its_windows(opened: Labeling, tmp_path: Path) -> None:
    write(tmp_path / "sounds/one.wav", 30)
    project = made(opened, tmp_path / "sounds", window_overlap=0.0)
    assert len(project.queries()) == 6
    write(tmp_path / "sounds/two.wav", 20)
    with project._work._idle():
        pass
    work = opened._work
    use_cases.refresh_source(work._workspace, project._work._project, work._person)
    with project._work._idle():
        pass
    served: list[str] = []
    while found := project.next(10):
        served += [each.sample_id for each in found]
        for each in found:
            project.label(each.sample_id, "low")
    assert sorted(served)[-4:] == [
        "two.wav#0-5", "two.wav#10-15", "two.wav#15-20", "two.wav#5-10",
    ]  # fmt: skip
    assert len(served) == 10


@pytest.mark.parametrize(
    ("field", "value"),
    [("window_seconds", 700.0), ("window_seconds", 0.01), ("window_seconds", -1.0),
     ("window_overlap", 4.9), ("window_overlap", -1.0), ("window_context", 90.0)],
)  # fmt: skip
def test_what_cannot_be_cut_so_is_told_beside_its_field(
    opened: Labeling, tmp_path: Path, field: str, value: float
) -> None:
    write(tmp_path / "sounds/one.wav", 30)
    with pytest.raises(LabelingError) as error:
        made(opened, tmp_path / "sounds", **{field: value})
    assert error.value.field == field


def test_a_table_is_not_cut(opened: Labeling, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n2\n", encoding="utf-8")
    with pytest.raises(LabelingError, match="Only sound recordings"):
        opened.create("T", tmp_path / "x.csv", ["a", "b"], window_seconds=5.0)


def test_what_has_been_decided_keeps_its_windows(opened: Labeling, tmp_path: Path) -> None:
    write(tmp_path / "sounds/one.wav", 60)
    project = made(opened, tmp_path / "sounds")
    before = len(project.queries())

    def update(**changed: object) -> None:
        """Once the files are read."""
        with project._work._idle():
            pass
        wanted = replace(project.settings, **changed)
        work = opened._work
        use_cases.update_project(work._workspace, project.project_id, wanted, work._person)

    update(window_overlap=0.0)  # nobody has decided anything yet
    assert len(project.queries()) == 12 < before
    update(probe_share=0.3)
    project.label(project.next()[0].sample_id, "low")
    for field, value in [("window_seconds", 4.0), ("window_overlap", 1.0), ("probe_share", 0.1)]:
        with pytest.raises(LabelingError) as error:
            update(**{field: value})
        assert error.value.field == field
    update(window_context=3.0)
    assert len(project.labels()) == 1 and np.isclose(project.settings.window_context, 3.0)
