"""Who is shown which sample next: the queue of one project, held in memory.

An image of the tables, rebuilt from them at the first use after a start and changed only
after a commit.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.pool_order import PoolOrder
from labeling_core.labeling.reservations import Reservation
from labeling_core.labeling.sequences import Sequences
from labeling_core.projects.overlap import Overlap, Shared, mix
from labeling_core.settings import Settings


@dataclass
class Queue:
    """The pool in the order of asking, what is reserved, and the running counts.

    ``pool`` says which positions are free, ``closed`` [total] is of it; those below ``probe_limit``
    are shown only as probes. ``aside`` counts undecided samples that cannot be shown (any more).

    ``labeled``, ``skipped`` and ``categories`` count samples as they stand; ``disputed`` are those
    about which people disagree. ``decisions`` counts what people did: by category, skips under
    None; ``further`` is how many of them there are to be beyond one a sample. ``revised`` counts
    how often decisions of somebody were changed on other pages than where they were made.
    """

    total: int
    probe_limit: int
    probe_share: float
    seed: int
    hold_seconds: float
    session_id: int = 0
    held: dict[str, Reservation] = field(default_factory=dict)
    lapsed: dict[str, dict[str, Reservation]] = field(default_factory=dict)
    categories: Counter[str] = field(default_factory=Counter)
    labeled: int = 0
    skipped: int = 0
    by_annotator: Counter[str] = field(default_factory=Counter)
    revised: Counter[str] = field(default_factory=Counter)
    aside: int = 0
    next_label_id: int = 1
    sequences: Sequences = field(default_factory=Sequences)
    settings: Settings = field(default_factory=Settings)
    disputed: int = 0
    decisions: Counter[str | None] = field(default_factory=Counter)
    further: int = 0
    clock: Callable[[], float] = time.time
    screens: dict[str, str | None] = field(default_factory=dict)  # what each browser shows
    refilled: float = 0.0  # when decks were last given more samples, by ``clock``
    halting: tuple[dict[str, Any] | None] | None = None  # see halting_news

    def __post_init__(self) -> None:
        self.overlap = Overlap(self.settings, self.total)
        self.pool = PoolOrder(self.total, self.probe_limit)
        self.closed = self.pool.closed

    def restore(self, reservation: Reservation) -> None:
        """Take in a reservation (again); an older one of another annotator lapses."""
        other = self.held.get(reservation.sample_id)
        if other is not None and other.annotator != reservation.annotator:
            self._lapse(other)
        self.held[reservation.sample_id] = reservation
        self.pool.taken[reservation.position] = True

    def close(self, position: int, sample_id: str, annotator: str) -> None:
        """A sample has been decided: it leaves the pool, and unless further people are to decide
        on it nobody holds it any more."""
        self.closed[position] = True
        current = self.held.get(sample_id)
        if not self.overlap.is_open(sample_id):
            self.lapsed.pop(sample_id, None)
        else:
            self.lapsed.get(sample_id, {}).pop(annotator, None)
            if current is not None and current.annotator != annotator:
                return
        self.held.pop(sample_id, None)
        self.pool.taken[position] = False
        self.overlap.offer(sample_id)

    def set_aside(self, position: int, sample_id: str) -> None:
        """A sample turned out to be broken: it leaves the pool; who has it on the screen may
        still decide it."""
        if sample_id in self.held:
            self._lapse(self.held.pop(sample_id))
        known = self.overlap.shared.get(sample_id)
        if known is not None:
            self.further -= known.missing
            self.overlap.keep(replace(known, withdrawn=True))
        elif not self.closed[position]:
            self.aside += 1
            self.further -= self.overlap.needed(position) - 1
        self.closed[position] = True

    def reopen(self, reservation: Reservation) -> None:
        """A decision was taken back: the sample returns to whoever decided it; to the pool only
        if nobody else has decided on it."""
        self.closed[reservation.position] = reservation.sample_id in self.overlap.shared
        self.restore(reservation)
        self.pool.rewind()

    def find(self, sample_id: str, annotator: str) -> Reservation | None:
        """The reservation under which ``annotator`` may decide this sample, lapsed or not."""
        current = self.held.get(sample_id)
        if current is not None and current.annotator == annotator:
            return current
        return self.lapsed.get(sample_id, {}).get(annotator)

    def release(self, sample_ids: list[str], client: str) -> list[str]:
        """Hand back what ``client`` holds of these; the ids really handed back."""
        mine = [each for each in sample_ids if self._holds(each, client)]
        for each in mine:
            self._lapse(self.held.pop(each))
        return mine

    def renew(self, sample_ids: list[str], client: str, moment: float) -> list[str]:
        """Prolong what ``client`` holds; returns the ids that it holds no longer.

        Not before a tenth of the time is over: a message comes with every decision.
        """
        lost = []
        for each in sample_ids:
            current = self.held.get(each)
            if current is None or current.client != client:
                lost.append(each)
            elif current.until - moment < 0.9 * self.hold_seconds:
                self.held[each] = current._replace(until=moment + self.hold_seconds)
        return lost

    def lapse_expired(self, moment: float) -> None:
        """Reservations that have run out at ``moment`` are anybody's."""
        latest = moment + self.hold_seconds  # later than that: the clock has been set back
        for each in [each for each in self.held.values() if not moment <= each.until <= latest]:
            self._lapse(self.held.pop(each.sample_id))

    def is_wanted(self, reservation: Reservation) -> bool:
        """Whether the decision of whom the sample was handed to is (still) wanted."""
        known = self.overlap.shared.get(reservation.sample_id)
        if known is None:
            return not self.closed[reservation.position]
        return known.missing > 0 and reservation.annotator not in known.votes

    def take(
        self, wanted: int, annotator: str, client: str, moment: float, ahead: int = 0
    ) -> list[Reservation]:
        """Reserve up to ``wanted`` samples (sample_id still empty: the caller looks it up).

        ``ahead`` of them have been taken since the last :meth:`restore`. Samples that somebody has
        decided already and this person shall decide as well are spread among the others.
        """
        shared = self.overlap.take(annotator, self._again(wanted, annotator), self.pool.taken)
        fresh = self._take_fresh(wanted - len(shared), ahead)
        shared += self.overlap.take(annotator, wanted - len(shared) - len(fresh), self.pool.taken)
        until = moment + self.hold_seconds
        return [
            Reservation(position, "", annotator, client, origin, self.session_id, until)
            for position, origin in mix(fresh, [(each.position, each.origin) for each in shared])
        ]

    def _again(self, wanted: int, annotator: str) -> int:
        """How many of the next samples of this person may be ones that others have decided."""
        if not self.overlap.shared:
            return 0
        own = sum(each.annotator == annotator for each in self.held.values())
        own += self.by_annotator[annotator]
        pace = self.overlap.pace
        return math.floor((own + wanted) * pace) - math.floor(own * pace)

    def _take_fresh(self, wanted: int, ahead: int) -> list[tuple[int, str]]:
        """Place and origin of samples that nobody has decided.

        Every so often one is a probe: within each block of 1/share samples shown, a seeded draw
        says which, so that nobody can tell a probe from a query.
        """
        shared = self.overlap.shared
        again = sum(each in shared for each in self.held) if shared else 0
        shown = self.labeled + self.skipped + self.disputed + len(self.held) - again + ahead
        origins = ["probe" if self._is_probe(shown + i) else "query" for i in range(wanted)]
        probes = self.pool.probes(origins.count("probe"))
        queries = self.pool.queries(wanted - len(probes))
        if len(queries) < wanted - len(probes):  # nothing left to train on: measure the rest
            more = wanted - len(queries) - len(probes)
            probes = self.pool.probes(len(probes) + more)
        taken: list[tuple[int, str]] = []
        for origin in origins + ["query"] * wanted:
            if not (probes or queries):
                break
            is_probe = bool(probes) and (origin == "probe" or not queries)
            position = (probes if is_probe else queries).pop(0)
            origin = "probe" if is_probe else "random" if self.order is None else "query"
            self.pool.taken[position] = True
            taken.append((position, origin))
        return taken

    def count(self, state: tuple[str, str | None] | None, step: int) -> None:
        """A sample stands like this now (1), or does no longer (-1); None is disputed."""
        if state is None:
            self.disputed += step
        elif state[0] == "LABELED":
            self.labeled += step
            self.categories[str(state[1])] += step
        else:
            self.skipped += step

    def keep(self, shared: Shared) -> None:
        """Take over what has been committed about a shared sample."""
        known = self.overlap.shared.get(shared.sample_id)
        if known is not None:
            self.count(known.standing, -1)
        self.overlap.keep(shared)
        if shared.sample_id in self.overlap.shared:
            self.count(shared.standing, 1)

    @property
    def order(self) -> NDArray[np.int32] | None:
        """The positions in the order of the last session; None before there is any."""
        return self.pool.order

    @property
    def version(self) -> int:
        """Rises whenever another order is served; the same after a restart."""
        return 2 * self.session_id + (self.order is not None)

    @property
    def size(self) -> int:
        """How many samples are decided or can be."""
        return self.total - self.aside

    def free(self) -> int:
        """How many samples are neither decided nor reserved."""
        return self.pool.free()

    def offered_to(self, annotator: str) -> int:
        """At most how many samples that others have decided this person could be given now; 0 is
        certain."""
        return self.overlap.left_for(annotator, self.pool.taken)

    def set_order(self, order: NDArray[np.int32], session_id: int) -> None:
        """Take over the queue of a new session."""
        self.pool.set_order(order)
        self.session_id = session_id

    def _holds(self, sample_id: str, client: str) -> bool:
        current = self.held.get(sample_id)
        return current is not None and current.client == client

    def _lapse(self, reservation: Reservation) -> None:
        self.pool.taken[reservation.position] = False
        self.lapsed.setdefault(reservation.sample_id, {})[reservation.annotator] = reservation
        self.overlap.offer(reservation.sample_id)
        self.pool.rewind()

    def _is_probe(self, shown: int) -> bool:
        if self.probe_limit == 0 or self.probe_share <= 0:
            return False
        period = max(1, round(1 / self.probe_share))
        block, offset = divmod(shown, period)
        return _probe_of_block(self.seed, block, period) == offset


@lru_cache(maxsize=1024)
def _probe_of_block(seed: int, block: int, period: int) -> int:
    """Which of the ``period`` samples shown in a block is the probe, 0..period-1."""
    return int(np.random.default_rng([seed, block]).integers(period))
