"""Samples that several people decide: which ones, and what becomes of their decisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from labeling_core.settings import Settings

FINAL_LABELS = {
    "majority": "what most of them chose",
    "adjudicator": "what they agree on; an adjudicator decides the rest",
}
MOST_PEOPLE = 50  # for one sample
# In place of a reason to be shown: the row of the metadata table that settles a disagreement.
ADJUDICATION = "adjudication"


def mistakes(settings: Settings) -> list[tuple[str, str]]:
    """(field, sentence) for what cannot be meant."""
    found = []
    if not 0 <= settings.overlap_share <= 1:
        found.append(("overlap_share", "The share of samples lies between 0 and 100 %."))
    if settings.overlap_people < 2:
        found.append(("overlap_people", "Several people are at least two: enter 2 or more."))
    elif settings.overlap_people > MOST_PEOPLE:
        found.append(("overlap_people", f"Enter at most {MOST_PEOPLE} people for each sample."))
    if settings.final_label not in FINAL_LABELS:
        found.append(("final_label", f"“{settings.final_label}” is no rule on offer."))
    return found


def chosen(settings: Settings, total: int) -> NDArray[np.bool_]:
    """For the positions 0..total-1: whether several people decide the sample there.

    By a seeded hash of the position (splitmix64; G. L. Steele, D. Lea, C. H. Flood, OOPSLA 2014):
    the same for everybody, whatever the strategy, and a larger share keeps those of a smaller.
    """
    if settings.overlap_share <= 0:
        return np.zeros(total, bool)
    step = np.uint64(0x9E3779B97F4A7C15)
    z = (np.arange(1, total + 1, dtype=np.uint64) + np.uint64(settings.seed % 2**63) * step) * step
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(float) / 2**53 < settings.overlap_share


class Vote(NamedTuple):
    """One person's decision on a sample: ``status`` LABELED or SKIPPED, as in the tables."""

    label_id: int
    annotator: str
    status: str
    category: str | None


@dataclass(frozen=True)
class Shared:
    """A sample for several people, with the decisions on it so far.

    It is complete with ``needed`` votes. ``ruling`` is the adjudicator's decision, ``origin`` why
    the sample was shown first, and ``withdrawn`` says that it cannot be shown any more.
    """

    position: int
    sample_id: str
    origin: str
    needed: int
    rule: str
    votes: dict[str, Vote] = field(default_factory=dict)
    ruling: Vote | None = None
    withdrawn: bool = False

    @property
    def missing(self) -> int:
        """How many more people are to decide."""
        done = self.withdrawn or self.ruling is not None
        return 0 if done else max(self.needed - len(self.votes), 0)

    @property
    def final(self) -> Vote | None:
        """The decision that holds: the adjudicator's, or the first of those that the rule
        chooses; None while votes are missing or people disagree. A skip is no vote."""
        if self.ruling is not None or len(self.votes) < self.needed:
            return self.ruling
        (_, most), *others = self._tally() or [("", 0)]
        if not most or (others and (self.rule == "adjudicator" or others[0][1] == most)):
            return None
        leading = self._tally()[0][0]
        return min(each for each in self.votes.values() if each.category == leading)

    @property
    def standing(self) -> tuple[str, str | None] | None:
        """How the sample counts, as (status, category): by its final label; until that is known
        by what all votes so far have in common. None when they contradict each other."""
        final, tally = self.final, self._tally()
        if final is not None:
            return final.status, final.category
        if len(tally) > 1 or not self.votes:
            return None
        return ("LABELED", tally[0][0]) if tally else ("SKIPPED", None)

    @property
    def is_disputed(self) -> bool:
        """Whether it waits for an adjudicator: everybody has decided, and nothing follows."""
        return len(self.votes) >= self.needed and self.final is None and len(self._tally()) > 1

    def voted(self, annotator: str, vote: Vote | None) -> Shared:
        """The sample with another decision of this person, or with none."""
        votes = {name: each for name, each in self.votes.items() if name != annotator}
        return replace(self, votes=votes if vote is None else votes | {annotator: vote})

    def has_others(self, annotator: str) -> bool:
        """Whether anybody but this person has decided on the sample."""
        return self.ruling is not None or bool(self.votes.keys() - {annotator})

    def _tally(self) -> list[tuple[str, int]]:
        labels = (each.category for each in self.votes.values() if each.category is not None)
        return Counter(labels).most_common()


