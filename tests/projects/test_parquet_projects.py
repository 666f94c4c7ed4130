"""A project on a folder of Parquet files: made, labeled, learned from, and grown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from annotating import LOCAL, SETTINGS, Annotator
from running import wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.projects import samples
from labeling_core.settings import Column, Project
from labeling_core.sources.parquet_folders import pattern_of
from labeling_core.store.database import literal
from labeling_core.workspace import Workspace

ROWS = (
    "SELECT i AS bottle, (i % 2) * 8 + 1 + (i % 7) / 10.0 AS acidity, repeat('x', 1000) AS report"
)


def write(path: Path, start: int, end: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        sql = f"{ROWS} FROM range({start}, {end}) t(i)"
        con.execute(f"COPY ({sql}) TO {literal(str(path))} (FORMAT parquet)")


@pytest.fixture
def folder(media: Path) -> Path:
    write(media / "wines" / "year=2025" / "a.parquet", 0, 100)
    write(media / "wines" / "year=2026" / "a.parquet", 100, 200)
    return media / "wines"


def made(workspace: Workspace, folder: Path, *columns: Column) -> Project:
    wanted = replace(
        SETTINGS, source=pattern_of(str(folder)), columns=columns, every=20, probe_share=0.0
    )
    return use_cases.create_project(workspace, wanted, LOCAL)


def by_id(workspace: Workspace, project: Project) -> dict[str, int]:
    with workspace.database.read() as cursor:
        rows = cursor.execute(
            f"SELECT {samples.SAMPLE_ID}, bottle FROM {samples.table(project.project_id)}"
        ).fetchall()
    return dict(rows)


def test_only_what_is_used_is_taken_over(workspace: Workspace, folder: Path) -> None:
    project = made(workspace, folder, Column("report", "neither"))
    with workspace.database.read() as cursor:
        kept = [name for name, _ in samples.kept_columns(cursor, project.project_id)]
        listed = cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert kept == ["bottle", "acidity", "year"] and project.samples == 200
    assert project.settings.left_in_files == ("report",) and project.settings.columns == ()
    assert not [name for (name,) in listed if "wines" in name]  # no copy of the files


def test_ids_stay_when_files_are_added_moved_and_gone(workspace: Workspace, folder: Path) -> None:
    project = made(workspace, folder, Column("report", "neither"))
    before = by_id(workspace, project)
    assert before["1"] == 0 and before["200"] == 199
    write(folder / "year=2024" / "z.parquet", 200, 220)  # the first by its name
    (folder / "year=2025" / "a.parquet").rename(folder / "year=2025" / "moved.parquet")
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (20, 0)
    after = by_id(workspace, project)
    assert {key: after[key] for key in before} == before and len(after) == 220
    (folder / "year=2026" / "a.parquet").unlink()
    project, change = use_cases.refresh_source(workspace, project, LOCAL)
    assert change == (0, 100) and by_id(workspace, project) == after


def test_a_session_takes_new_files_over_by_itself(workspace: Workspace, folder: Path) -> None:
    project = made(workspace, folder, Column("report", "neither"))
    annotator = Annotator(workspace, project)
    annotator.label_truly(10)
    write(folder / "year=2026" / "b.parquet", 200, 230)
    workspace.loop.start_session(project, "hand")
    wait(workspace, project)
    assert workspace.project(project.project_id).samples == 230
    with workspace.database.read() as cursor:
        rows = cursor.execute("SELECT count(*) FROM main.wine_queries").fetchone()
    assert rows == (220,)


def test_a_file_of_another_shape_is_no_reason_to_lose_the_queue(
    workspace: Workspace, folder: Path
) -> None:
    project = made(workspace, folder)
    (folder / "year=2026" / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(LabelingError, match=r"“b\.parquet” cannot be read"):
        use_cases.refresh_source(workspace, project, LOCAL)
    assert workspace.project(project.project_id).samples == 200
