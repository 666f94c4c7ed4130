"""When a session runs: a pure rule."""

from __future__ import annotations

CATCH_UP = 5


def due(labels: int, trigger: int, every: int, classes: int, running: bool) -> bool:
    """Whether a session shall start: ``every`` labels after the last trigger point.

    ``labels`` are there now, the last session was triggered at ``trigger`` of them, and
    ``classes`` categories have at least one label to train on.
    """
    return not running and classes >= 2 and labels - trigger >= every


def next_trigger(labels: int, trigger: int, every: int) -> int:
    """The trigger point that a session starting now stands for.

    Sessions that could not keep up are made up for one by one, so that the learning curve
    has its point after every ``every`` labels; beyond CATCH_UP of them the oldest are
    passed over.
    """
    behind = (labels - trigger) // every
    return trigger + every * max(1, behind - CATCH_UP + 1)
