"""What earlier versions have written still opens: databases, and the models people downloaded.

``data/version_0_2.zip`` was made by version 0.2: a database with a table (several people decide
some samples, a category renamed, labels looked through), pictures and recordings, each with a
session, and the final model of each as people downloaded it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from annotating import LOCAL, Annotator, rows
from running import run_session

from labeling_core.config import DATA, ROOT
from labeling_core.models import final_model
from labeling_core.progress import learning_curve
from labeling_core.sessions import label_errors
from labeling_core.store import eventlog
from labeling_core.workspace import Workspace

MADE = Path(__file__).parent / "data" / "version_0_2.zip"
COUNTS = {"wine_labels": 38, "wine_metadata": 46, "images_labels": 10, "sounds_labels": 6}


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unpacked folder, with the media files its projects were made of."""
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path))
    zipfile.ZipFile(MADE).extractall(tmp_path)
    with duckdb.connect(str(tmp_path / "old.duckdb"), read_only=True) as connection:
        for project, source in (("digits", "digits"), ("words", "spoken_words")):
            folder = tmp_path / f"old_{project}"
            folder.mkdir()
            for (path,) in connection.execute(
                f"SELECT path FROM labeling_pool.samples_{project}"
            ).fetchall():
                (found,) = (DATA / source).rglob(path)
                shutil.copy(found, folder / path)
    return tmp_path


def test_a_database_of_before_opens_and_goes_on_learning(older: Path) -> None:
    workspace = Workspace(older / "old.duckdb")
    try:
        for table, number in COUNTS.items():
            assert rows(workspace.database, f"SELECT count(*) FROM {table}") == [(number,)], table
        project = workspace.project("wine")
        assert project.settings.names == ("rouge", "white")
        # Those that wait for a second person count, too.
        assert workspace.queue(project).counts.labeled == 42
        ana = Annotator(workspace, project)
        with workspace.database.read() as cursor:
            kept = learning_curve.sessions(cursor, project, workspace.queue(project))
            assert [each.session_id for each in kept] == [1, 2]
            assert final_model.archive(cursor, "wine") is not None
            assert label_errors.last_check(cursor, "wine") is not None
            log = eventlog.read(cursor, eventlog.Filter("wine"), LOCAL, 0, 1_000)
        assert {each.kind for each in log} == {"decision", "category"}
        samples = ana.send(want=10)["samples"]
        ana.send([ana.decision(each["sample_id"], "label", category="white") for each in samples])
        assert run_session(workspace, project).state == "idle"
        for project_id in ("digits", "words"):
            project = workspace.project(project_id)
            workspace.loop.prepare(project)
            while workspace.loop.reader.running(project_id):
                pass
            assert run_session(workspace, project).state == "idle", project_id
    finally:
        workspace.close()


@pytest.mark.parametrize("modality", ["images", "sounds"])
def test_the_lines_on_a_model_card_of_before_still_load_and_predict(
    older: Path, modality: str
) -> None:
    folder = older / modality
    zipfile.ZipFile(older / f"{modality}_final_model.zip").extractall(folder)
    card = json.loads((folder / "model_card.json").read_text(encoding="utf-8"))
    file = next((older / {"images": "old_digits", "sounds": "old_words"}[modality]).iterdir())
    code = card["how_to_load"].replace('"a file of that kind"', repr(str(file)))
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"],
        capture_output=True, encoding="utf-8", cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert any(name in done.stdout for name in card["categories"])


@pytest.mark.parametrize("modality", ["wine", "images", "sounds"])
def test_predict_takes_a_model_of_before(older: Path, modality: str) -> None:
    source = ["--folder", str(older / {"images": "old_digits"}.get(modality, "old_words"))]
    if modality == "wine":
        table = pd.DataFrame(
            {"bottle": [1, 2], "acidity": [1.2, 9.1], "cask": ["cask 1", "cask 2"]}
        )
        table.to_csv(older / "new.csv", index=False)
        source = ["--data", str(older / "new.csv")]
    done = subprocess.run(
        [sys.executable, "-m", "labeling_core", "predict", *source,
         "--model", str(older / f"{modality}_final_model.zip"), "--out", str(older / "out.csv")],
        capture_output=True, encoding="utf-8", cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(older / "out.csv")
    assert len(found) == {"wine": 2, "images": 40, "sounds": 24}[modality]
    assert found["prediction"].notna().all()
    if modality == "wine":
        assert list(found["prediction"]) == ["rouge", "white"]
