"""The model of a session is kept after its queue is served: what a kill in between leaves."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from annotating import Annotator, rows
from running import kill, run_session

from labeling_core.errors import LabelingError
from labeling_core.integrity import checks
from labeling_core.people import local_person
from labeling_core.progress import downloads
from labeling_core.sessions import loop, session
from labeling_core.sessions.worker_client import Worker
from labeling_core.workspace import Workspace

KEPT = "SELECT session_id, card->>'$.session_id' FROM labeling.models"
STATES = "SELECT session_id, state FROM labeling.sessions ORDER BY 1"
# A session whose program is killed when its queue is served.
KILLED = """
import os, sys, time
from pathlib import Path
from labeling_core.sessions import session
from labeling_core.workspace import Workspace

session.keep_model = lambda *_: os._exit(9)
workspace = Workspace(Path(sys.argv[1]))
workspace.loop.start_session(workspace.project(sys.argv[2]), "hand")
time.sleep(600)
"""


@pytest.fixture
def labeled(make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    return project


def predictions(workspace, project):
    import skops.io

    with workspace.database.read() as cursor:
        archive = zipfile.ZipFile(io.BytesIO(downloads.model(cursor, project.project_id)))
        raw = cursor.execute("SELECT * FROM wine ORDER BY bottle").df()
    data = archive.read("model.skops")
    model = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    return model.predict_proba(raw)


def killed_between(workspace, project):
    """The program is killed after the queue of a session, before its model; it runs again then."""
    path = workspace.database.path
    workspace.close()
    command = [sys.executable, "-c", KILLED, str(path), project.project_id]
    root = Path(__file__).parent.parent.parent
    assert subprocess.run(command, cwd=root, timeout=300, check=False).returncode == 9
    return Workspace(path)


def test_the_queue_is_served_before_the_model_is_kept(workspace, labeled, monkeypatch):
    run_session(workspace, labeled)
    seen = []

    def keep(*given):
        seen.append((workspace.queue(labeled).session_id, rows(workspace.database, STATES)))
        seen.append(rows(workspace.database, KEPT))
        return kept(*given)

    kept = session.publish_model
    monkeypatch.setattr(session, "publish_model", keep)
    assert run_session(workspace, labeled).state == "idle"
    assert seen == [(2, [(1, "DONE"), (2, "DONE")]), [(1, "1")]]
    assert rows(workspace.database, KEPT) == [(2, "2")]


def test_a_kill_between_queue_and_model_leaves_both_whole_and_the_next_session_goes_on(
    workspace, labeled
):
    run_session(workspace, labeled)
    again = killed_between(workspace, labeled)
    assert rows(again.database, STATES) == [(1, "DONE"), (2, "DONE")]
    assert again.queue(labeled).session_id == 2
    assert rows(again.database, "SELECT DISTINCT session_id FROM wine_queries") == [(2,)]
    assert rows(again.database, KEPT) == [(1, "1")]  # with a card that says whose it is
    assert len(predictions(again, labeled)) == 200
    found = checks.look_open(again.database, local_person("ana"))
    assert {each.state for each in found.open} <= {"mendable"}
    assert {each.check for each in found.open} <= {"stale jobs"}
    Annotator(again, labeled).label_truly(5)
    assert run_session(again, labeled).state == "idle"
    assert rows(again.database, KEPT) == [(3, "3")]
    again.close()


def test_where_the_process_was_replaced_meanwhile_another_makes_the_same_model(
    workspace, labeled, monkeypatch
):
    run_session(workspace, labeled)
    workspace.loop.trainer.worker.pause()
    plain = predictions(workspace, labeled)
    card = rows(workspace.database, "SELECT card FROM labeling.models")[0][0]
    with workspace.database.transaction() as cursor:  # so that it has the same number, and seed
        cursor.execute("DELETE FROM labeling.sessions")
    read = loop.deck_advice.read

    def and_kill(*given):
        kill(workspace.loop.trainer.worker.start())
        return read(*given)

    monkeypatch.setattr(loop.deck_advice, "read", and_kill)
    assert run_session(workspace, labeled).state == "idle"
    again = rows(workspace.database, "SELECT card FROM labeling.models")[0][0]
    assert json.loads(again)["trained"] > json.loads(card)["trained"]
    assert np.allclose(predictions(workspace, labeled), plain, atol=1e-6)


def test_a_model_that_cannot_be_written_is_said_and_the_session_stands(
    workspace, labeled, monkeypatch
):
    run = Worker.run

    def no_model(self, job, progress):
        if job["kind"] == "model":
            raise LabelingError("There was no memory left.")
        return run(self, job, progress)

    monkeypatch.setattr(Worker, "run", no_model)
    told = run_session(workspace, labeled)
    assert told.state == "idle"
    assert told.text == (
        "Session 1 is done, but its model could not be kept: There was no memory left."
    )
    assert workspace.loop.status(labeled).text.startswith(f"{told.text} The next session comes")
    assert rows(workspace.database, STATES) == [(1, "DONE")]
    assert rows(workspace.database, KEPT) == []
