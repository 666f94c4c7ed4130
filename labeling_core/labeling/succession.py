"""What a browser that is gone leaves to the person's next one, when nobody else is working.

A browser that was killed or lost its network hands nothing back. Its samples would wait for their
reservations to run out, and a lone person for samples that nobody has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue

SILENT = 7.0  # seconds: a deck in front says something at least every five


def hand_over(
    queue: Queue,
    browser: Browser,
    heard: Mapping[Browser, float],
    gone: Callable[[Browser], bool] = lambda _: False,
) -> int:
    """Free what other browsers of the same annotator hold, unless somebody else holds samples too;
    how many these are. ``heard`` says when a browser last said something, by the queue's clock.

    A browser is taken to be gone when it is known to be ``gone``, or has been silent for SILENT
    seconds; no two that are there ever hold the same sample. One that comes back drops what it held
    with its next message, and what it has decided by then counts.
    """
    moment = queue.clock()
    queue.reservations.lapse_expired(moment)
    if any(each.annotator != browser.annotator for each in queue.reservations):
        return 0
    left: dict[Browser, list[str]] = {}
    for each in queue.reservations:
        silent = abs(moment - heard.get(each.browser, 0.0)) >= SILENT
        if each.browser != browser and (silent or gone(each.browser)):
            left.setdefault(each.browser, []).append(each.sample_id)
    return sum(len(queue.reservations.release(held, other)) for other, held in left.items())
