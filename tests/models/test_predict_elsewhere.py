"""A downloaded model on a folder in a bucket, by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from annotating import LOCAL, Annotator
from broken_media import recorded, tone, write_all
from picture_project import SETTINGS, label, read, wait
from s3_server import BUCKET, S3Server, command_told

from labeling_core.models import final_model
from labeling_core.projects import lifecycle
from labeling_core.workspace import Workspace


@pytest.fixture
def server(tmp_path: Path) -> Iterator[S3Server]:
    server = S3Server(tmp_path / "s3")
    yield server
    server.stop()


def sound(pitch: float) -> bytes:
    return recorded(tone(0.4, pitch=pitch), 16_000, "WAV")


@pytest.fixture
def model(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The zip of a model that tells low from high recordings."""
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path / "root"))
    files = {f"low_{n}.wav": sound(300.0 + 20 * n) for n in range(8)}
    files |= {f"high_{n}.wav": sound(2500.0 + 20 * n) for n in range(8)}
    write_all(tmp_path / "root" / "media", files)
    project = lifecycle.create_project(
        workspace.database, replace(SETTINGS, modality="sounds", every=1000, probe_share=0.0)
    )
    read(workspace, project)
    label(Annotator(workspace, project), 12, {name: "ab"["high" in name] for name in files})
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    with workspace.database.read() as cursor:
        content = final_model.archive(cursor, project.project_id)
    assert content
    path = tmp_path / "model.zip"
    path.write_bytes(content)
    return path


def test_a_bucket_gets_the_predictions_of_the_same_folder_here(
    server: S3Server, model: Path, tmp_path: Path
) -> None:
    files = {"a.wav": sound(350.0), "b.wav": sound(2600.0), "c.wav": b"no sound", "d.mp4": b"x"}
    here = write_all(tmp_path / "new", files)
    for name, content in files.items():
        server.put(f"new/{name}", content)
    server.put("none/d.mp4", b"x")
    environment = server.environment | {"TMPDIR": str(tmp_path)}

    def told(folder: str | Path, out: Path, **more: str) -> object:
        words = ("predict", "--model", model, "--folder", folder, "--out", out)
        return command_told(server.packages, *words, **(environment | more))

    there, same = tmp_path / "there.csv", tmp_path / "here.csv"
    assert told(f"s3://{BUCKET}/new", there) == {"file": str(there), "rows": 3, "unread": 1}
    told(here, same)
    assert there.read_bytes() == same.read_bytes()
    assert not [*tmp_path.glob("remote-*")]  # what was fetched went

    out = tmp_path / "none.csv"
    nobody = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert "cannot be reached" in str(told(f"s3://{BUCKET}/new", out, **nobody))
    assert "lies outside of the remote folders" in str(told("s3://theirs/new", out))
    assert "The folder holds no sounds." in str(told(f"s3://{BUCKET}/none", out))
    assert not out.exists()
