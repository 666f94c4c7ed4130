"""Handing out: probes at their share, the order of asking, and nothing twice."""

from __future__ import annotations

import numpy as np

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue


def make(total=1000, probe_limit=100, probe_share=0.1, **more):
    return Queue(total, probe_limit, probe_share, seed=3, hold_seconds=600.0, **more)


def take(queue, wanted, client="c", moment=0.0):
    """Take and keep, as assignment.hand_out does."""
    queue.reservations.lapse_expired(moment)
    taken = [
        each._replace(sample_id=str(each.position))
        for each in queue.take(wanted, "ana", client, moment)
    ]
    for each in taken:
        queue.reservations.take(each)
    return taken


def test_every_block_of_ten_shown_holds_one_probe_at_an_unforeseeable_place():
    queue = make()
    origins = [each.origin for each in take(queue, 200)]
    offsets = [origins[i : i + 10].index("probe") for i in range(0, 200, 10)]
    assert [origins[i : i + 10].count("probe") for i in range(0, 200, 10)] == [1] * 20
    assert len(set(offsets)) > 3


def test_probes_come_from_the_front_of_the_shuffle_and_queries_never_do():
    queue = make()
    queue.set_order(np.arange(999, -1, -1, dtype=np.int32), 1)
    taken = take(queue, 100)
    assert [each.position for each in taken if each.origin == "probe"] == list(range(10))
    assert [each.position for each in taken if each.origin == "query"] == list(range(999, 909, -1))


def test_when_all_else_is_decided_the_probes_are_shown_too():
    queue = make(total=20, probe_limit=10)
    assert len(take(queue, 50)) == 20
    assert take(queue, 1) == []


def test_an_expired_reservation_goes_to_the_next_who_asks():
    queue = make(total=5, probe_limit=0, probe_share=0)
    first = take(queue, 5)
    assert take(queue, 5, "d", moment=599) == []
    again = take(queue, 5, "d", moment=601)
    assert {each.position for each in again} == {each.position for each in first}
    assert queue.reservations.find("0", "ana") is not None


def test_samples_that_came_after_the_last_session_are_served_behind_its_queue():
    queue = make(total=10, probe_limit=0, probe_share=0)
    queue.set_order(np.array([3, 1], dtype=np.int32), 1)
    assert [each.position for each in take(queue, 4)] == [3, 1, 0, 2]


def test_renewing_tells_what_is_held_no_longer():
    queue = make()
    loaded = [each.sample_id for each in take(queue, 2)]
    assert queue.reservations.renew([*loaded, "999"], Browser("ana", "c"), 100.0) == ["999"]
    assert queue.reservations.get(loaded[0]).until == 700.0
