"""A job that never ends or eats memory ends with a sentence, and labeling goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from annotating import rows
from running import run_session

from labeling_core.errors import LabelingError
from labeling_core.sessions.worker_client import Worker, held

# Jobs that a worker gets besides its own: __main__ is labeling_core.sessions.worker there.
MISBEHAVING = """
import os
import time
import __main__
import numpy as np

os.write(1, b"what a C library prints when it is loaded\\n")

def sleep(job, progress):
    time.sleep(3600)

def eat(job, progress):
    return {"bytes": np.ones(job["megabytes"] * 2**17).nbytes}

def print_below(job, progress):
    os.write(1, b"what a C library prints\\n")
    return {}

def hoard(job, progress):
    kept.append(np.ones(job["megabytes"] * 2**17))
    return {"pid": os.getpid()}

kept = []

def garble(job, progress):
    progress.__closure__[0].cell_contents.write(job["line"] + "\\n")
    time.sleep(3600)

kinds = ("sleep", "eat", "hoard", "print_below", "garble")
__main__.JOBS |= {kind: f"misbehaving:{kind}" for kind in kinds}
"""


@pytest.fixture
def worker(tmp_path, monkeypatch):
    (tmp_path / "misbehaving.py").write_text(MISBEHAVING, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = Worker(imports=("misbehaving",))
    yield worker
    worker.stop()


def ignore(text, share):
    pass


def test_a_job_that_never_ends_is_ended_with_a_sentence_and_the_next_runs(worker, monkeypatch):
    monkeypatch.setenv("LABELING_TRAINING_SECONDS", "1")
    with pytest.raises(LabelingError, match="ended after 1 seconds"):
        worker.run({"kind": "sleep"}, ignore)
    monkeypatch.delenv("LABELING_TRAINING_SECONDS")
    assert worker.run({"kind": "eat", "megabytes": 1}, ignore) == {"bytes": 2**20}


def test_what_a_library_writes_to_the_workers_output_is_no_answer(worker):
    assert worker.run({"kind": "print_below"}, ignore) == {}
    assert worker.run({"kind": "eat", "megabytes": 1}, ignore) == {"bytes": 2**20}


@pytest.mark.parametrize("line", ["no JSON", "[12]"])
def test_an_answer_that_cannot_be_read_ends_the_worker_and_the_next_job_runs(worker, line):
    with pytest.raises(LabelingError, match="the next session starts a new one"):
        worker.run({"kind": "garble", "line": line}, ignore)
    assert worker.run({"kind": "eat", "megabytes": 1}, ignore) == {"bytes": 2**20}


def test_a_job_that_eats_memory_ends_with_a_sentence_and_the_worker_lives_on(worker, monkeypatch):
    monkeypatch.setenv("LABELING_TRAINING_MEMORY", "700")
    process = worker.start()
    with pytest.raises(LabelingError, match="ran out of memory"):
        worker.run({"kind": "eat", "megabytes": 800}, ignore)
    assert worker.run({"kind": "eat", "megabytes": 10}, ignore) == {"bytes": 10 * 2**20}
    assert worker.start() is process


def test_a_worker_that_keeps_much_is_replaced_after_its_job(worker, monkeypatch):
    monkeypatch.setenv("LABELING_WORKER_MEMORY", "400")
    pids, most = [], 0.0
    for _ in range(9):
        pids.append(worker.run({"kind": "hoard", "megabytes": 100}, ignore)["pid"])
        most = max(most, held(worker.start().pid))
    assert len(set(pids)) >= 3
    assert most <= 400


def test_a_worker_that_keeps_little_stays(worker):
    pids = {worker.run({"kind": "hoard", "megabytes": 1}, ignore)["pid"] for _ in range(5)}
    assert len(pids) == 1


def test_the_process_that_reads_files_ends_however_its_job_ends(workspace):
    reader = workspace.loop.reader
    pids = []

    def read(worker, progress):
        pids.append(worker.start().pid)
        raise LabelingError("It could not be read.")

    reader.submit("wine", read)
    while reader.running("wine"):
        time.sleep(0.01)
    assert reader.outcomes["wine", ""].state == "failed"
    assert not Path(f"/proc/{pids[0]}").exists()


def test_a_session_over_its_memory_fails_with_a_reason_and_labels_come_in(
    workspace, make_project, annotator, monkeypatch
):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(40)
    workspace.loop.trainer.worker.pause()
    monkeypatch.setenv("LABELING_TRAINING_MEMORY", "60")
    run_session(workspace, project)
    state, reason = rows(workspace.database, "SELECT state, reason FROM labeling.sessions")[0]
    assert state == "FAILED"
    assert "memory" in reason
    assert ana.label_truly(10)
    monkeypatch.delenv("LABELING_TRAINING_MEMORY")
    workspace.loop.trainer.worker.pause()
    run_session(workspace, project)
    assert rows(workspace.database, "SELECT state FROM labeling.sessions")[-1] == ("DONE",)


@pytest.mark.parametrize("told", ["much", "-1", "0", "nan", "inf"])
def test_a_limit_that_is_no_number_is_told(told, worker, monkeypatch):
    monkeypatch.setenv("LABELING_TRAINING_SECONDS", told)
    with pytest.raises(LabelingError, match="LABELING_TRAINING_SECONDS"):
        worker.run({"kind": "sleep"}, ignore)
