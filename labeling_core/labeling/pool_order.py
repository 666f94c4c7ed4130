"""Which samples of a pool are free, in the order of asking.

Finding the next k costs the same for a thousand samples and a million.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 4096


class PoolOrder:
    """The positions 0..total-1 of a project: ``closed`` [total] ones are decided, vanished or
    broken, ``taken`` [total] ones are reserved.

    ``order`` holds positions, best first, or is None while no strategy has spoken (then the
    shuffled order of the samples itself serves). Places below ``probe_limit`` are kept for probes.
    Places set ``apart`` [total] teach and measure nothing: they come last. No strategy may ask for
    either of them: they are ``kept`` [total] from it.
    """

    def __init__(self, total: int, probe_limit: int) -> None:
        self.probe_limit = probe_limit
        self.closed = np.zeros(total, bool)
        self.taken = np.zeros(total, bool)
        self.order: NDArray[np.int32] | None = None
        self._places = np.arange(total, dtype=np.int32)
        self.set_apart(np.zeros(total, bool))

    def set_apart(self, apart: NDArray[np.bool_]) -> None:
        """Ask for these positions only when all others are decided."""
        probes = self._places < self.probe_limit
        self.apart, self.kept = apart, probes | apart
        self._probes, self._last = self._places[probes & ~apart], self._places[apart]
        self.rewind()

    def rewind(self) -> None:
        """Look from the first position on again: one that was passed may be free."""
        self._head = self._spare_head = self._probe_head = 0

    def set_order(self, order: NDArray[np.int32]) -> None:
        """Take over the queue of a new session."""
        self.order, self._head = order, 0

    def free(self) -> int:
        """How many positions are neither closed nor taken."""
        return len(self.closed) - int(np.count_nonzero(self.closed | self.taken))

    def origin(self, position: int) -> str:
        """Why the sample there is shown now: as a probe, drawn at random, or as a query."""
        if position < self.probe_limit:
            return "probe"
        return "random" if self.order is None else "query"

    def probes(self, wanted: int) -> list[int]:
        """The next free positions, at most ``wanted``, of those kept for probes."""
        found, self._probe_head = self._free(self._probes, self._probe_head, wanted, False)
        return found

    def last(self, wanted: int) -> list[int]:
        """The next free positions, at most ``wanted``, of those set apart."""
        return self._free(self._last, 0, wanted, False)[0]

    def queries(self, wanted: int) -> list[int]:
        """The next free positions, at most ``wanted``, of all others."""
        found: list[int] = []
        if self.order is not None:
            found, self._head = self._free(self.order, self._head, wanted)
        if len(found) < wanted:  # before the first session, or samples that came after the last
            start = max(self._spare_head, self.probe_limit)
            more, self._spare_head = self._free(self._places, start, wanted + len(found))
            found += [position for position in more if position not in found]
        return found[:wanted]

    def _free(
        self, order: NDArray[np.int32], head: int, wanted: int, asked: bool = True
    ) -> tuple[list[int], int]:
        """The first ``wanted`` free positions of ``order`` from ``head`` on, and the new head; only
        those that a strategy may ask for if they are ``asked``."""
        found: list[int] = []
        start, new_head, unbroken = head, head, True
        while start < len(order) and len(found) < wanted:
            part = order[start : start + _CHUNK]
            open_ = ~(self.closed[part] | self.kept[part]) if asked else ~self.closed[part]
            if unbroken:  # the head may pass whatever is closed for good
                blocked = np.flatnonzero(open_)
                new_head = start + (int(blocked[0]) if len(blocked) else len(part))
                unbroken = not len(blocked)
            found += part[open_ & ~self.taken[part]][: wanted - len(found)].tolist()
            start += _CHUNK
        return found, new_head
