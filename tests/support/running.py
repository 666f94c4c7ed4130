"""Work that a test waits for: sessions, final models; and what must hold afterwards."""

from __future__ import annotations

import os
import signal
import time

from annotating import LOCAL

from labeling_core.labeling import queue_loading
from labeling_core.models import final_model


def wait(workspace, project, seconds=1200.0):
    """Until no session of the project runs."""
    end = time.monotonic() + seconds
    while workspace.loop.trainer.running(project.project_id):
        assert time.monotonic() < end, workspace.loop.status(project)
        time.sleep(0.02)


def run_session(workspace, project, **chosen):
    workspace.loop.start_session(project, "hand", **chosen)
    wait(workspace, project)
    return workspace.loop.trainer.status[project.project_id]


def train(workspace, project):
    final_model.train(workspace.loop, project, LOCAL)
    wait(workspace, project)
    assert workspace.loop.trainer.status[project.project_id].state == "idle"


def check_memory(workspace, project):
    """The queue in memory says what one read anew from the tables says."""
    queue = workspace.queue(project)
    with workspace.database.read() as cursor:
        fresh = queue_loading.load(cursor, project, time.time())
    assert (queue.counts.labeled, queue.counts.skipped) == (
        fresh.counts.labeled,
        fresh.counts.skipped,
    )
    assert +queue.counts.categories == +fresh.counts.categories
    assert +queue.counts.by_annotator == +fresh.counts.by_annotator
    assert (queue.pool.closed == fresh.pool.closed).all()
    assert queue.next_label_id == fresh.next_label_id


def kill(child):
    """End a child program from outside, as the system does when memory is short."""
    os.kill(child.pid, signal.SIGKILL)
    while child.running:
        time.sleep(0.01)
