"""The database file is the file: what it lacks is known, and what is taken from it is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

import duckdb
import pytest
from annotating import Annotator, rows

from labeling_core.config import ROOT
from labeling_core.errors import LabelingError
from labeling_core.store.checkpoints import Checkpoints
from labeling_core.store.database import Database, UnavailableError
from labeling_core.store.file_state import log_of
from labeling_core.workspace import Workspace

# On Windows nobody can take a file from a program that has it open.
taken_away = pytest.mark.posix
DECIDED = "SELECT count(*) FROM main.wine_metadata"


@pytest.fixture
def ana(workspace, make_project):
    return Annotator(workspace, make_project(queries_table="", probe_share=0.0))


def decide(ana: Annotator, number: int) -> None:
    ana.send([ana.decision(each, "skip") for each in ana.take(number)])


def copied(path, to) -> int:
    """How many decisions a copy of the one file has."""
    with duckdb.connect(str(shutil.copy(path, to / "copy.duckdb")), read_only=True) as copy:
        return copy.execute(DECIDED).fetchone()[0]


def test_a_copy_of_the_one_file_has_everything_when_nobody_decides(workspace, ana, tmp_path):
    checkpoints = Checkpoints(workspace.database)
    decide(ana, 5)
    assert checkpoints.if_idle(3600)
    assert log_of(workspace.database.path).exists(), "somebody decided just now"
    assert checkpoints.if_idle(0.0)
    assert not log_of(workspace.database.path).exists()
    assert copied(workspace.database.path, tmp_path) == 5
    assert checkpoints.if_idle(0.0), "there is nothing to do"


def test_the_thread_brings_the_file_up_to_date_by_itself(workspace, ana):
    decide(ana, 2)
    checkpoints = Checkpoints(workspace.database)
    checkpoints.start(0.01)
    end = time.monotonic() + 60
    while log_of(workspace.database.path).exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    checkpoints.close()


def test_where_there_is_no_room_it_is_not_tried(workspace, ana, monkeypatch):
    decide(ana, 2)
    full = shutil.disk_usage(workspace.database.path.parent)._replace(free=1000)
    monkeypatch.setattr("labeling_core.store.checkpoints.shutil.disk_usage", lambda _: full)
    assert Checkpoints(workspace.database).now()
    assert log_of(workspace.database.path).exists()


OPEN = """
import sys
from pathlib import Path
from labeling_core.errors import LabelingError
from labeling_core.store.database import Database
try:
    Database(Path(sys.argv[1])).close()
except LabelingError as error:
    print(error)
