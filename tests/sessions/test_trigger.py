"""When sessions start by themselves: at once, at times, after a grace delay, or not at all."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC
from types import SimpleNamespace
from typing import Any

import pytest
from annotating import LOCAL, SETTINGS, rows
from running import run_session, wait

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.progress import learning_curve
from labeling_core.progress.session_words import run_row
from labeling_core.sessions import pace, records
from labeling_core.sessions.trigger import explain
from labeling_core.settings import Project

RUNS = "SELECT session_id, labels, started_by FROM labeling.sessions ORDER BY ALL"


def change(workspace: Any, project: Any, **settings: Any) -> None:
    known = workspace.project(project.project_id).settings
    use_cases.update_project(workspace, project.project_id, replace(known, **settings), LOCAL)


def test_a_session_that_is_due_waits_and_learns_of_all_that_came_in(
    workspace: Any, make_project: Any, annotator: Any
) -> None:
    project = make_project(every=10, grace_seconds=3600)
    ana = annotator(project)
    ana.label_truly(25)
    assert "next by itself in a while" in workspace.loop.status(project).text
    assert rows(workspace.database, RUNS) == []
    change(workspace, project, grace_seconds=1)
    ana.label_truly(1)
    end = time.monotonic() + 600
    while not rows(workspace.database, RUNS):  # nothing but the clock starts it
        assert time.monotonic() < end
        time.sleep(0.02)
    wait(workspace, project)
    assert rows(workspace.database, RUNS) == [(1, 26, "trigger")]


def test_what_is_off_starts_nothing_and_is_made_up_for_when_it_is_on(
    workspace: Any, make_project: Any, annotator: Any
) -> None:
    project = make_project(every=10, automatic=False)
    ana = annotator(project)
    ana.label_truly(25)
    assert workspace.loop.status(project).text == "next when somebody starts it"
    assert rows(workspace.database, RUNS) == []
    change(workspace, project, automatic=True)
    ana.label_truly(1)
    wait(workspace, project)
    assert rows(workspace.database, RUNS) == [(1, 10, "trigger"), (2, 26, "trigger")]


@pytest.mark.parametrize("field", ["check_seconds", "grace_seconds"])
@pytest.mark.parametrize("value", [-1, 86_401])
def test_a_wait_that_makes_no_sense_is_refused(
    workspace: Any, make_project: Any, field: str, value: int
) -> None:
    with pytest.raises(LabelingError, match="0 to 86,400 seconds"):
        change(workspace, make_project(), **{field: value})


class Clock:
    """Time that passes when a test says so, for what pace.py asks of time and threading."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.timers = 0.0, list[Any]()
        self.current: Any = None
        monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: self.now))
        threads = SimpleNamespace(Timer=self.timer, current_thread=lambda: self.current)
        monkeypatch.setattr(pace, "threading", threads)

    def timer(self, left: float, call: Any, arguments: list[Any]) -> Any:
        made = SimpleNamespace(at=self.now + left, call=lambda: call(*arguments), alive=False)
        made.start = lambda: setattr(made, "alive", True)
        made.cancel = lambda: setattr(made, "alive", False)
        made.is_alive = lambda: made.alive
        made.join = lambda seconds: None
        self.timers.append(made)
        return made

    def passes(self, seconds: float) -> None:
        end = self.now + seconds
        while ready := [each for each in self.timers if each.alive and each.at <= end]:
            first = min(ready, key=lambda each: each.at)
            self.now, self.current = first.at, first
            first.call()
            first.alive, self.current = False, None
        self.now = end


def test_the_pace_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    settings = replace(SETTINGS, check_seconds=60, grace_seconds=5)
    project = Project("wine", settings, 200, 20, "", 0)
    due, looks, starts = [False], list[float](), list[float]()

    def look(_: str = "") -> None:
        if pacing.may_look(project):
            looks.append(clock.now)
            if pacing.may_start(project, due[0]):
                starts.append(clock.now)
                due[0] = False

    pacing = pace.Pace(look)
    look()
    for _ in range(10):  # labels come in: they are looked at when it is time
        clock.passes(1)
        look()
    assert looks == [0]
    due[0] = True
    clock.passes(52)
    assert (looks, starts) == ([0, 60], [])
    clock.passes(5)
    assert starts == [65]
    clock.passes(300)
    assert (looks, starts) == ([0, 60, 65], [65])  # without labels nothing is looked at
    due[0] = True
    look()
    due[0] = False  # a label was taken back
    clock.passes(10)
    assert starts == [65]
    due[0] = True
    look()
    clock.passes(60)
    assert len(starts) == 2
    due[0] = True
    look()
    pacing.stop()
    clock.passes(600)
    assert len(starts) == 2


def test_the_trigger_and_its_runs_in_words(
    workspace: Any, make_project: Any, annotator: Any
) -> None:
    assert explain(SETTINGS) == "On: a session runs after every 20 labelings."
    told = explain(replace(SETTINGS, check_seconds=90, grace_seconds=30))
    assert told.endswith("labelings, looked at every 90 seconds, 30 seconds after it is due.")
    assert explain(replace(SETTINGS, automatic=False)).startswith("Off: ")
    project = make_project(every=1000)
    annotator(project).label_truly(20)
    run_session(workspace, project)
    failed = records.begin(workspace.database, project, "trigger", 21, 20)
    records.fail(workspace.database, project.project_id, failed, "The disk is full.")
    with workspace.database.read() as cursor:
        found = learning_curve.sessions(cursor, project)
    done, last = [run_row(each, UTC) for each in found]
    set_back = found[0]._replace(finished=found[0].started - 3600)
    assert run_row(set_back, UTC)["duration (s)"] is None
    assert (done["reason"], done["outcome"]) == ("started by hand", "done")
    assert done["duration (s)"] > 0
    assert (last["reason"], last["outcome"]) == ("enough labels: 21", "failed: The disk is full.")
