"""Models and vectors that people bring along, through the whole loop up to a downloaded model."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import own_model
import pytest
from annotating import LOCAL, Annotator, rows
from broken_media import encoded, write_all
from picture_project import SETTINGS, label, read, wait
from PIL import Image

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.models import final_model
from labeling_core.projects import lifecycle, set_aside
from labeling_core.sessions import features
from labeling_core.settings import Project, Settings
from labeling_core.workspace import Workspace

NAMES = [f"{n:02}.png" for n in range(60)]
ANSWERS = {name: "ab"[n % 2] for n, name in enumerate(NAMES)}


@pytest.fixture
def shelf(models: Path, workspace: Workspace, media: Path) -> Iterator[Path]:
    """Pictures of noise; the one half a little redder than the other."""
    rng = np.random.default_rng(0)
    found = {}
    for number, name in enumerate(NAMES):
        pixels = rng.integers(0, 200, (24, 24, 3))
        pixels[:, :, 0] += 20 * (number % 2)
        found[name] = encoded(Image.fromarray(pixels.astype(np.uint8)), "PNG")
    write_all(media, found)
    yield media


def made(workspace: Workspace, chosen: str) -> Project:
    settings = replace(SETTINGS, features=chosen, every=10)
    return lifecycle.create_project(workspace.database, settings)


def download(workspace: Workspace, project: Project, path: Path) -> dict[str, object]:
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    assert content, workspace.loop.status(project)
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        card: dict[str, object] = json.loads(archive.read("model_card.json"))
    return card


def predicted(model: Path, folder: Path, out: Path) -> dict[str, str]:
    words = ("predict", "--model", model, "--folder", folder, "--out", out)
    assert main([*map(str, words)]) == 0
    with out.open(encoding="utf-8") as file:
        return {row["path"]: row["prediction"] for row in csv.DictReader(file)}


def test_a_model_of_ones_own_is_what_a_project_learns_from(
    workspace: Workspace,
    models: Path,
    shelf: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own_model.write(models / "mean.onnx", [1, 3, 16, 16], [2, 3])
    (models / "mean.toml").write_text('modality = "images"\n', "utf-8")
    project = made(workspace, "own_mean")
    read(workspace, project)
    folder = features.features_folder(workspace.database, project)
    assert np.load(folder / "features.npy").shape == (60, 3)
    label(Annotator(workspace, project), 30, ANSWERS)
    found = rows(workspace.database, "SELECT sample_id, prediction FROM main.p_queries")
    assert np.mean([ANSWERS[name] == said for name, said in found]) > 0.9
    card = download(workspace, project, tmp_path / "model.zip")
    assert "mean.onnx (sha256 " in str(card["how_to_load"])
    said = predicted(tmp_path / "model.zip", shelf, tmp_path / "out.csv")
    assert np.mean([said[name] == ANSWERS[name] for name in NAMES]) > 0.9
    # Gone for a while: the project goes on, the model cannot be used, nothing is lost.
    (models / "mean.onnx").rename(models / "elsewhere")
    assert features.have_features(workspace.database, project)
    words = ["predict", "--model", tmp_path / "model.zip", "--folder", shelf, "--out", "x.csv"]
    assert main([*map(str, words)]) == 2
    assert "“mean” is not in the folder models of models any more" in capsys.readouterr().err
    label(Annotator(workspace, project), 10, ANSWERS)
    (models / "elsewhere").rename(models / "mean.onnx")
    # Another model of that name: computed anew.
    own_model.write(models / "mean.onnx", [1, 3, 16, 16], [2])
    assert features.must_be_read(workspace.database, project)
    read(workspace, project)
    assert np.load(folder / "features.npy").shape == (60, 16)


def test_vectors_of_files_are_learned_from_beside_ours_and_predict_new_files(
    workspace: Workspace, models: Path, shelf: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    sides = np.array([1.0 if ANSWERS[name] == "a" else -1.0 for name in NAMES])
    vectors = rng.normal(size=(60, 5)) * 0.3
    vectors[:, 2] += sides
    np.savez(models / "known.npz", path=np.array(NAMES[:-1]), vectors=vectors[:-1])
    project = made(workspace, "classical+vectors_known")
    read(workspace, project)
    with workspace.database.read() as cursor:
        aside = set_aside.listed(cursor, project.project_id)
    assert [(path, reason) for path, reason, *_ in aside] == [
        (NAMES[-1], f"The vectors that were chosen have none of {NAMES[-1]}.")
    ]
    label(Annotator(workspace, project), 30, ANSWERS)
    found = rows(workspace.database, "SELECT sample_id, prediction FROM main.p_queries")
    # What was set aside is no reason for sessions to read anything again.
    assert workspace.project(project.project_id).source_version == project.source_version
    assert len(found) == 29
    assert np.mean([ANSWERS[name] == said for name, said in found]) > 0.9
    download(workspace, project, tmp_path / "model.zip")
    new = tmp_path / "new"
    write_all(new, {f"n{name}": (shelf / name).read_bytes() for name in NAMES[:20]})
    np.savez(models / "known.npz", path=np.array([f"n{n}" for n in NAMES[:20]]), v=vectors[:20])
    said = predicted(tmp_path / "model.zip", new, tmp_path / "out.csv")
    assert np.mean([said[f"n{name}"] == ANSWERS[name] for name in NAMES[:20]]) > 0.9
    np.savez(models / "known.npz", path=np.array([f"n{n}" for n in NAMES[:20]]), v=vectors[:20, :4])
    words = ["predict", "--model", tmp_path / "model.zip", "--folder", new, "--out", "x.csv"]
    assert main([*map(str, words)]) == 2


def test_a_model_that_does_not_take_pictures_sets_none_of_them_aside(
    workspace: Workspace, models: Path, shelf: Path
) -> None:
    own_model.write(models / "odd.onnx", [1, 7], [1])
    (models / "odd.toml").write_text('modality = "images"\n', "utf-8")
    project = made(workspace, "own_odd")
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert "odd.onnx does not take it" in str(workspace.loop.status(project))
    with workspace.database.read() as cursor:
        assert set_aside.listed(cursor, project.project_id) == []


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ("own_gone", "“own_gone” are no features on offer."),
        ("", "Choose what the model sees."),
        ("classical+magic", "“magic” are no features on offer."),
    ],
)
def test_features_that_are_not_there_cannot_be_chosen(
    workspace: Workspace, models: Path, shelf: Path, chosen: str, sentence: str
) -> None:
    with pytest.raises(LabelingError, match=sentence):
        made(workspace, chosen)


def test_what_images_were_called_before_is_understood() -> None:
    old = '{"title": "t", "modality": "images", "image_features": "embedding"}'
    assert Settings.from_json(old) == Settings(title="t", modality="images", features="embedding")
    assert "image_features" not in Settings.from_json(old).to_json()


def test_a_folder_is_simulated_with_the_features_that_are_asked_for(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_model.write(models / "mean.onnx", [1, 3, 16, 16], [2, 3])
    (models / "mean.toml").write_text('modality = "images"\n', "utf-8")
    rng = np.random.default_rng(0)
    for number in range(60):
        pixels = rng.integers(0, 200, (24, 24, 3))
        pixels[:, :, 0] += 25 * (number % 2)
        content = encoded(Image.fromarray(pixels.astype(np.uint8)), "PNG")
        write_all(tmp_path / "sorted" / "ab"[number % 2], {f"{number}.png": content})
    words = ["simulate", "--folder", str(tmp_path / "sorted"), "--budget", "20", "--seeds", "2",
             "--strategy", "random", "--json"]  # fmt: skip
    ends = {}
    for chosen in ("classical", "own_mean"):
        assert main([*words, "--features", chosen]) == 0
        ends[chosen] = capsys.readouterr().out
    assert ends["classical"] != ends["own_mean"]
    assert main([*words, "--features", "own_none"]) == 2
    assert "“own_none” are no features of images: there are classical" in capsys.readouterr().err
