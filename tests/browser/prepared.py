"""Projects that people have worked in already, made without a browser before the app starts."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from annotating import Annotator
from app_server import ROOT, AppServer
from running import wait

from labeling_core.projects.lifecycle import get_project
from labeling_core.settings import Project, Settings
from labeling_core.workspace import Workspace

with (ROOT / "data/wine_colour/answers.csv").open(encoding="utf-8") as _file:
    TRUTH = {str(n): row["label"] for n, row in enumerate(csv.DictReader(_file), start=1)}
OTHER = {"red": "white", "white": "red"}


@contextmanager
def workspace_of(server: AppServer) -> Iterator[Workspace]:
    """The database of a server that does not run yet."""
    workspace = Workspace(server.path)
    yield workspace
    workspace.close()


def label_wines(
    workspace: Workspace, project_id: str, number: int, name: str = "ana", comment: str = ""
) -> tuple[Project, list[str]]:
    """Label so many wines truly; the project and their sample ids. Sessions are waited for."""
    with workspace.database.read() as cursor:
        project = get_project(cursor, project_id)
    annotator = Annotator(workspace, project, name)
    done: list[str] = []
    while len(done) < number:
        ids = annotator.take(min(20, number - len(done)))
        annotator.send([
            annotator.decision(each, "label", category=TRUTH[each], comment=comment)
            for each in ids
        ])  # fmt: skip
        wait(workspace, project)
        done += ids
    return project, done


def on_folder(folder: Path, sample: Settings, name: str, files: list[str]) -> Settings:
    """A project like one of the samples, on a folder of a few of its files."""
    (folder / name).mkdir()
    for each in files:
        shutil.copy(ROOT / "data" / sample.source / each, folder / name)
    tables = {f"{kind}_table": f"{name}_{kind}" for kind in ("labels", "metadata", "queries")}
    return replace(sample, title=name, source=str(folder / name), **tables)


def disputed_wines(workspace: Workspace, project_id: str) -> None:
    """Labels by two people, of which six are wrong, and one on which the two disagree.

    The project has an overlap.
    """
    with workspace.database.read() as cursor:
        project = get_project(cursor, project_id)
    first, second = Annotator(workspace, project, "ana"), Annotator(workspace, project, "ben")
    seen: set[str] = set()
    disputed = False
    for number, annotator in enumerate([first] * 3 + [second] * 3):
        given = {each: TRUTH[each] for each in annotator.take(20)}
        shared = next((each for each in given if each in seen), None) if number > 2 else None
        if shared and not disputed:
            given[shared], disputed = OTHER[TRUTH[shared]], True
        alone = [each for each in given if each != shared][:2] if number < 3 else []
        given |= {each: OTHER[TRUTH[each]] for each in alone}
        seen |= set(given)
        annotator.send([
            annotator.decision(each, "label", category=name) for each, name in given.items()
        ])  # fmt: skip
    assert disputed, "the two have decided nothing in common"
