"""Projects on real DuckDB files, in temporary folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import SETTINGS, Annotator, make_source

from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Project
from labeling_core.store.database import Database
from labeling_core.workspace import Workspace


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database file."""
    opened = Database(tmp_path / "test.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace on an empty database file; its worker ends with the test."""
    opened = Workspace(tmp_path / "test.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def make_project(workspace: Workspace) -> Callable[..., Project]:
    """Make the wine project with some settings changed."""

    def make(rows: int = 200, **changes: Any) -> Project:
        make_source(workspace.database, rows)
        return create_project(workspace.database, replace(SETTINGS, **changes))

    return make


@pytest.fixture
def annotator(workspace: Workspace) -> Callable[..., Annotator]:
    """Make annotators."""

    def make(project: Project, name: str = "ana") -> Annotator:
        return Annotator(workspace, project, name)

    return make


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``media`` below an allowed root."""
    monkeypatch.setenv("LABELING_DATA_ROOTS", str(tmp_path / "root"))
    folder = tmp_path / "root" / "media"
    folder.mkdir(parents=True)
    return folder
