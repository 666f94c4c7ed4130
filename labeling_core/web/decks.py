"""What the server remembers of the decks that are open on a project, beside what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue

MOST = 1_000  # decks of a project that are remembered: years bring ever new ones


@dataclass
class Decks:
    """The labeling pages of one project; used under the database's lock."""

    screens: dict[Browser, str | None] = field(default_factory=dict)  # the sample that each shows
    heard: dict[Browser, float] = field(default_factory=dict)  # when, by the queue's clock
    seats: dict[Browser, str] = field(default_factory=dict)  # see presence.is_gone
    refilled: float = 0.0  # when they were last given more samples, by the queue's clock

    def hear(self, browser: Browser, now: float, seat: str) -> None:
        """A deck has said something; the one that was silent for longest is forgotten for it where
        there are too many, whose next message tells all of it again."""
        self.heard.pop(browser, None)  # so that the order is the one in which they were heard
        self.heard[browser], self.seats[browser] = now, seat
        while len(self.heard) > MOST:
            oldest = next(iter(self.heard))
            for known in (self.heard, self.seats, self.screens):
                known.pop(oldest, None)


_known: WeakKeyDictionary[Queue, Decks] = WeakKeyDictionary()


def decks_of(queue: Queue) -> Decks:
    """The decks of a project, made at the first use and forgotten together with its queue: they
    say anew with each message what they show."""
    return _known.setdefault(queue, Decks())
