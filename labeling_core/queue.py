"""Who is shown which sample next: the queue of one project, held in memory.

An image of the tables, rebuilt from them at the first use after a start and changed only
after a commit. Handing out k samples costs the same for a thousand samples and a million.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core import queries, samples
from labeling_core.database import quote
from labeling_core.settings import Project

_CHUNK = 4096


class Reservation(NamedTuple):
    """A sample handed to one browser; ``until`` is in seconds since the epoch."""

    place: int
    sample_id: str
    annotator: str
    client: str
    origin: str
    session_id: int
    until: float


@dataclass
class Queue:
    """The pool in the order of asking, what is reserved, and the running counts.

    ``order`` holds places, best first, or is None while no strategy has spoken (then the
    shuffled order of the samples itself serves). Places below ``probe_limit`` are shown
    only as probes. ``aside`` counts the undecided samples that cannot be shown (any more).
    """

    total: int
    probe_limit: int
    probe_share: float
    seed: int
    hold_seconds: float
    session_id: int = 0
    order: NDArray[np.int32] | None = None
    head: int = 0
    spare_head: int = 0
    probe_head: int = 0
    closed: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    held: dict[str, Reservation] = field(default_factory=dict)
    lapsed: dict[str, dict[str, Reservation]] = field(default_factory=dict)
    categories: Counter[str] = field(default_factory=Counter)
    labeled: int = 0
    skipped: int = 0
    by_annotator: Counter[str] = field(default_factory=Counter)
    aside: int = 0
    next_label_id: int = 1
    last_seq: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.closed = np.zeros(self.total, bool)  # decided, vanished or broken
        self._taken = np.zeros(self.total, bool)  # reserved
        self._places = np.arange(self.total, dtype=np.int32)

    def restore(self, reservation: Reservation) -> None:
        """Take in a reservation (again); an older one of another annotator lapses."""
        other = self.held.get(reservation.sample_id)
        if other is not None and other.annotator != reservation.annotator:
            self._lapse(other)
        self.held[reservation.sample_id] = reservation
        self._taken[reservation.place] = True

    def close(self, place: int, sample_id: str) -> None:
        """A sample has been decided: it leaves the pool and nobody holds it any more."""
        self.closed[place] = True
        self._taken[place] = False
        self.held.pop(sample_id, None)
        self.lapsed.pop(sample_id, None)

    def set_aside(self, place: int, sample_id: str) -> None:
        """A sample turned out to be broken: it leaves the pool; who has it on the screen may
        still decide it."""
        if sample_id in self.held:
            self._lapse(self.held.pop(sample_id))
        self.aside += not self.closed[place]
        self.closed[place] = True

    def reopen(self, reservation: Reservation) -> None:
        """A decision was taken back: the sample returns to whoever decided it."""
        self.closed[reservation.place] = False
        self.restore(reservation)
        self.head = self.spare_head = self.probe_head = 0

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
        """Prolong what ``client`` holds; returns the ids that it holds no longer."""
        lost = []
        for each in sample_ids:
            if self._holds(each, client):
                self.held[each] = self.held[each]._replace(until=moment + self.hold_seconds)
            else:
                lost.append(each)
        return lost

    def take(self, wanted: int, annotator: str, client: str, moment: float) -> list[Reservation]:
        """Reserve up to ``wanted`` samples (sample_id still empty: the caller looks it up).

        Every so often one is a probe: within each block of 1/share samples shown, a seeded
        draw says which, so that nobody can tell a probe from a query.
        """
        for each in [each for each in self.held.values() if each.until < moment]:
            self._lapse(self.held.pop(each.sample_id))
        shown = self.labeled + self.skipped + len(self.held)
        origins = ["probe" if self._is_probe(shown + i) else "query" for i in range(wanted)]
        probes = self._free_probes(origins.count("probe"))
        queries = self._free_queries(wanted - len(probes))
        if len(queries) < wanted - len(probes):  # nothing left to train on: measure the rest
            more = wanted - len(queries) - len(probes)
            probes = self._free_probes(len(probes) + more)
        taken = []
        for origin in origins + ["query"] * wanted:
            if not (probes or queries):
                break
            is_probe = bool(probes) and (origin == "probe" or not queries)
            place = (probes if is_probe else queries).pop(0)
            origin = "probe" if is_probe else "random" if self.order is None else "query"
            self._taken[place] = True
            until = moment + self.hold_seconds
            taken.append(Reservation(place, "", annotator, client, origin, self.session_id, until))
        return taken

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
        return self.total - int(self.closed.sum()) - len(self.held)

    def set_order(self, order: NDArray[np.int32], session_id: int) -> None:
        """Take over the queue of a new session."""
        self.order, self.session_id = order, session_id
        self.head = 0

    def _holds(self, sample_id: str, client: str) -> bool:
        current = self.held.get(sample_id)
        return current is not None and current.client == client

    def _lapse(self, reservation: Reservation) -> None:
        self._taken[reservation.place] = False
        self.lapsed.setdefault(reservation.sample_id, {})[reservation.annotator] = reservation
        self.head = self.spare_head = self.probe_head = 0

    def _is_probe(self, shown: int) -> bool:
        if self.probe_limit == 0 or self.probe_share <= 0:
            return False
        period = max(1, round(1 / self.probe_share))
        block, offset = divmod(shown, period)
        return int(np.random.default_rng([self.seed, block]).integers(period)) == offset

    def _free_probes(self, wanted: int) -> list[int]:
        places = self._places[: self.probe_limit]
        found, self.probe_head = self._free(places, self.probe_head, wanted)
        return found

    def _free_queries(self, wanted: int) -> list[int]:
        found: list[int] = []
        if self.order is not None:
            found, self.head = self._free(self.order, self.head, wanted, self.probe_limit)
        if len(found) < wanted:  # before the first session, or samples that came after the last
            start = max(self.spare_head, self.probe_limit)
            more, self.spare_head = self._free(self._places, start, wanted + len(found))
            found += [place for place in more if place not in found]
        return found[:wanted]

    def _free(
        self, order: NDArray[np.int32], head: int, wanted: int, least: int = 0
    ) -> tuple[list[int], int]:
        """The first ``wanted`` free places of ``order`` from ``head`` on, and the new head."""
        found: list[int] = []
        start, new_head, unbroken = head, head, True
        while start < len(order) and len(found) < wanted:
            part = order[start : start + _CHUNK]
            open_ = ~self.closed[part] & (part >= least)
            if unbroken:  # the head may pass whatever is closed for good
                blocked = np.flatnonzero(open_)
                new_head = start + (int(blocked[0]) if len(blocked) else len(part))
                unbroken = not len(blocked)
            found += part[open_ & ~self._taken[part]][: wanted - len(found)].tolist()
            start += _CHUNK
        return found, new_head


def load(cursor: duckdb.DuckDBPyConnection, project: Project, moment: float) -> Queue:
    """Rebuild the queue of a project from its tables; ``moment`` in seconds since the epoch."""
    settings = project.settings
    queue = Queue(
        total=project.samples,
        probe_limit=0 if settings.test_table else project.probe_limit,
        probe_share=0.0 if settings.test_table else settings.probe_share,
        seed=settings.seed,
        hold_seconds=30.0 * max(settings.every, 20),
    )
    _load_decisions(cursor, project, queue)
    _load_order(cursor, project, queue)
    rows = cursor.execute(
        "SELECT place, sample_id, annotator, client, origin, session_id "
        "FROM labeling.reservations WHERE project_id = ? ORDER BY until",
        [project.project_id],
    ).fetchall()
    for place, sample_id, annotator, client, origin, session_id in rows:
        if not queue.closed[place]:
            until = moment + queue.hold_seconds
            queue.restore(
                Reservation(place, sample_id, annotator, client, origin, session_id, until)
            )
    clients = cursor.execute(
        "SELECT client, max(seq) FROM labeling.events WHERE project_id = ? GROUP BY client",
        [project.project_id],
    ).fetchall()
    queue.last_seq = dict(clients)
    return queue


def _load_decisions(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> None:
    settings, table = project.settings, samples.table(project.project_id)
    metadata, label = f"main.{quote(settings.metadata_table)}", quote(settings.label_column)
    found = cursor.execute(
        f"SELECT {samples.PLACE} AS place, "
        f"{samples.SAMPLE_ID} IN (SELECT sample_id FROM {metadata}) AS decided FROM {table} "
        f"WHERE decided OR NOT {samples.PRESENT} OR {samples.SAMPLE_ID} IN "
        "(SELECT sample_id FROM labeling.broken WHERE project_id = ?)",
        [project.project_id],
    ).fetchnumpy()
    queue.closed[np.asarray(found["place"], dtype=np.int64)] = True
    queue.aside = int((~np.asarray(found["decided"], dtype=bool)).sum())
    rows = cursor.execute(
        f"SELECT status, {label}, annotator, count(*) FROM {metadata} GROUP BY ALL"
    ).fetchall()
    for status, name, annotator, number in rows:
        queue.by_annotator[annotator] += number
        if status == "LABELED":
            queue.labeled += number
            queue.categories[name] += number
        else:
            queue.skipped += number
    row = cursor.execute(
        f"SELECT greatest((SELECT coalesce(max({quote(settings.label_id_column)}), 0) "
        f"FROM {metadata}), (SELECT coalesce(max(label_id), 0) FROM labeling.events "
        "WHERE project_id = ?))",
        [project.project_id],
    ).fetchone()
    queue.next_label_id = int(row[0]) + 1 if row else 1


def _load_order(cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue) -> None:
    row = cursor.execute(
        "SELECT max(session_id) FROM labeling.sessions WHERE project_id = ? AND state = 'DONE'",
        [project.project_id],
    ).fetchone()
    if not project.settings.queries_table:
        return
    places = cursor.execute(
        f"SELECT place FROM {queries.table(project.project_id)} ORDER BY rank"
    ).fetchnumpy()["place"]
    session_id = int(row[0]) if row and row[0] else 0
    if session_id or len(places):
        queue.set_order(np.asarray(places, dtype=np.int32), session_id)
