"""How many samples and decisions there are of each kind: the running counts of one project."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """Of samples, as they stand, and of what people did.

    ``labeled``, ``skipped`` and ``categories`` count samples as they stand; ``disputed`` are those
    about which people disagree, and ``aside`` the undecided ones that cannot be shown (any more).
    ``decisions`` counts what people did: by category, skips under None; ``further`` is how many of
    them there are to be beyond one a sample. ``revised`` counts how often decisions of somebody
    were changed on other pages than where they were made.
    """

    labeled: int = 0
    skipped: int = 0
    disputed: int = 0
    aside: int = 0
    further: int = 0
    categories: Counter[str] = field(default_factory=Counter)
    decisions: Counter[str | None] = field(default_factory=Counter)
    by_annotator: Counter[str] = field(default_factory=Counter)
    revised: Counter[str] = field(default_factory=Counter)

    @property
    def begun(self) -> int:
        """How many samples somebody has decided."""
        return self.labeled + self.skipped + self.disputed

    @property
    def classes(self) -> int:
        """How many categories have a label."""
        return sum(number > 0 for number in self.categories.values())

    def stands(self, state: tuple[str, str | None] | None, step: int) -> None:
        """A sample stands like this now (1), or does no longer (-1); None is disputed."""
        if state is None:
            self.disputed += step
        elif state[0] == "LABELED":
            self.labeled += step
            self.categories[str(state[1])] += step
        else:
            self.skipped += step

    def decided(self, annotator: str, category: str | None, step: int = 1) -> None:
        """So many decisions more of somebody; None is a skip."""
        self.by_annotator[annotator] += step
        self.decisions[category] += step

    def corrected(self, before: str, after: str) -> None:
        """A label was changed, not by whoever gave it."""
        for counts in (self.categories, self.decisions):
            counts[before] -= 1
            counts[after] += 1

    def rename(self, old: str, new: str) -> None:
        """A category is called otherwise now, or was merged into another one."""
        self.categories[new] += self.categories.pop(old, 0)
        self.decisions[new] += self.decisions.pop(old, 0)
