"""Images and sounds through the whole loop: read, labeled, learned, set aside."""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from annotating import LOCAL, Annotator, rows
from broken_media import broken_images, broken_sounds, encoded, photo, wave, write_all
from picture_project import SETTINGS, good, label, read, take_all, wait
from running import kill

from labeling_core import use_cases
from labeling_core.config import DATA
from labeling_core.errors import LabelingError
from labeling_core.modalities import images
from labeling_core.projects import lifecycle, sample_projects, set_aside
from labeling_core.sessions import features
from labeling_core.settings import Project, Settings
from labeling_core.workspace import Workspace


@pytest.mark.parametrize(
    ("settings", "labels"), [(sample_projects.DIGITS, 200), (sample_projects.SPOKEN_WORDS, 100)]
)
def test_a_few_labels_by_the_loop_are_enough_for_all_others(
    workspace: Workspace, settings: Settings, labels: int
) -> None:
    project = lifecycle.create_project(workspace.database, settings)
    with (DATA / settings.source / "answers.csv").open(encoding="utf-8") as file:
        answers = {row["path"]: row["label"] for row in csv.DictReader(file)}
    read(workspace, project)
    label(Annotator(workspace, project), labels, answers)
    found = rows(
        workspace.database,
        f"SELECT path, sample_id, session_id, prediction FROM main.{settings.queries_table}",
    )
    assert len(found) == len(answers) - labels
    assert all(path == sample_id for path, sample_id, *_ in found)
    assert {each[2] for each in found} == {labels // settings.every}
    right = [answers[path] == prediction for path, _, _, prediction in found]
    assert np.mean(right) > 0.85
    stored = rows(workspace.database, f"SELECT path, label, label_id FROM {settings.labels_table}")
    assert len(stored) == labels and all(answers[path] == label for path, label, _ in stored)
    _try_model(workspace, project, answers)


def _try_model(workspace: Workspace, project: Any, answers: dict[str, str]) -> None:
    """The downloaded model predicts from the features that its card names."""
    from importlib import import_module

    import skops.io

    from labeling_core.models.prediction import TRUSTED

    card, model = rows(workspace.database, "SELECT card, model FROM labeling.models")[0]
    module, function = json.loads(card)["features"]["computed_by"].split("(")[0].rsplit(".", 1)
    predict = skops.io.loads(model, trusted=TRUSTED)
    paths = sorted(answers)[:: len(answers) // 40]
    folder = DATA / project.settings.source
    vectors = [getattr(import_module(module), function)(folder / path) for path in paths]
    right = [answers[path] == each for path, each in zip(paths, predict.predict(vectors))]  # noqa: B905
    assert np.mean(right) > 0.75


@pytest.mark.parametrize("modality", ["images", "sounds"])
def test_broken_files_are_listed_and_never_served_and_all_others_are(
    workspace: Workspace, media: Path, modality: str
) -> None:
    if modality == "images":
        fine, broken = good(20), broken_images()
    else:
        fine = {f"{n}.wav": wave(0.1 + n / 50) for n in range(8)}
        broken = broken_sounds()
    write_all(media, fine | broken)
    from dataclasses import replace

    project = lifecycle.create_project(
        workspace.database, replace(SETTINGS, modality=modality, every=1000)
    )
    read(workspace, project)
    listed = _listed(workspace, project)
    assert set(listed) == set(broken) and all(reason.endswith(".") for reason in listed.values())
    ana = Annotator(workspace, project)
    samples = take_all(ana)
    assert {each["sample_id"] for each in samples} == set(fine)
    assert all("broken" not in each["view"] for each in samples)
    reply = ana.send([
        ana.decision(name, "label", category="ab"[n % 2]) for n, name in enumerate(sorted(fine)[:6])
    ])  # fmt: skip
    assert (reply["counts"]["labeled"], reply["counts"]["total"]) == (6, len(fine))
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    assert {path for (path,) in rows(workspace.database, "SELECT path FROM p_queries")} == set(
        sorted(fine)[6:]
    )
    workspace.open_projects.forget(project.project_id)
    assert workspace.queue(project).size == len(fine)


def test_a_broken_sample_on_the_screen_can_still_be_decided_and_then_trains_nothing(
    workspace: Workspace, media: Path
) -> None:
    write_all(media, good(6) | {"x.png": b"no image", "y.png": b"no image"})
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ana = Annotator(workspace, project)
    queue = ana.send(want=10)["samples"]
    queue += ana.send(want=10, holding=[each["sample_id"] for each in queue])["samples"]
    views = {each["sample_id"]: each["view"] for each in queue}
    assert "broken" in views["x.png"]
    read(workspace, project)
    reply = ana.send(holding=list(views), screen="x.png", version=99)
    assert set(reply["drop"]) == {"x.png", "y.png"}
    reply = ana.send([ana.decision("x.png", "label", category="a")])
    assert reply["refused"] == [] and reply["counts"]["labeled"] == 1
    ana.send([ana.decision(f"good_{n}.png", "label", category="ab"[n % 2]) for n in range(4)])
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    card = json.loads(rows(workspace.database, "SELECT card FROM labeling.models")[0][0])
    assert 1 not in card["label_ids"]


def test_what_is_found_broken_is_not_served_though_the_queue_was_read_anew_meanwhile(
    workspace: Workspace, media: Path
) -> None:
    write_all(media, good(100) | {"x.png": b"no image", "y.png": b"no image"})
    project = lifecycle.create_project(workspace.database, SETTINGS)
    workspace.loop.prepare(project)
    while workspace.loop.status(project).text == "Waiting for the worker":
        time.sleep(0.01)
    workspace.open_projects.forget(project.project_id)  # as after a change of the categories
    served = workspace.queue(project)
    wait(workspace, project)
    assert workspace.queue(project) is served and served.counts.aside == 2
    taken = {each["sample_id"] for each in take_all(Annotator(workspace, project))}
    assert taken == set(good(100))


def test_new_files_join_and_vanished_ones_leave_but_keep_their_labels(
    workspace: Workspace, media: Path
) -> None:
    project, ana = _with_pictures(workspace, media, 12)
    label(ana, 6, {name: "ab"[int(name[5]) % 2] for name in good(10)} | {
        "good_10.png": "a", "good_11.png": "b"})  # fmt: skip
    labeled = {path for (path,) in rows(workspace.database, "SELECT path FROM p_labels")}
    open_ = sorted(set(good(12)) - labeled)
    (media / open_[0]).unlink()
    (media / min(labeled)).unlink()
    write_all(media, {"sub/new.png": encoded(photo(20, 20, seed=99), "PNG")})
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (1, 2)
    read(workspace, project)
    assert {path for (path,) in rows(workspace.database, "SELECT path FROM p_labels")} == labeled
    gone = _listed(workspace, project)
    assert set(gone) == {open_[0], min(labeled)} and "no longer" in gone[open_[0]]
    taken = take_all(Annotator(workspace, project, "ben"))
    assert "sub/new.png" in {each["sample_id"] for each in taken}
    assert open_[0] not in {each["sample_id"] for each in taken}


def test_reading_stops_and_goes_on_and_survives_a_kill_without_doing_anything_twice(
    workspace: Workspace, media: Path
) -> None:
    pictures = list(good(50).values())  # so many that reading cannot be over before the stop
    write_all(media, {f"good_{n}.png": pictures[n % 50] for n in range(1000)})
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ledger = (
        workspace.database.files(project.project_id) / "extracted" / "images-1" / "entries.jsonl"
    )

    def done() -> list[str]:
        lines = ledger.read_text("utf-8").splitlines() if ledger.exists() else []
        return [json.loads(line)[0] for line in lines if line.strip()]

    def until(count: int) -> None:
        end = time.monotonic() + 1200
        while len(done()) < count and time.monotonic() < end:
            time.sleep(0.005)

    workspace.loop.prepare(project)
    until(20)
    workspace.loop.stop_reading(project)
    wait(workspace, project)
    assert 20 <= len(done()) < 1000
    assert "stopped" in workspace.loop.status(project).text
    workspace.loop.prepare(project)  # a page that is opened does not resume what was stopped
    assert not workspace.loop.reader.running(project.project_id)
    with pytest.raises(LabelingError, match="read first"):
        ana = Annotator(workspace, project)
        ana.send([
            ana.decision(each, "label", category="ab"[n % 2]) for n, each in enumerate(ana.take(4))
        ])  # fmt: skip
        workspace.loop.start_session(project, "hand")
    before = len(done())
    workspace.loop.read_files(project)
    until(before + 20)
    kill(workspace.loop.reader.worker.start())
    wait(workspace, project)
    assert workspace.loop.status(project).state == "failed" and len(done()) < 1000
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert len(done()) == len(set(done())) == 1000


def test_a_failed_reading_does_not_start_again_by_itself(workspace: Workspace, media: Path) -> None:
    write_all(media, {"a.png": b"x", "b.png": b"y"})
    project = lifecycle.create_project(workspace.database, SETTINGS)
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert workspace.loop.status(project).state == "failed"
    Annotator(workspace, project).send(want=3)
    assert not workspace.loop.reader.running(project.project_id)


def test_a_deleted_project_leaves_no_features_behind(workspace: Workspace, media: Path) -> None:
    write_all(media, good(3))
    project = lifecycle.create_project(workspace.database, SETTINGS)
    read(workspace, project)
    use_cases.delete_project(workspace, project.project_id, LOCAL)
    assert not (workspace.database.path.parent / "test.duckdb.files" / project.project_id).exists()


def test_a_folder_that_is_gone_for_a_while_loses_nothing(workspace: Workspace, media: Path) -> None:
    write_all(media, good(3))
    project = lifecycle.create_project(workspace.database, SETTINGS)
    shutil.move(media, media.with_name("moved"))
    assert use_cases.refresh_source(workspace, project, LOCAL)[1] == (0, 0)
    views = [each["view"] for each in Annotator(workspace, project).send(want=3)["samples"]]
    assert len(views) == 3 and all("broken" in view for view in views)


def test_the_embedding_learns_as_well(workspace: Workspace, media: Path) -> None:
    from dataclasses import replace

    write_all(media, good(4))
    project = lifecycle.create_project(workspace.database, replace(SETTINGS, features="embedding"))
    read(workspace, project)
    matrix = np.load(
        features.features_folder(workspace.database, project) / "features.npy", mmap_mode="r"
    )
    assert matrix.shape == (4, 1280)


def test_of_2000_files_the_1950_good_ones_can_be_labeled_and_50_are_listed(
    workspace: Workspace, media: Path
) -> None:
    """Ten ways to be broken, five files each; killed in the middle, nothing is read twice."""
    ways = dict(list(broken_images().items())[:10])
    broken = {f"{n}/{name}": content for n in range(5) for name, content in ways.items()}
    pictures = list(good(50).values())
    fine = {f"{n % 7}/good_{n}.png": pictures[n % 50] for n in range(1950)}
    write_all(media, fine | broken)
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ledger = (
        workspace.database.files(project.project_id) / "extracted" / "images-1" / "entries.jsonl"
    )
    workspace.loop.prepare(project)
    while not ledger.exists() or ledger.read_bytes().count(b"\n") < 500:
        time.sleep(0.01)
    kill(workspace.loop.reader.worker.start())
    wait(workspace, project)
    read(workspace, project)
    lines = [line for line in ledger.read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) == 2000
    listed = _listed(workspace, project)
    assert set(listed) == set(broken) and len(set(listed.values())) >= 10
    assert {each["sample_id"] for each in take_all(Annotator(workspace, project))} == set(fine)


def test_what_was_set_aside_is_read_once_its_decoder_was_installed(
    workspace: Workspace, media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hidden_packages import hide

    pillow_heif.register_heif_opener()
    hiding = hide(tmp_path / "site", monkeypatch, "pillow_heif")
    write_all(media, good(6) | {"x.heic": encoded(photo(), "HEIF"), "y.png": b"no image"})
    project = lifecycle.create_project(workspace.database, SETTINGS)
    read(workspace, project)
    assert _listed(workspace, project)["x.heic"].endswith(": pip install pillow-heif")
    hiding.unlink()
    lines = (
        workspace.database.files(project.project_id) / "extracted" / "images-1" / "entries.jsonl"
    )
    before = lines.read_bytes().count(b"\n")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (0, 0) and not _listed(workspace, project)
    read(workspace, project)
    assert set(_listed(workspace, project)) == {"y.png"}
    # Nothing but the two that had been refused was read again.
    again = lines.read_text("utf-8").splitlines()[before:]
    assert {json.loads(each)[0] for each in again if each} == {"x.heic", "y.png"}
    assert "x.heic" in {each["sample_id"] for each in take_all(Annotator(workspace, project))}


def test_what_an_older_version_computed_is_computed_anew_and_that_is_said(
    workspace: Workspace, media: Path
) -> None:
    project, ana = _with_pictures(workspace, media, 12)
    label(ana, 10, {f"good_{n}.png": "ab"[n % 2] for n in range(12)})
    folder = features.features_folder(workspace.database, project)
    card, matrix = folder / "features.json", np.load(folder / "features.npy")
    ledgers = workspace.database.files(project.project_id) / "extracted"
    (ledgers / "images-1").rename(ledgers / "images-0")
    card.write_text(json.dumps(json.loads(card.read_text("utf-8")) | {"version": 0}), "utf-8")
    np.save(folder / "features.npy", np.zeros_like(matrix))
    assert features.must_be_read(workspace.database, project)
    with pytest.raises(LabelingError, match="files have to be read first"):
        workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    assert np.array_equal(np.load(folder / "features.npy"), matrix)
    assert [each.name for each in ledgers.iterdir()] == ["images-1"]
    assert json.loads(card.read_text("utf-8"))["version"] == images.FEATURES_VERSION
    assert features.have_features(workspace.database, project)
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    states = rows(workspace.database, "SELECT DISTINCT state FROM labeling.sessions")
    assert states == [("DONE",)]


@pytest.mark.parametrize("older", [True, False])
def test_why_files_are_read_that_were_read_before_is_told(
    workspace: Workspace, media: Path, older: bool
) -> None:
    write_all(media, good(3))
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ledgers, told = workspace.database.files(project.project_id) / "extracted", list[str]()
    (ledgers / ("images-0" if older else "images_embedding-1")).mkdir(parents=True)
    features.ensure_features(
        workspace.database, project, lambda: workspace.open_projects.queue(project),
        workspace.loop.reader.worker, lambda text, _: told.append(text),
    )  # fmt: skip
    anew = "anew: other numbers of them are learned from now"
    assert (anew in told[-1]) == older and "Reading the files: 3 of 3" in told[-1]


def _with_pictures(workspace: Workspace, media: Path, number: int) -> tuple[Project, Annotator]:
    """A project of so many pictures that have been read, and somebody who labels them."""
    write_all(media, good(number))
    project = lifecycle.create_project(workspace.database, SETTINGS)
    read(workspace, project)
    return project, Annotator(workspace, project)


def _listed(workspace: Workspace, project: Any) -> dict[str, str]:
    with workspace.database.read() as cursor:
        return dict(set_aside.listed(cursor, project.project_id))


def test_reading_that_waits_in_line_can_be_stopped_as_well(
    workspace: Workspace, media: Path
) -> None:
    from dataclasses import replace

    write_all(media, good(200))
    first = lifecycle.create_project(workspace.database, SETTINGS)
    other = replace(
        SETTINGS, title="Second", labels_table="l2", metadata_table="m2", queries_table="q2"
    )
    second = lifecycle.create_project(workspace.database, other)
    workspace.loop.prepare(first)
    workspace.loop.prepare(second)
    workspace.loop.stop_reading(second)
    wait(workspace, first)
    wait(workspace, second)
    assert features.have_features(workspace.database, first)
    assert workspace.loop.reader.status[second.project_id].state == "stopped"
    workspace.loop.read_files(second)
    wait(workspace, second)
    assert features.have_features(workspace.database, second)


def test_a_session_waits_for_the_files_and_follows_by_itself(
    workspace: Workspace, media: Path
) -> None:
    write_all(media, good(40))
    project = lifecycle.create_project(workspace.database, SETTINGS)
    ana = Annotator(workspace, project)
    names = [each["sample_id"] for each in take_all(ana)]
    decisions = [ana.decision(name, "label", category="ab"[n % 2]) for n, name in enumerate(names)]
    ana.send(decisions[:25])
    wait(workspace, project)
    assert workspace.queue(project).session_id == 1
    write_all(media, {"new.png": encoded(photo(seed=77), "PNG")})
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change.added == 1 and not features.have_features(workspace.database, project)
    ana.send(decisions[25:])
    wait(workspace, project)
    assert workspace.queue(project).session_id == 2
