"""Probes of windows are whole recordings, or blocks of time: whatever comes later, nothing of them,
and nothing beside them, is learned from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from annotating import LOCAL, Annotator
from long_recording import CATEGORIES, truth, write
from picture_project import SETTINGS

from labeling_core import use_cases
from labeling_core.labeling.label_import import How
from labeling_core.projects import labels
from labeling_core.projects.lifecycle import create_project, refresh
from labeling_core.settings import Category, Project
from labeling_core.simulation import data_sources
from labeling_core.sources import windows
from labeling_core.sources.label_records import Imported, LabelFile
from labeling_core.workspace import Workspace


class Night:
    """A project of the windows of recordings, and somebody who labels all of them."""

    def __init__(self, workspace: Workspace, folder: Path, recordings: dict[str, float]) -> None:
        self.workspace, self.folder, self.told = workspace, folder, {}
        self.record(recordings)
        settings = replace(
            SETTINGS, modality="sounds", every=1_000, probe_share=0.2, window_seconds=5.0,
            window_overlap=2.5, categories=tuple(map(Category, CATEGORIES)),
        )  # fmt: skip
        self.project = create_project(workspace.database, settings)

    def record(self, recordings: dict[str, float]) -> None:
        for seed, (name, seconds) in enumerate(recordings.items()):
            self.told[name] = write(self.folder / name, seconds, seed)

    def look_again(self) -> None:
        self.project, _ = refresh(self.workspace.database, self.project)
        self.workspace.open_projects.forget(self.project.project_id)

    def truth(self, sample_id: str) -> str:
        path, span = windows.split(sample_id)
        return truth(self.told[path], *span)

    def label_all(self) -> list[str]:
        """The windows that were labeled, in the order in which they were asked."""
        ana, done = Annotator(self.workspace, self.project), []
        while found := ana.take(50):
            ana.send([ana.decision(each, "label", category=self.truth(each)) for each in found])
            done += found
        return done

    def divided(self) -> tuple[set[str], set[str]]:
        """What is learned from, and what measures."""
        pool = self.workspace.queue(self.project).pool
        with self.workspace.database.read() as cursor:
            found = labels.read_labels(cursor, self.project)
            end = labels.measuring_end(cursor, self.project, pool.closed, pool.probe_limit)
            train, probes = (
                labels.samples.read(cursor, self.project.project_id, each.positions.tolist())
                for each in labels.split(found, pool.probe_limit, end, pool.apart)
            )
        return tuple({each.sample_id for each in some.values()} for some in (train, probes))


def recordings(names: set[str]) -> set[str]:
    return {windows.split(each).path for each in names}


def apart(one: str, other: str) -> float:
    """Seconds between two windows of a recording."""
    (_, here), (_, there) = windows.split(one), windows.split(other)
    return max(there.start - here.end, here.start - there.end)


TEN = {f"{n}.wav": 30.0 for n in range(10)}


def test_later_windows_of_a_held_out_recording_are_not_learned_from(
    workspace: Workspace, media: Path
) -> None:
    night = Night(workspace, media, TEN)
    night.label_all()
    learned, probes = night.divided()
    held = recordings(probes)
    assert 1 <= len(held) <= 3 and recordings(learned) == set(TEN) - held
    night.record({name: 60.0 for name in TEN} | {"new.wav": 30.0})
    night.look_again()
    late = [windows.split(each).path in held for each in night.label_all()]
    assert any(late) and late == sorted(late)  # what teaches nothing is asked for last
    learned, measuring = night.divided()
    assert measuring == probes
    assert recordings(learned) == {*TEN, "new.wav"} - held
    assert {"new.wav#0-5", f"{min(set(TEN) - held)}#55-60"} <= learned


@pytest.mark.parametrize("seed", range(4))
def test_nothing_beside_a_held_out_block_is_learned_from_when_its_recording_grows(
    workspace: Workspace, media: Path, seed: int
) -> None:
    night = Night(workspace, media, {"one.wav": 175.0})
    settings = replace(night.project.settings, seed=seed)  # another draw of the blocks
    night.project = create_project(
        workspace.database, replace(settings, title="B", labels_table="b", metadata_table="c",
                                    queries_table="d"),
    )  # fmt: skip
    night.label_all()
    night.record({"one.wav": 400.0})
    night.look_again()
    assert night.label_all()
    learned, probes = night.divided()
    assert probes and "one.wav#395-400" in learned
    assert min(apart(one, other) for one in probes for other in learned) >= 2.5


def brought(night: Night, names: list[str]) -> Project:
    records = [
        Imported(line, {"path": each}, night.truth(each)) for line, each in enumerate(names, 1)
    ]
    use_cases.bring_in_labels(
        night.workspace, night.project.project_id, LabelFile("table", records), "known.csv",
        How(random_draw=False), LOCAL,
    )  # fmt: skip
    return night.project


def test_labels_from_elsewhere_teach_nothing_of_a_recording_that_measures(
    workspace: Workspace, media: Path
) -> None:
    """An import takes windows out of the draw of probes; others of their recording stay in it."""
    night = Night(workspace, media, TEN)
    names = [f"{name}#{span}" for name in TEN for span in ("0-5", "2.5-7.5", "25-30")]
    brought(night, names)
    night.label_all()
    learned, probes = night.divided()
    assert probes and not recordings(learned) & recordings(probes)
    assert not probes & set(names) and learned & set(names)


def test_a_recording_that_came_with_all_its_labels_is_learned_from(
    workspace: Workspace, media: Path
) -> None:
    night = Night(workspace, media, TEN)
    spans = [each.removeprefix("0.wav") for each in _names(night) if each.startswith("0.wav")]
    brought(night, [f"{name}{span}" for name in TEN for span in spans])
    learned, probes = night.divided()
    assert recordings(learned) == set(TEN) and not probes


def _names(night: Night) -> list[str]:
    with night.workspace.database.read() as cursor:
        found = labels.samples.read(cursor, night.project.project_id, range(night.project.samples))
    return [each.sample_id for each in found.values()]


def test_a_simulation_knows_which_windows_are_alike(
    workspace: Workspace, media: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    night = Night(workspace, media, TEN)
    night.label_all()
    matrix = np.zeros((night.project.samples, 3), np.float32)
    np.save(tmp_path / "features.npy", matrix)
    monkeypatch.setattr(data_sources.features, "must_be_read", lambda *_: False)
    monkeypatch.setattr(data_sources.features, "have_features", lambda *_: True)
    monkeypatch.setattr(data_sources.features, "features_folder", lambda *_: tmp_path)
    data_sources.project(workspace.database, night.project, LOCAL).prepare(tmp_path)
    groups = np.load(tmp_path / "arrays.npz")["groups"]
    assert len(groups) == night.project.samples and len(set(groups.tolist())) == len(TEN)
