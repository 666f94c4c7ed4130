"""What a browser that is gone leaves to the person's next one, when nobody else is working.

A browser that was killed or lost its network hands nothing back. Its samples would wait for their
reservations to run out, and a lone person for samples that nobody has.
"""

from __future__ import annotations

from collections.abc import Mapping

from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.queue import Queue

SILENT = 12.0  # seconds: a deck in front says something at least every five


def hand_over(
    queue: Queue,
    browser: Browser,
    heard: Mapping[Browser, float],
    screens: Mapping[Browser, str | None],
) -> int:
    """Free what other browsers of the same annotator hold, unless somebody else holds samples too;
    how many these are. ``heard`` says when a browser last said something, by the queue's clock.

    A browser that comes new gets at once all that was ahead in the others; those that are still
    there drop it with their next message, and what they have decided by then counts. What stands on
    a screen is left there until its browser has been silent for SILENT seconds.
    """
    moment = queue.clock()
    queue.reservations.lapse_expired(moment)
    if any(each.annotator != browser.annotator for each in queue.reservations):
        return 0
    comes_new, gone = browser not in heard, 0
    left: dict[Browser, list[str]] = {}
    for each in queue.reservations:
        if each.browser == browser:
            continue
        silent = abs(moment - heard.get(each.browser, 0.0)) >= SILENT
        ahead = comes_new and screens.get(each.browser) != each.sample_id
        if silent or ahead:
            left.setdefault(each.browser, []).append(each.sample_id)
    for other, sample_ids in left.items():
        gone += len(queue.reservations.release(sample_ids, other))
    return gone
