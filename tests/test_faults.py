"""What goes wrong on real machines: each fault ends with a sentence, and no decision is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from annotating import LOCAL, Adjudicator, Annotator, rows
from faults import full_disk

from labeling_core import use_cases
from labeling_core import workspace as workspaces
from labeling_core.access.tokens import issue
from labeling_core.labeling import pipeline
from labeling_core.store.database import now
from labeling_core.web import routes
from labeling_core.workspace import Workspace


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """The workspace that the routes serve, on an empty file."""
    monkeypatch.setenv("LABELING_DATABASE", str(tmp_path / "test.duckdb"))
    opened = Workspace(tmp_path / "test.duckdb")
    monkeypatch.setitem(workspaces._open, tmp_path / "test.duckdb", opened)
    yield opened
    opened.close()


@pytest.fixture
def project(make_project):
    return make_project(queries_table="", probe_share=0.0)


def post(ana: Annotator, decisions, **more) -> tuple[int, dict]:
    """Send a message as a browser does: the status and what was answered."""
    token = issue(ana.workspace.key, ana.project.project_id, ana.name)
    raw = ana.raw(decisions, **more) | {"token": token}
    response = routes.respond(json.dumps(raw).encode())
    return response.status_code, json.loads(response.body)


def stored(workspace) -> list[str]:
    return [
        each for (each,) in rows(workspace.database, "SELECT sample_id FROM main.wine_metadata")
    ]


def test_a_full_disk_says_so_and_what_could_not_be_stored_is_when_there_is_room(workspace, project):
    ana = Annotator(workspace, project)
    taken = ana.take(3)
    decisions = [ana.decision(each, "label", category="red") for each in taken]
    with full_disk(100, workspace.database.path.with_name("test.duckdb.wal")):
        status, answer = post(ana, decisions)
    assert status == 503
    assert answer["error"].startswith("The disk that holds the database is full: make room")
    status, answer = post(ana, decisions)
    assert (status, answer["stored"][ana.client]) == (200, 3)
    assert sorted(stored(workspace)) == sorted(taken)


def test_a_checkpoint_that_finds_no_room_loses_nothing_and_labeling_goes_on(workspace, project):
    with workspace.database.read() as cursor:
        cursor.execute("SET checkpoint_threshold = '100KB'")
    ana = Annotator(workspace, project)
    taken = ana.take(60)
    done, failed = [], []
    with full_disk(60_000, workspace.database.path):
        for sample_id in taken:
            decision = ana.decision(sample_id, "skip", comment=os.urandom(2_000).hex())
            status, _ = post(ana, [decision])
            if status == 503:
                failed.append(decision)
                ana.seq -= 1  # the browser sends this very one until it is stored
                if len(failed) == 3:
                    break
            else:
                done.append(sample_id)
    assert done and len(failed) == 3
    assert post(ana, failed[:1])[0] == 200
    assert sorted(stored(workspace)) == sorted([*done, failed[0].sample_id])


def test_what_is_stored_though_the_checkpoint_after_it_failed_is_not_stored_twice(
    workspace, make_project, annotator
):
    project = make_project(queries_table="", probe_share=0.0, overlap_share=1.0)
    for name, category in (("ana", "red"), ("ben", "white")):
        person = annotator(project, name)
        person.send([person.decision(each, "label", category=category) for each in person.take(4)])
    eva = Adjudicator(workspace, project, "eva")
    disputed = eva.send(want=1)["samples"][0]["sample_id"]
    with workspace.database.read() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SET checkpoint_threshold = '20KB'")
    with full_disk(0, workspace.database.path):
        for _ in range(40):  # a checkpoint comes due, finds no room, and what was ruled counts
            ruling = eva.decision(disputed, "label", category="red", comment="x" * 3_000)
            assert eva.send([ruling])["stored"][eva.client] == ruling.seq
    eva.send([ruling])  # its answer may have been lost
    ruled = "SELECT label FROM main.wine_metadata WHERE origin = 'adjudication'"
    assert rows(workspace.database, ruled) == [("red",)]
    told = "SELECT count(*), count(DISTINCT seq) FROM labeling.events WHERE client = ?"
    assert rows(workspace.database, told, eva.client) == [(40, 40)]


def test_after_a_failed_commit_the_tables_are_read_anew(workspace, project, monkeypatch):
    ana = Annotator(workspace, project)
    ana.send([ana.decision(each, "label", category="red") for each in ana.take(3)])
    queue = workspace.queue(project)
    queue.counts.categories["red"] = 99  # ahead of the tables
    wal = workspace.database.path.with_name("test.duckdb.wal")
    with full_disk(0, wal), pytest.raises(duckdb.Error):
        use_cases.rename_category(workspace, "wine", "red", "rouge", LOCAL)
    assert workspace.project("wine").settings.names == ("red", "white")
    assert workspace.queue(project).counts.categories == {"red": 3}


@pytest.mark.posix  # an open file stays where it is on Windows
def test_while_the_file_is_moved_away_nothing_is_acknowledged(workspace, project, tmp_path):
    ana = Annotator(workspace, project)
    decisions = [ana.decision(each, "skip") for each in ana.take(2)]
    aside = workspace.database.path.rename(tmp_path / "aside.duckdb")
    status, answer = post(ana, decisions)
    assert (status, answer["error"][:45]) == (503, "The database test.duckdb has been moved away ")
    (tmp_path / "test.duckdb").write_bytes(b"another file")
    assert post(ana, decisions)[0] == 503
    aside.replace(tmp_path / "test.duckdb")
    assert post(ana, decisions)[0] == 200
    assert len(stored(workspace)) == 2


READ_ONLY = """
import os, sys
from pathlib import Path
from labeling_core.errors import LabelingError
from labeling_core.workspace import Workspace
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Workspace(Path(sys.argv[1]))
except LabelingError as error:
    print(error)