class Overlap:
    """The shared samples of one project, and who is to see which of them next."""

    def __init__(self, settings: Settings, total: int) -> None:
        self.chosen = chosen(settings, total)
        self._settings = settings
        self.shared: dict[str, Shared] = {}  # those with a decision, by sample_id
        # Whatever becomes free for a further person is appended; each person reads on from
        # where they were, so that nobody looks at the same entry twice.
        self._offers: list[str] = []
        self._read: Counter[str] = Counter()

    @property
    def used(self) -> bool:
        """Whether some samples are decided by several people: decisions are no samples then."""
        return self._settings.overlap_share > 0 or bool(self.shared)

    @property
    def pace(self) -> float:
        """The share of open shared samples among those handed out, as long as there are some:
        half of them, or as many as it takes for their number not to grow."""
        extra = self._settings.overlap_share * (self._settings.overlap_people - 1)
        return max(0.5, extra / (1 + extra))

    def find(self, position: int, sample_id: str, origin: str) -> Shared | None:
        """The shared sample of that id, a new one where none has decided yet; None if one
        person is enough for it."""
        known = self.shared.get(sample_id)
        if known is not None or not self.chosen[position]:
            return known
        return self.make(position, sample_id, origin)

    def needed(self, position: int) -> int:
        """How many people are to decide on the sample at a position."""
        return self._settings.overlap_people if self.chosen[position] else 1

    def make(self, position: int, sample_id: str, origin: str) -> Shared:
        """A shared sample without votes."""
        return Shared(
            position, sample_id, origin, self.needed(position), self._settings.final_label
        )

    def keep(self, shared: Shared) -> None:
        """Take in what has been decided about a sample (or forget it when nothing is left)."""
        if shared.votes or shared.ruling is not None:
            self.shared[shared.sample_id] = shared
        else:
            self.shared.pop(shared.sample_id, None)

    def is_open(self, sample_id: str) -> bool:
        """Whether a sample that somebody has decided waits for one more person."""
        known = self.shared.get(sample_id)
        return known is not None and known.missing > 0

    def offer(self, sample_id: str) -> None:
        """Nobody holds the sample any more: if it is open, it is there for the next person."""
        if self.is_open(sample_id):
            self._offers.append(sample_id)

    def take(self, annotator: str, wanted: int, taken: NDArray[np.bool_]) -> list[Shared]:
        """Up to ``wanted`` open samples that this person has not decided, the oldest offer
        first; they are marked in ``taken`` (by position), and what is marked is not given."""
        found: list[Shared] = []
        while len(found) < wanted:
            known = self._next(annotator, taken)
            if known is None:
                break
            taken[known.position] = True
            found.append(known)
        return found

    def left_for(self, annotator: str, taken: NDArray[np.bool_]) -> int:
        """At most how many samples :meth:`take` has for this person; 0 is certain."""
        if self._next(annotator, taken) is None:
            return 0
        return len(self._offers) - self._read[annotator]

    def _next(self, annotator: str, taken: NDArray[np.bool_]) -> Shared | None:
        """The next sample on offer for this person, who has read on up to it."""
        while self._read[annotator] < len(self._offers):
            known = self.shared.get(self._offers[self._read[annotator]])
            wanted = known is not None and known.missing and annotator not in known.votes
            if known is not None and wanted and not taken[known.position]:
                return known
            self._read[annotator] += 1
        return None

    def untouched(self, closed: NDArray[np.bool_]) -> int:
        """How many decisions, beyond one each, the samples still need that none has decided."""
        return (self._settings.overlap_people - 1) * int((self.chosen & ~closed).sum())


def mix(one: Sequence[tuple[int, str]], other: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Both in their order, each spread evenly over the whole."""
    spread = [((i + 1) / (len(part) + 1), each) for part in (one, other)
              for i, each in enumerate(part)]  # fmt: skip
    return [each for _, each in sorted(spread, key=lambda placed: placed[0])]
