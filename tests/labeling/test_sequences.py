"""By the numbers of a browser each decision counts once, also after a backup was put back."""

from __future__ import annotations

from labeling_core.labeling.bookkeeping import Decision
from labeling_core.labeling.sequences import Sequences


def fresh(known, *numbers, client="c"):
    last = {}
    found = known.fresh([Decision(client, each, "1", "skip") for each in numbers], last)
    return [each.seq for each in found], last


def test_only_what_follows_without_a_gap_is_fresh():
    known = Sequences({"c": 2})
    assert fresh(known, 5, 3, 2, 1, 4, 7) == ([3, 4, 5], {"c": 5})
    assert fresh(known, 4) == ([], {})
    assert fresh(known, 1, client="new") == ([1], {"new": 1})
    assert known.stored(["c", "new"]) == {"c": 2, "new": 0}


def test_after_a_backup_was_put_back_a_browser_goes_on_behind_the_gap_once():
    known = Sequences({"c": 2}, heard=set())
    assert fresh(known, 2, 6, 7, 9) == ([6, 7], {"c": 7})
    known.take_over({"c": 7})
    assert fresh(known, 9) == ([], {})
    assert fresh(known, 8) == ([8], {"c": 8})