"""


def opened_elsewhere(path) -> str:
    """Why another process cannot open the file; empty when it can."""
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(path)],
        capture_output=True, encoding="utf-8", cwd=ROOT, check=True,
    ).stdout  # fmt: skip


def test_no_other_process_opens_the_file_whatever_has_happened_to_it(tmp_path):
    path, held = tmp_path / "new.duckdb", "is open in another process"
    database = Database(path)  # made anew: its log begins at once
    assert held in opened_elsewhere(path)
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE t (i INTEGER)")
    assert held in opened_elsewhere(path), "after a transaction"
    database.checkpoint()
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
    assert held in opened_elsewhere(path), "after a checkpoint and a new log"
    with pytest.raises(LabelingError, match=held):
        Database(path)
    assert held in opened_elsewhere(path), "after this process tried to open it once more"
    database._invalid = True  # as after a checkpoint that found no room
    assert rows(database, "SELECT * FROM t") == [(1,)]
    assert held in opened_elsewhere(path), "after it was opened anew"
    database.close()
    assert opened_elsewhere(path) == ""


def test_a_file_copied_without_its_log_is_not_taken_for_the_whole(workspace, ana, tmp_path):
    path, there = workspace.database.path, tmp_path / "there"
    workspace.database.checkpoint()
    decide(ana, 3)
    shutil.copytree(path.parent, there, ignore=shutil.ignore_patterns("there"))
    lone = there / path.name
    log_of(lone).rename(there / "aside")
    with pytest.raises(LabelingError, match=r"lacks what was last written to it.* restore BACKUP"):
        Database(lone)
    (there / "aside").rename(log_of(lone))
    whole = Database(lone)
    assert rows(whole, DECIDED) == [(3,)]
    whole.close()
    Database(lone).close()  # the close has written the file: it needs no log any more


def test_one_may_go_on_without_what_is_lacking(workspace, ana, tmp_path):
    path, there = workspace.database.path, tmp_path / "there"
    workspace.database.checkpoint()
    decide(ana, 3)
    shutil.copytree(path.parent, there, ignore=shutil.ignore_patterns("there", "*.wal"))
    with pytest.raises(LabelingError, match=r"delete .*logged\.$"):
        Database(there / path.name)
    (there / f"{path.name}.files" / "logged").unlink()
    lone = Database(there / path.name)
    assert rows(lone, DECIDED) == [(0,)]
    lone.close()


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("removed", marks=taken_away),
        "cut short",
        pytest.param("removed while something is stored", marks=taken_away),
    ],
)
def test_a_log_taken_from_the_running_program_costs_nothing(workspace, ana, tmp_path, caplog, what):
    log = log_of(workspace.database.path)
    workspace.database.checkpoint()
    decide(ana, 3)
    if what == "removed":
        log.unlink()
    elif what == "cut short":
        os.truncate(log, log.stat().st_size // 2)
    else:
        with workspace.database.transaction() as cursor:
            cursor.execute("CREATE TABLE other AS SELECT 1 AS one")
            log.unlink()
        assert copied(workspace.database.path, tmp_path) == 3
    decide(ana, 2)  # acknowledged: they are where a kill finds them
    assert "was removed or cut short" in caplog.text
    found = tmp_path / "found"
    shutil.copytree(workspace.database.path.parent, found, ignore=shutil.ignore_patterns("found"))
    opened = Database(found / workspace.database.path.name)
    assert rows(opened, DECIDED) == [(5,)]
    opened.close()


@taken_away
def test_a_log_removed_while_nobody_decides_is_noticed(workspace, ana, tmp_path):
    decide(ana, 3)
    log_of(workspace.database.path).unlink()
    assert Checkpoints(workspace.database).if_idle(0.0)
    assert copied(workspace.database.path, tmp_path) == 3


def test_a_log_that_duckdb_ended_itself_is_nothing_to_warn_of(workspace, ana, caplog):
    """Scores are loaded beside the transactions: after many, DuckDB writes the file by itself."""
    decide(ana, 5)
    with workspace.database.read() as cursor:
        cursor.execute("CREATE TABLE labeling_pool.large AS SELECT random() FROM range(3_000_000)")
        cursor.execute("CHECKPOINT")
    assert workspace.database.state.log_lost()
    decide(ana, 5)
    assert "removed" not in caplog.text
    assert Checkpoints(workspace.database).now()
    with workspace.database.read() as cursor:
        assert cursor.execute(DECIDED).fetchone()[0] == 10


def test_nothing_is_stored_in_a_file_that_was_cut_short(workspace, ana):
    path = workspace.database.path
    workspace.database.checkpoint()
    decide(ana, 3)
    before = path.read_bytes(), log_of(path).read_bytes()
    os.truncate(path, 20_000)
    with pytest.raises(UnavailableError, match="has been cut short while the program runs"):
        decide(ana, 1)
    with pytest.raises(UnavailableError):
        workspace.database.require_file()
    workspace.close()
    assert (path.read_bytes(), log_of(path).read_bytes()) == (before[0][:20_000], before[1])
    with pytest.raises(LabelingError, match=r"is damaged .*restore BACKUP"):
        Workspace(path)


@taken_away
def test_another_file_in_its_place_is_left_alone_with_its_log(workspace, ana, tmp_path):
    path = workspace.database.path
    decide(ana, 3)
    for each in (path, log_of(path)):
        each.rename(tmp_path / f"aside-{each.name}")
    path.write_bytes(b"another file")
    log_of(path).write_bytes(b"its log")
    with pytest.raises(UnavailableError, match="moved away or replaced"):
        decide(ana, 1)
    workspace.close()
    assert (path.read_bytes(), log_of(path).read_bytes()) == (b"another file", b"its log")
    aside = Database(tmp_path / f"aside-{path.name}")
    assert rows(aside, DECIDED) == [(3,)]
    aside.close()


@pytest.mark.parametrize(
    ("end", "start", "junk"),
    [("", 8, b"XXXX"), ("", 0, bytes(12_288)), ("", 16, b"\xff" * 200), ("", 4096, b"\xff" * 8192),
     (".wal", 200, b"\xff" * 300)],
)  # fmt: skip
def test_a_damaged_file_or_log_is_told_with_what_brings_it_back(
    workspace, ana, tmp_path, end, start, junk
):
    path = workspace.database.path
    decide(ana, 50)
    there = tmp_path / "there"
    shutil.copytree(path.parent, there, ignore=shutil.ignore_patterns("there"))
    with (there / (path.name + end)).open("rb+") as file:
        file.seek(start)
        file.write(junk)
    with pytest.raises(LabelingError, match=r"is damaged .*python -m labeling_core restore BACKUP"):
        Database(there / path.name)
