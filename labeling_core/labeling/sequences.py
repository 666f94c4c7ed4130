"""Which decisions of each browser are stored: by their numbers, so that each counts once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from labeling_core.labeling.bookkeeping import Decision
from labeling_core.labeling.browsers import Browser


@dataclass
class Sequences:
    """The last number stored of each browser.

    ``heard`` holds the browsers heard of since a backup was put back, and is None if none was:
    a backup has forgotten the last decisions of each browser, which takes them for stored.
    """

    last: dict[Browser, int] = field(default_factory=dict)
    heard: set[Browser] | None = None

    def stored(self, annotator: str, clients: Iterable[str]) -> dict[str, int]:
        """Up to which number the decisions of a person's browsers are stored."""
        return {client: self.last.get(Browser(annotator, client), 0) for client in clients}

    def fresh(
        self, annotator: str, decisions: Iterable[Decision], last: dict[Browser, int]
    ) -> list[Decision]:
        """A person's decisions that follow without a gap on what is stored; ``last`` takes up
        how far.

        What is known already is passed over, and what comes after a gap waits for the resend;
        after a backup was put back, what is new follows on the gap that it has left.
        """
        found = []
        for each in sorted(decisions, key=lambda d: (d.client, d.seq)):
            browser = Browser(annotator, each.client)
            before = last.get(browser, self.last.get(browser, 0))
            forgot = browser not in last and self._forgot(browser)
            if each.seq == before + 1 or (forgot and each.seq > before):
                last[browser] = each.seq
                found.append(each)
        return found

    def take_over(self, last: dict[Browser, int]) -> None:
        """These numbers are stored now."""
        self.last.update(last)
        if self.heard is not None:
            self.heard.update(last)

    def _forgot(self, browser: Browser) -> bool:
        return self.heard is not None and browser not in self.heard
