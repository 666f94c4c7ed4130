"""Who holds which sample until when: in memory, and in the database, so that a restart does not
forget it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import duckdb

from labeling_core.access.tokens import LIFETIME
from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.pool_order import PoolOrder
from labeling_core.projects.overlap import Overlap
from labeling_core.settings import Project


class Reservation(NamedTuple):
    """A sample handed to one browser; ``until`` is in seconds since the epoch."""

    position: int
    sample_id: str
    annotator: str
    client: str
    origin: str
    session_id: int
    until: float

    @property
    def browser(self) -> Browser:
        return Browser(self.annotator, self.client)


class Reservations:
    """The reservations of one project.

    A sample is with one browser at a time. Whose reservation has lapsed may still decide on the
    sample, or have it again, as long as that is wanted.
    """

    def __init__(self, seconds: float, pool: PoolOrder, overlap: Overlap) -> None:
        """None yet; each lasts for ``seconds``."""
        self.seconds = seconds
        self._pool, self._overlap = pool, overlap
        self._current: dict[str, Reservation] = {}  # by sample_id
        self._held: dict[Browser, dict[str, None]] = {}  # the sample_ids of each browser, in order
        self._lapsed: dict[str, dict[str, Reservation]] = {}  # by sample_id and annotator

    def __iter__(self) -> Iterator[Reservation]:
        """Those that hold now, the oldest first."""
        return iter(self._current.values())

    def __len__(self) -> int:
        return len(self._current)

    def held(self) -> Mapping[Browser, Collection[str]]:
        """The sample_ids that each browser holds which holds any, the oldest first."""
        return self._held

    def get(self, sample_id: str) -> Reservation | None:
        """Who holds a sample now."""
        return self._current.get(sample_id)

    def find(self, sample_id: str, annotator: str) -> Reservation | None:
        """The reservation under which ``annotator`` may decide this sample, lapsed or not."""
        current = self._current.get(sample_id)
        if current is not None and current.annotator == annotator:
            return current
        return self._lapsed.get(sample_id, {}).get(annotator)

    def is_wanted(self, reservation: Reservation, annotator: str) -> bool:
        """Whether a decision of ``annotator`` on that sample is (still) wanted."""
        known = self._overlap.shared.get(reservation.sample_id)
        if known is None:
            return not self._pool.closed[reservation.position]
        return known.missing > 0 and annotator not in known.votes

    def take(self, reservation: Reservation) -> None:
        """Take in a reservation (again); an older one of another annotator lapses."""
        other = self._current.get(reservation.sample_id)
        if other is not None and other.annotator != reservation.annotator:
            self._lapse(other)
        self._drop(reservation.sample_id)
        self._current[reservation.sample_id] = reservation
        self._held.setdefault(reservation.browser, {})[reservation.sample_id] = None
        self._pool.taken[reservation.position] = True

    def renew(self, sample_ids: Iterable[str], browser: Browser, moment: float) -> list[str]:
        """Prolong what ``browser`` holds; returns the ids that it holds no longer.

        Not before a tenth of the time is over: a message comes with every decision.
        """
        lost = []
        for each in sample_ids:
            current = self._current.get(each)
            if current is None or current.browser != browser:
                lost.append(each)
            elif current.until - moment < 0.9 * self.seconds:
                self._current[each] = current._replace(until=moment + self.seconds)
        return lost

    def release(self, sample_ids: Iterable[str], browser: Browser) -> list[str]:
        """Hand back what ``browser`` holds of these; the ids really handed back."""
        mine = [each for each in sample_ids if self._holds(each, browser)]
        for each in mine:
            self.lapse(each)
        return mine

    def regain(self, sample_id: str, annotator: str, client: str, moment: float) -> bool:
        """Give a lapsed reservation back to its browser, if nobody else has the sample."""
        known = self.find(sample_id, annotator)
        if known is None or sample_id in self._current or not self.is_wanted(known, annotator):
            return False
        self.take(known._replace(client=client, until=moment + self.seconds))
        return True

    def lapse_expired(self, moment: float) -> None:
        """Reservations that have run out at ``moment`` are anybody's."""
        latest = moment + self.seconds  # later than that: the clock has been set back
        for each in [each for each in self if not moment <= each.until <= latest]:
            self.lapse(each.sample_id)

    def decided(self, position: int, sample_id: str, annotator: str) -> None:
        """Somebody has decided a sample: unless further people are to decide on it, nobody holds
        it any more, and else not they."""
        current = self._current.get(sample_id)
        if not self._overlap.is_open(sample_id):
            self._lapsed.pop(sample_id, None)
        else:
            self._lapsed.get(sample_id, {}).pop(annotator, None)
            if current is not None and current.annotator != annotator:
                return
        self._drop(sample_id)
        self._pool.taken[position] = False
        self._overlap.offer(sample_id)

    def lapse(self, sample_id: str) -> None:
        """Nobody is to hold the sample any more; who has it on the screen may still decide it."""
        if (dropped := self._drop(sample_id)) is not None:
            self._lapse(dropped)

    def _drop(self, sample_id: str) -> Reservation | None:
        dropped = self._current.pop(sample_id, None)
        if dropped is not None:
            ids = self._held[dropped.browser]
            del ids[sample_id]
            if not ids:
                del self._held[dropped.browser]
        return dropped

    def _holds(self, sample_id: str, browser: Browser) -> bool:
        current = self._current.get(sample_id)
        return current is not None and current.browser == browser

    def _lapse(self, reservation: Reservation) -> None:
        self._pool.taken[reservation.position] = False
        self._lapsed.setdefault(reservation.sample_id, {})[reservation.annotator] = reservation
        self._overlap.offer(reservation.sample_id)
        self._pool.rewind()


def write_reservations(
    cursor: duckdb.DuckDBPyConnection, project_id: str, taken: list[Reservation]
) -> None:
    """Keep reservations, so that they survive a restart; of a sample and a person, the last."""
    cursor.execute(
        "DELETE FROM labeling.reservations WHERE project_id = ? AND (sample_id, annotator) IN "
        "(SELECT (unnest(?::VARCHAR[]), unnest(?::VARCHAR[])))",
        [
            project_id,
            [each.sample_id for each in taken],
            [each.annotator for each in taken],
        ],
    )
    cursor.execute(
        "INSERT INTO labeling.reservations SELECT ?, unnest(?::INTEGER[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::INTEGER[]), to_timestamp(unnest(?::DOUBLE[]))",
        [
            project_id,
            [each.position for each in taken],
            [each.sample_id for each in taken],
            [each.annotator for each in taken],
            [each.client for each in taken],
            [each.origin for each in taken],
            [each.session_id for each in taken],
            [each.until for each in taken],
        ],
    )


def drop_old_reservations(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Forget reservations of samples that are decided by now, and of browsers that left
    without a word so long ago that their token is no longer good for a decision.

    Done when samples are handed out and not with every decision: until then they do no harm. A
    sample for several people may be decided by one and still be reserved for another.
    """
    decided = "(sample_id, annotator)" if project.settings.overlap_share else "sample_id"
    cursor.execute(
        "DELETE FROM labeling.reservations WHERE project_id = ? AND (until < to_timestamp(?) "
        f"OR {decided} IN (SELECT {decided} FROM {project.tables.metadata}))",
        [project.project_id, time.time() - LIFETIME],
    )
