"""A project and its upload come together or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from annotating import LOCAL, SETTINGS

from labeling_core import use_cases
from labeling_core.people import EVERYWHERE, ForbiddenError, Person
from labeling_core.projects import samples
from labeling_core.projects.validation import SettingsError
from labeling_core.settings import Settings
from labeling_core.sources import uploads
from labeling_core.sources.importing import inspect
from labeling_core.sources.sample_sources import TableSource
from labeling_core.sources.uploads import Staged, Upload
from labeling_core.store.database import tables
from labeling_core.workspace import Workspace

NAMES: Mapping[str, Any] = {"labels_table": "l", "metadata_table": "m", "queries_table": "q"}


def table(workspace: Workspace, content: bytes = b"a,b\n1,x\n2,y\n3,z\n") -> Upload:
    path = uploads.stage_table(workspace.database.path.parent, content)
    return Upload(path, inspect(path, "wine.csv"))


def pictures(workspace: Workspace) -> tuple[Settings, Staged]:
    home = workspace.database.path.parent
    staged = uploads.stage(home, [("a.png", BytesIO(b"a")), ("b.png", BytesIO(b"b"))], {".png"})
    source = uploads.free_source(home, "cats")
    return replace(SETTINGS, title="Cats", modality="images", source=source, **NAMES), staged


def everything(workspace: Workspace) -> list[str]:
    with workspace.database.read() as cursor:
        return tables(cursor)


def test_a_table_is_loaded_and_its_file_goes(workspace: Workspace) -> None:
    upload = table(workspace)
    made = use_cases.create_from_upload(workspace, SETTINGS, upload, LOCAL)
    assert made.samples == 3 and not upload.path.exists()
    with workspace.database.read() as cursor:
        assert TableSource().count(cursor, "wine") == 3


def test_what_was_made_just_now_is_not_read_once_more_by_its_first_session(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = use_cases.create_from_upload(workspace, SETTINGS, table(workspace), LOCAL)
    asked: list[str] = []
    read = samples.fingerprint

    def counted(*given: Any) -> str:
        asked.append(read(*given))
        return asked[-1]

    monkeypatch.setattr(samples, "fingerprint", counted)
    workspace.open_projects.compare_source(made, again=False)
    assert asked == []
    workspace.open_projects.compare_source(made)  # whenever somebody asks for it
    assert asked == [made.source_fingerprint]


def test_files_move_to_their_folder(workspace: Workspace) -> None:
    settings, staged = pictures(workspace)
    assert use_cases.create_from_upload(workspace, settings, staged, LOCAL).samples == 2
    assert not staged.folder.exists()
    assert (workspace.database.path.parent / settings.source / "a.png").exists()


def test_without_an_upload_the_source_must_be_there(workspace: Workspace) -> None:
    with pytest.raises(SettingsError, match="no table “wine”"):
        use_cases.create_from_upload(workspace, SETTINGS, None, LOCAL)


def test_all_mistakes_come_at_once_and_nothing_is_left(workspace: Workspace) -> None:
    upload = table(workspace)
    wrong = replace(SETTINGS, every=0, label_column="a")
    with pytest.raises(SettingsError) as caught:
        use_cases.create_from_upload(workspace, wrong, upload, LOCAL)
    assert {each.field for each in caught.value.found} == {"every", "label_column"}
    assert everything(workspace) == [] and upload.path.exists()
    settings, staged = pictures(workspace)
    with pytest.raises(SettingsError):
        use_cases.create_from_upload(workspace, replace(settings, every=0), staged, LOCAL)
    assert staged.folder.exists()
    assert not (workspace.database.path.parent / settings.source).exists()


def test_a_table_that_cannot_be_loaded_is_told_at_the_source(
    workspace: Workspace, tmp_path: Path
) -> None:
    upload = table(workspace)
    with pytest.raises(SettingsError) as caught:
        use_cases.create_from_upload(
            workspace, SETTINGS, upload._replace(path=tmp_path / "gone"), LOCAL
        )
    assert [each.field for each in caught.value.found] == ["source"]


def test_who_may_not_make_projects_loads_nothing(workspace: Workspace) -> None:
    with pytest.raises(ForbiddenError):
        use_cases.create_from_upload(
            workspace, SETTINGS, table(workspace), Person("vera", ((EVERYWHERE, "viewer"),))
        )
    assert everything(workspace) == []
