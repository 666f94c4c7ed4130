"""Features of a table that is labeled already: stopped, gone on with, and what waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from annotating import Annotator

from labeling_core.sessions import features
from labeling_core.sessions.jobs import Status
from labeling_core.settings import Project
from labeling_core.workspace import Workspace


def end(workspace: Workspace, project: Project) -> None:
    until = time.monotonic() + 120
    while workspace.loop.trainer.running(project.project_id):
        assert time.monotonic() < until
        time.sleep(0.02)


def sessions(workspace: Workspace) -> int:
    with workspace.database.read() as cursor:
        row = cursor.execute("SELECT count(*) FROM labeling.sessions WHERE state = 'DONE'")
        return int((row.fetchone() or (0,))[0])


def test_what_was_stopped_waits_until_somebody_has_it_go_on(
    workspace: Workspace, make_project: Callable[..., Project]
) -> None:
    project = make_project(every=10, probe_share=0.0)
    loop = workspace.loop
    annotator = Annotator(workspace, project)
    assert loop.reading(project) is None
    loop.prepare(project)
    loop.stop_reading(project)
    end(workspace, project)
    assert (stopped := loop.reading(project)) and stopped.state == "stopped"
    assert not features.have_features(workspace.database, project)
    assert loop.status(project).text.startswith("reading is stopped, sessions wait for it")

    loop.prepare(project)  # another browser comes
    annotator.label_truly(25)
    loop.prepare(project)
    assert not loop.trainer.running(project.project_id) and sessions(workspace) == 0
    assert workspace.queue(project).counts.labeled == 25

    loop.read_files(project)
    until = time.monotonic() + 120
    while not sessions(workspace):  # those labels are enough for one
        assert time.monotonic() < until
        time.sleep(0.05)
    end(workspace, project)
    assert loop.reading(project) is None and features.have_features(workspace.database, project)


def test_a_session_is_not_stopped_as_if_it_only_read(
    workspace: Workspace, make_project: Callable[..., Project]
) -> None:
    project = make_project(every=1000, probe_share=0.0)
    Annotator(workspace, project).label_truly(20)
    workspace.loop.start_session(project, "hand")
    workspace.loop.stop_reading(project)
    end(workspace, project)
    assert sessions(workspace) == 1


def test_a_step_says_how_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    assert Status("running", "Fitting", 0.1, 99.5).told() == "Fitting"
    assert Status("running", "Fitting", 0.1, 97.0).told() == "Fitting for 3 s"
    assert Status("idle", "done").told() == "done"


def test_the_seconds_are_those_of_one_step(
    workspace: Workspace, make_project: Callable[..., Project]
) -> None:
    project = make_project(queries_table="")
    line, go_on = workspace.loop.trainer, threading.Event()
    seen: list[float | None] = []

    def job(_: object, progress: Callable[[str, float], None]) -> str:
        for text, share in (("one", 0.1), ("one", 0.2), ("two", 0.3)):
            progress(text, share)
            seen.append(line.status[project.project_id].since)
            time.sleep(0.01)
        go_on.wait(10)
        return "done"

    line.submit(project.project_id, job)
    go_on.set()
    end(workspace, project)
    assert seen[0] == seen[1] and seen[1] is not None and seen[2] is not None
    assert seen[2] > seen[1]
