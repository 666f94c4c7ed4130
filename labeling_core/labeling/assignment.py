"""Who gets which sample: what is free, and when nothing is, what waits in another browser.

A browser holds many samples ahead, so that labeling goes on without a network. At the end of a
pool, one could hold all that is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue
from labeling_core.labeling.reservations import (
    Reservation,
    drop_old_reservations,
    write_reservations,
)
from labeling_core.projects import samples
from labeling_core.settings import Project
from labeling_core.store.database import Database

KEPT = 4  # the next samples of a browser: they may be on their way to its screen
_FEWEST, _MOST = 4, 16  # at a time; fewer only for somebody who has nothing at all


class Want(NamedTuple):
    """How many samples a browser asks for."""

    annotator: str
    client: str
    number: int

    @property
    def browser(self) -> Browser:
        return Browser(self.annotator, self.client)


class Taken(NamedTuple):
    """A sample reserved for a browser, as its source holds it."""

    reservation: Reservation
    sample: samples.Sample


def hand_out(
    database: Database,
    project: Project,
    queue: Queue,
    wants: Sequence[Want],
    screens: Mapping[Browser, str | None],
) -> list[list[Taken]]:
    """Reserve samples for each of several browsers; no other gets them meanwhile.

    Never more than a quarter of a browser's fair share of what is free; when nothing is, some of
    what waits in the browser that holds most. So the last samples of a pool lock nobody out. One
    look at the sample table serves all: it costs about the same for one sample and for hundreds.
    ``screens`` says what each browser shows.
    """
    if not any(each.number for each in wants):
        return [[] for _ in wants]
    with database.lock:
        moment = queue.clock()
        queue.reservations.lapse_expired(moment)
        browsers = {*queue.reservations.held(), *(each.browser for each in wants)}
        free = queue.pool.free()
        taken: list[list[Reservation]] = []
        for want in wants:
            annotator, client, number = want
            ahead = sum(map(len, taken))
            more = reclaim(queue, want.browser, screens) if number and free <= ahead else 0
            free += more
            fair = max(4, more, (free + queue.offered_to(annotator)) // (4 * len(browsers)))
            taken.append(queue.take(min(number, fair), annotator, client, moment, ahead))
        if not any(taken):
            return [[] for _ in wants]
        with database.transaction() as cursor:
            positions = [each.position for part in taken for each in part]
            rows = samples.read(cursor, project.project_id, positions)
            handed = [[_named(each, rows[each.position]) for each in part] for part in taken]
            drop_old_reservations(cursor, project)
            everything = [each.reservation for part in handed for each in part]
            write_reservations(cursor, project.project_id, everything)
        for reservation in everything:
            queue.reservations.take(reservation)
    return handed


def _named(reservation: Reservation, sample: samples.Sample) -> Taken:
    return Taken(reservation._replace(sample_id=sample.sample_id), sample)


def reclaim(queue: Queue, browser: Browser, screens: Mapping[Browser, str | None]) -> int:
    """Free the last samples of the browser that holds most, so that it and ``browser`` come to hold
    the same, little by little; how many these are.

    The sample on its screen stays, and the first KEPT. Its deck drops the others with its next
    message; one that was decided there meanwhile counts, unless somebody else was quicker.
    """
    held = {**queue.reservations.held()}
    own = len(held.pop(browser, ()))
    if not held:
        return 0
    other, most = max(held.items(), key=lambda each: len(each[1]))
    number = min((len(most) - own) // 2, _MOST)
    if len(most) - number < KEPT or (own and number < _FEWEST):
        return 0
    shown, behind = screens.get(other), [*most][KEPT:]
    wanted = [
        each.sample_id
        for each in map(queue.reservations.get, behind)
        if each is not None
        and each.sample_id != shown
        and queue.reservations.is_wanted(each, browser.annotator)
    ]
    return len(queue.reservations.release(wanted[-number:], other))
