"""A whole project of each modality, as on Windows (windows_mode.py): labeled, learned from, looked
through, exported, backed up and put back; and nothing is left over in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import windows_mode
from annotating import LOCAL, SETTINGS, Annotator, make_source
from broken_media import encoded, photo, recorded, tone, write_all
from kept_worker import end_idle
from picture_project import SETTINGS as FILES
from picture_project import label, wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.modalities import sounds
from labeling_core.models import final_model
from labeling_core.projects.lifecycle import create_project
from labeling_core.sessions import features, label_errors
from labeling_core.settings import Project
from labeling_core.store.backups import list_backups
from labeling_core.store.database import Database
from labeling_core.store.put_back import restore
from labeling_core.store.removal import LEFT_OVER
from labeling_core.web import exports
from labeling_core.workspace import Workspace


@pytest.fixture(autouse=True)
def windows() -> Iterator[None]:
    with windows_mode.windows():
        yield
    end_idle()  # a process that was started so is nobody else's


PICTURES = {f"{n}.png": encoded(photo(16, 16, seed=n % 2), "PNG") for n in range(24)}
SOUNDS = {
    f"{n}.wav": recorded(tone(0.3, pitch=300.0 + 2200 * (n % 2) + 10 * n), 16_000, "WAV")
    for n in range(24)
}


def _tables(workspace: Workspace) -> tuple[Project, dict[str, str]]:
    make_source(workspace.database, 60)
    settings = replace(SETTINGS, title="Con", every=10, probe_share=0.0)
    project = create_project(workspace.database, settings)
    return project, {str(n + 1): ("red", "white")[n % 2] for n in range(60)}


def _files(workspace: Workspace, modality: str) -> Project:
    settings = replace(FILES, title="Nul", modality=modality, every=10, probe_share=0.0)
    return create_project(workspace.database, settings)


@pytest.mark.parametrize("modality", ["tabular", "images", "sounds"])
def test_a_whole_project(workspace: Workspace, media: Path, modality: str) -> None:
    if modality == "tabular":
        project, answers = _tables(workspace)
    else:
        files = PICTURES if modality == "images" else SOUNDS
        write_all(media, files)
        project = _files(workspace, modality)
        answers = {name: "ab"[int(name.partition(".")[0]) % 2] for name in files}
    assert project.project_id.endswith("_2")  # the name of a device is no folder
    workspace.loop.prepare(project)
    wait(workspace, project)
    label(Annotator(workspace, project), 20, answers)
    done = workspace.loop.trainer.outcomes[project.project_id, "session"]
    assert done.state == "idle", done
    label_errors.look(workspace.loop, project, LOCAL)
    wait(workspace, project)
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    assert workspace.loop.trainer.status[project.project_id].state == "idle"
    project, _ = use_cases.refresh_source(workspace, project, LOCAL)
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert features.have_features(workspace.database, project), workspace.loop.status(project)

    assert use_cases.export_final_model(workspace, project, LOCAL)
    assert use_cases.export_predictions(workspace, project, "CSV", LOCAL)
    for what in exports.listed(project, LOCAL):
        assert b"".join(exports.export(workspace, project, what, "Parquet", LOCAL).pieces)
    path = workspace.database.path
    made = workspace.backups.make(LOCAL)
    workspace.close()
    replaced = restore(made.path, path, LOCAL)
    assert replaced is not None and replaced.exists()
    again = Workspace(path)
    try:
        assert len(list_backups(path)) == 1
        with again.database.read() as cursor:
            table = project.settings.labels_table
            counted = cursor.execute(f'SELECT count(*) FROM main."{table}"').fetchone()
        assert counted == (20,)
        use_cases.delete_project(again, project.project_id, LOCAL)
    finally:
        again.close()
    assert not list(path.parent.rglob(LEFT_OVER))
    assert not (path.with_name(path.name + ".files") / project.project_id).exists()


def test_features_that_somebody_reads_go_when_they_are_free(workspace: Workspace) -> None:
    project, answers = _tables(workspace)
    workspace.loop.prepare(project)
    wait(workspace, project)
    old = features.features_folder(workspace.database, project)
    mapped = np.load(old / "features.npy", mmap_mode="r")
    with workspace.database.transaction() as cursor:
        cursor.execute("INSERT INTO main.wine SELECT 1000, 4.0, 'cask 9'")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change.added == 1
    workspace.loop.prepare(project)
    wait(workspace, project)
    assert features.have_features(workspace.database, project), workspace.loop.status(project)
    assert [each.name for each in old.iterdir()] == ["features.npy"]
    del mapped
    label(Annotator(workspace, project), 10, answers | {"1000": "red", "61": "red"})
    assert workspace.loop.trainer.outcomes[project.project_id, "session"].state == "idle"
    assert not old.exists()


def test_a_project_goes_while_somebody_listens_to_a_sample(
    workspace: Workspace, media: Path
) -> None:
    write_all(media, SOUNDS)
    project = _files(workspace, "sounds")
    cache = workspace.database.files(project.project_id, "renditions")
    copy, _ = sounds.heard(cache, media / "0.wav")
    if copy == media / "0.wav":  # browsers play it as it is
        copy = cache / "played"
        copy.write_bytes(b"x")
    path = workspace.database.path
    with copy.open("rb"):
        use_cases.delete_project(workspace, project.project_id, LOCAL)
        assert copy.exists()
    workspace.close()
    Workspace(path).close()
    assert not copy.exists() and not cache.parent.exists()


def test_a_database_of_a_project_that_is_called_like_a_device(tmp_path: Path) -> None:
    """One that an earlier version made elsewhere, and that is opened on Windows now."""
    opened = Database(tmp_path / "old.duckdb")
    assert opened.files("con", "session").parts[-2:] == ("con_", "session")
    opened.close()


def test_a_backup_is_put_back_where_another_program_reads_the_database(
    workspace: Workspace,
) -> None:
    path = workspace.database.path
    make_source(workspace.database, 10)
    made = workspace.backups.make(LOCAL)
    workspace.close()
    content = path.read_bytes()
    with path.open("rb"), pytest.raises(LabelingError, match="another program has"):
        restore(made.path, path, LOCAL)
    assert path.read_bytes() == content
    assert [each.name for each in path.parent.glob("*-replaced-*")] == []