"""


def test_a_read_only_file_ends_with_a_sentence_at_the_start(workspace, project, tmp_path):
    path = workspace.database.path
    workspace.close()
    path.chmod(0o444)
    for folder in (tmp_path, *tmp_path.parents):  # another user has to get as far as the file
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, encoding="utf-8",
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert "cannot be opened for writing" in done.stdout
    assert "check the folder's permissions" in done.stdout


def test_a_file_made_read_only_while_the_program_runs_keeps_what_is_acknowledged(
    workspace, project
):
    ana = Annotator(workspace, project)
    taken = ana.take(4)
    assert post(ana, [ana.decision(taken[0], "skip")])[0] == 200
    workspace.database.path.chmod(0o444)
    acknowledged = [taken[0]]
    for sample_id in taken[1:]:
        status, _ = post(ana, [ana.decision(sample_id, "skip")])
        acknowledged += [sample_id] if status == 200 else []
    workspace.database.path.chmod(0o644)
    path = workspace.database.path
    workspace.close()
    again = Workspace(path)
    try:
        assert stored(again) == acknowledged
    finally:
        again.close()


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_is_set_loses_nothing_and_locks_nobody_out(
    workspace, project, monkeypatch, hours
):
    ana, bob = Annotator(workspace, project, "ana"), Annotator(workspace, project, "bob")
    queue = ana.take(50)
    workspace.queue(project).clock = lambda: time.time() + hours * 3600
    monkeypatch.setattr(pipeline, "now", lambda: now() + timedelta(hours=hours))
    others = bob.send(want=500)["samples"]
    while more := bob.send(want=500, holding=[each["sample_id"] for each in others])["samples"]:
        others += more
    assert len(others) == 200, "what somebody held before the clock was set is handed out again"
    status, answer = post(ana, [ana.decision(queue[0], "label", category="red")])
    assert (status, answer["refused"]) == (200, [])
    assert stored(workspace) == [queue[0]]


def test_a_laptop_closed_for_an_hour_stores_what_nobody_else_has_decided(workspace, project):
    ana, bob = Annotator(workspace, project, "ana"), Annotator(workspace, project, "bob")
    queue = ana.take(10)
    decided = [ana.decision(each, "label", category="red") for each in queue[:5]]
    workspace.queue(project).clock = lambda: time.time() + 3600
    others = [each["sample_id"] for each in bob.send(want=20)["samples"]]
    assert queue[0] in others, "after an hour the samples are free again"
    bob.send([bob.decision(queue[0], "skip")])
    status, answer = post(ana, decided, holding=queue[5:], screen=queue[5], want=5)
    assert status == 200
    assert [each["sample_id"] for each in answer["refused"]] == [queue[0]]
    assert answer["refused"][0]["reason"].startswith("This sample has been decided by another")
    assert sorted(stored(workspace)) == sorted(queue[:5])
    log = "SELECT annotator, detail->>'category' FROM labeling.events WHERE kind = 'refused'"
    assert rows(workspace.database, log) == [("ana", "red")]


ZONE = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from annotating import Annotator, rows
from labeling_core.workspace import Workspace
space = Workspace(Path(sys.argv[1]))
project = space.project("wine")
ana = Annotator(space, project)
ana.send([ana.decision(ana.take(1)[0], "skip")])
((moment, text),) = rows(
    space.database, "SELECT epoch(labeled_at), labeled_at::VARCHAR FROM main.wine_metadata"
)
print(abs(moment - time.time()) < 60, text[-3:], time.tzname[0])
space.close()
"""


def test_times_are_stored_in_utc_wherever_the_server_stands(workspace, project):
    path = workspace.database.path
    workspace.close()
    done = subprocess.run(
        [sys.executable, "-c", ZONE, str(path), str(Path(__file__).parent / "support")],
        capture_output=True, encoding="utf-8", check=True,
        env=os.environ | {"TZ": "Asia/Kolkata", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.stdout.split() == ["True", "+00", "IST"]
