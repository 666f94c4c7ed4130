"""What the server remembers of the decks that are open on a project, beside what they hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue


@dataclass
class Decks:
    """The labeling pages of one project; used under the database's lock."""

    screens: dict[Browser, str | None] = field(default_factory=dict)  # the sample that each shows
    heard: dict[Browser, float] = field(default_factory=dict)  # when, by the queue's clock
    seats: dict[Browser, str] = field(default_factory=dict)  # see presence.is_gone
    refilled: float = 0.0  # when they were last given more samples, by the queue's clock


_known: WeakKeyDictionary[Queue, Decks] = WeakKeyDictionary()


def decks_of(queue: Queue) -> Decks:
    """The decks of a project, made at the first use and forgotten together with its queue: they
    say anew with each message what they show."""
    return _known.setdefault(queue, Decks())
