"""Work that a test waits for: sessions, final models; and what must hold afterwards."""

from __future__ import annotations

import time

from annotating import LOCAL

from labeling_core.labeling import queue_loading
from labeling_core.models import final_model


def wait(space, project, seconds=400.0):
    """Until no session of the project runs."""
    end = time.monotonic() + seconds
    while space.loop.trainer.running(project.project_id):
        assert time.monotonic() < end, space.loop.status(project)
        time.sleep(0.02)


def run_session(space, project, **chosen):
    space.loop.start_session(project, "hand", **chosen)
    wait(space, project)
    return space.loop.trainer.status[project.project_id]


def train(space, project):
    final_model.train(space.loop, project, LOCAL)
    wait(space, project)
    assert space.loop.trainer.status[project.project_id].state == "idle"


def check_memory(space, project):
    """The queue in memory says what one read anew from the tables says."""
    held = space.queue(project)
    with space.database.read() as cursor:
        fresh = queue_loading.load(cursor, project, time.time())
    assert (held.labeled, held.skipped) == (fresh.labeled, fresh.skipped)
    assert +held.categories == +fresh.categories
    assert +held.by_annotator == +fresh.by_annotator
    assert (held.closed == fresh.closed).all()
    assert held.next_label_id == fresh.next_label_id
