"""When nothing is free: samples that wait in somebody's browser go to whoever has less to do.

A browser holds many samples ahead, so that labeling goes on without a network. At the end of a
pool, one could hold all that is left.
"""

from __future__ import annotations

from labeling_core.queue import Queue
from labeling_core.reservations import Reservation

KEPT = 4  # the next samples of a browser: they may be on their way to its screen
_FEWEST, _MOST = 4, 16  # at a time; fewer only for somebody who has nothing at all


def reclaim(queue: Queue, annotator: str, client: str) -> int:
    """Free the last samples of the browser that holds most, so that it and ``client`` come to hold
    the same, little by little; how many these are.

    The sample on its screen stays, and the first KEPT. Its deck drops the others with its next
    message; one that was decided there meanwhile counts, unless somebody else was quicker.
    """
    held: dict[str, list[Reservation]] = {}
    for each in queue.held.values():
        held.setdefault(each.client, []).append(each)
    own = len(held.pop(client, []))
    if not held:
        return 0
    most = max(held.values(), key=len)
    number = min((len(most) - own) // 2, _MOST)
    if len(most) - number < KEPT or (own and number < _FEWEST):
        return 0
    shown = queue.screens.get(most[0].client)
    wanted = [
        each.sample_id
        for each in most[KEPT:]
        if each.sample_id != shown and queue.is_wanted(each._replace(annotator=annotator))
    ]
    return len(queue.release(wanted[-number:], most[0].client))
