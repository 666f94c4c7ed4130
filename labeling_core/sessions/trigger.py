"""When a session runs: a pure rule."""

from __future__ import annotations

from labeling_core.settings import Settings

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


def waits(settings: Settings) -> bool:
    """Whether a session may start later than with the label that makes it due: it is one session
    then, on all labels that there are."""
    return settings.check_seconds > 0 or settings.grace_seconds > 0


def coming(settings: Settings, left: int, classes: int) -> str:
    """When the next session comes, ``left`` labels before it is due, in words."""
    if not settings.automatic:
        return "when somebody starts it"
    if left <= 0 and classes >= 2 and waits(settings):
        return "by itself in a while"
    return f"after {max(left, 1)} more label{'s' * (left > 1)}"


def explain(settings: Settings) -> str:
    """When sessions run by themselves, in a sentence."""
    if not settings.automatic:
        return "Off: a session runs only when somebody starts it."
    check, grace = settings.check_seconds, settings.grace_seconds
    looked = f", looked at every {check:,} seconds" if check else ""
    later = f", {grace:,} seconds after it is due" if grace else ""
    return f"On: a session runs after every {settings.every:,} labelings{looked}{later}."
