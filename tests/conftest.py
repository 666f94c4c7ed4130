"""Projects on real DuckDB files, in temporary folders.

To make a database takes longer than most tests do: it is made once and copied, as is one with the
sample projects. Processes that learn are handed on.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import minilm
import one_thread  # noqa: F401  before numpy
import pytest
import windows_mode
from annotating import SETTINGS, Annotator, make_source
from kept_worker import end_idle, keep_workers

from labeling_core.projects import sample_projects
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Project
from labeling_core.store.database import Database
from labeling_core.workspace import Workspace

# Processes that tests start, those that xdist starts among them, begin with sitecustomize.py there.
STARTED = Path(__file__).parent / "support" / "started"
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, (str(STARTED), os.environ.get("PYTHONPATH")))
)
os.environ["PYTHONWARNDEFAULTENCODING"] = "1"  # text without an encoding is a warning: an error
# Single tests of these take minutes: begun last, one process would end alone with them.
LONGEST = (
    "test_forms_simulation", "test_simulation_in_browser", "test_forms_review", "test_load",
    "test_windows",
)  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--windows", action="store_true", help="run as on Windows (windows_mode.py)")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--windows"):
        windows_mode.install()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests; all others keep their order."""
    if windows_mode.installed():
        absent = pytest.mark.skip(reason="cannot be on Windows")
        for each in items:
            if each.get_closest_marker("posix"):
                each.add_marker(absent)
    items.sort(key=lambda each: each.path.stem not in LONGEST)


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the weights of the sentence embedding, for this process and its children."""
    return minilm.install(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of own models; before a workspace, whose worker looks into it."""
    folder = tmp_path / "models"
    folder.mkdir()
    monkeypatch.setenv("LABELING_MODELS", str(folder))
    return folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file without a project, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "empty.duckdb"
    Database(path).close()
    return path


@pytest.fixture(scope="session")
def sample_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file as the first start leaves it, with the sample projects, to be copied."""
    path = tmp_path_factory.mktemp("samples") / "samples.duckdb"
    database = Database(path)
    sample_projects.create_all(database)
    database.close()
    return path


@pytest.fixture
def app_database(sample_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's database for this test, with the sample projects."""
    path = tmp_path / "app.duckdb"
    shutil.copy(sample_database, path)
    monkeypatch.setenv("LABELING_DATABASE", str(path))
    return path


@pytest.fixture
def database(empty_database: Path, tmp_path: Path) -> Iterator[Database]:
    """A database without a project."""
    shutil.copy(empty_database, tmp_path / "test.duckdb")
    opened = Database(tmp_path / "test.duckdb")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def workers() -> Iterator[None]:
    """At the end no process that learns is left."""
    yield
    end_idle()


@pytest.fixture
def workspace(empty_database: Path, tmp_path: Path, workers: None) -> Iterator[Workspace]:
    """A workspace on a database without a project; what it is doing ends with the test."""
    shutil.copy(empty_database, tmp_path / "test.duckdb")
    opened = Workspace(tmp_path / "test.duckdb")
    keep_workers(opened)
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
