"""Which decisions of each browser are stored: by their numbers, so that each counts once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling_core.labeling.bookkeeping import Decision


@dataclass
class Sequences:
    """The last number stored of each browser.

    ``heard`` holds the browsers heard of since a backup was put back, and is None if none was:
    a backup has forgotten the last decisions of each browser, which takes them for stored.
    """

    last: dict[str, int] = field(default_factory=dict)
    heard: set[str] | None = None

    def stored(self, clients: Iterable[str]) -> dict[str, int]:
        """Up to which number the decisions of these browsers are stored."""
        return {client: self.last.get(client, 0) for client in clients}

    def fresh(self, decisions: Iterable[Decision], last: dict[str, int]) -> list[Decision]:
        """The decisions that follow without a gap on what is stored; ``last`` takes up how far.

        What is known already is passed over, and what comes after a gap waits for the resend;
        after a backup was put back, what is new follows on the gap that it has left.
        """
        found = []
        for each in sorted(decisions, key=lambda d: (d.client, d.seq)):
            before = last.get(each.client, self.last.get(each.client, 0))
            forgot = each.client not in last and self._forgot(each.client)
            if each.seq == before + 1 or (forgot and each.seq > before):
                last[each.client] = each.seq
                found.append(each)
        return found

    def take_over(self, last: dict[str, int]) -> None:
        """These numbers are stored now."""
        self.last.update(last)
        if self.heard is not None:
            self.heard.update(last)

    def _forgot(self, client: str) -> bool:
        return self.heard is not None and client not in self.heard
