"""Who is shown which sample next: the queue of one project, held in memory.

An image of the tables, rebuilt from them at the first use after a start and changed only
after a commit.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from labeling_core.labeling.counts import Counts
from labeling_core.labeling.pool_order import PoolOrder
from labeling_core.labeling.reservations import Reservation, Reservations
from labeling_core.labeling.sequences import Sequences
from labeling_core.projects.overlap import Overlap, Shared, mix
from labeling_core.settings import Settings


class Queue:
    """What is to be asked (``pool``, and ``overlap`` where several people decide), what is
    reserved, how much is decided (``counts``), and how far each browser has got (``sequences``).

    Here stands what touches several of them: choosing samples, and taking over a decision.
    ``clock`` tells the time in seconds since the epoch.
    """

    def __init__(
        self,
        total: int,
        probe_limit: int,
        probe_share: float,
        seed: int,
        hold_seconds: float,
        settings: Settings | None = None,
    ) -> None:
        """All of ``total`` samples are free; see PoolOrder for ``probe_limit``."""
        self.total, self.seed, self.probe_share = total, seed, probe_share
        self.session_id, self.next_label_id, self.clock = 0, 1, time.time
        self.pool = PoolOrder(total, probe_limit)
        self.overlap = Overlap(settings or Settings(), total)
        self.reservations = Reservations(hold_seconds, self.pool, self.overlap)
        self.counts, self.sequences = Counts(), Sequences()

    def close(self, position: int, sample_id: str, annotator: str) -> None:
        """A sample has been decided: it leaves the pool, and whoever held it."""
        self.pool.closed[position] = True
        self.reservations.decided(position, sample_id, annotator)

    def set_aside(self, position: int, sample_id: str) -> None:
        """A sample turned out to be broken: it leaves the pool; who has it on the screen may
        still decide it."""
        self.reservations.lapse(sample_id)
        known = self.overlap.shared.get(sample_id)
        if known is not None:
            self.counts.further -= known.missing
            self.overlap.keep(replace(known, withdrawn=True))
        elif not self.pool.closed[position]:
            self.counts.aside += 1
            self.counts.further -= self.overlap.needed(position) - 1
        self.pool.closed[position] = True

    def reopen(self, reservation: Reservation) -> None:
        """A decision was taken back: the sample returns to whoever decided it; to the pool only
        if nobody else has decided on it."""
        self.pool.closed[reservation.position] = reservation.sample_id in self.overlap.shared
        until = self.clock() + self.reservations.seconds
        self.reservations.take(reservation._replace(until=until))
        self.pool.rewind()

    def take(
        self, wanted: int, annotator: str, client: str, moment: float, ahead: int = 0
    ) -> list[Reservation]:
        """Reserve up to ``wanted`` samples (sample_id still empty: the caller looks it up).

        ``ahead`` of them have been chosen since reservations were last taken in. Samples that
        somebody has decided already and this person shall decide as well are spread among the
        others.
        """
        shared = self.overlap.take(annotator, self._again(wanted, annotator), self.pool.taken)
        fresh = self._take_fresh(wanted - len(shared), ahead)
        shared += self.overlap.take(annotator, wanted - len(shared) - len(fresh), self.pool.taken)
        until = moment + self.reservations.seconds
        return [
            Reservation(position, "", annotator, client, origin, self.session_id, until)
            for position, origin in mix(fresh, [(each.position, each.origin) for each in shared])
        ]

    def _again(self, wanted: int, annotator: str) -> int:
        """How many of the next samples of this person may be ones that others have decided."""
        if not self.overlap.shared:
            return 0
        own = sum(each.annotator == annotator for each in self.reservations)
        own += self.counts.by_annotator[annotator]
        pace = self.overlap.pace
        return math.floor((own + wanted) * pace) - math.floor(own * pace)

    def _take_fresh(self, wanted: int, ahead: int) -> list[tuple[int, str]]:
        """Position and origin of samples that nobody has decided.

        Every so often one is a probe: within each block of 1/share samples shown, a seeded draw
        says which, so that nobody can tell a probe from a query.
        """
        shared = self.overlap.shared
        again = sum(each.sample_id in shared for each in self.reservations) if shared else 0
        shown = self.counts.begun + len(self.reservations) - again + ahead
        origins = ["probe" if self._is_probe(shown + i) else "query" for i in range(wanted)]
        probes = self.pool.probes(origins.count("probe"))
        queries = self.pool.queries(wanted - len(probes))
        if len(queries) < wanted - len(probes):  # nothing left to train on: measure the rest
            more = wanted - len(queries) - len(probes)
            probes = self.pool.probes(len(probes) + more)
            queries += self.pool.last(wanted - len(queries) - len(probes))
        taken: list[tuple[int, str]] = []
        for origin in origins + ["query"] * wanted:
            if not (probes or queries):
                break
            is_probe = bool(probes) and (origin == "probe" or not queries)
            position = (probes if is_probe else queries).pop(0)
            self.pool.taken[position] = True
            taken.append((position, self.pool.origin(position)))
        return taken

    def keep(self, shared: Shared) -> None:
        """Take over what has been committed about a shared sample."""
        known = self.overlap.shared.get(shared.sample_id)
        if known is not None:
            self.counts.stands(known.standing, -1)
        self.overlap.keep(shared)
        if shared.sample_id in self.overlap.shared:
            self.counts.stands(shared.standing, 1)

    @property
    def version(self) -> int:
        """Rises whenever another order is served; the same after a restart."""
        return 2 * self.session_id + (self.pool.order is not None)

    @property
    def size(self) -> int:
        """How many samples are decided or can be."""
        return self.total - self.counts.aside

    def offered_to(self, annotator: str) -> int:
        """At most how many samples that others have decided this person could be given now; 0 is
        certain."""
        return self.overlap.left_for(annotator, self.pool.taken)

    def set_order(self, order: NDArray[np.int32], session_id: int) -> None:
        """Take over the queue of a new session."""
        self.pool.set_order(order)
        self.session_id = session_id

    def _is_probe(self, shown: int) -> bool:
        if self.pool.probe_limit == 0 or self.probe_share <= 0:
            return False
        period = max(1, round(1 / self.probe_share))
        block, offset = divmod(shown, period)
        return _probe_of_block(self.seed, block, period) == offset


@lru_cache(maxsize=1024)
def _probe_of_block(seed: int, block: int, period: int) -> int:
    """Which of the ``period`` samples shown in a block is the probe, 0..period-1."""
    return int(np.random.default_rng([seed, block]).integers(period))
