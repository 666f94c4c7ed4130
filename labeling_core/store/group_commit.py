"""One transaction for what several callers want stored at the same moment.

A commit waits for the disk: twenty annotators one after the other would wait for each other.
So whoever comes while another is storing waits in line, and the first of the line then stores
for all who wait with it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Place(Generic[Item, Result]):
    """One caller's place in the line."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.called = threading.Event()  # served, or the next to serve
        self.outcome: Result | BaseException | None = None


class Line(Generic[Item, Result]):
    """Callers that wait to be served together, in the order in which they came."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: list[_Place[Item, Result]] = []
        self._serving = False

    def join(
        self, item: Item, serve: Callable[[Sequence[Item]], Sequence[Result | BaseException]]
    ) -> Result:
        """Wait in line, be served with all who wait; the own result, or its error raised.

        ``serve`` gets the items in line, and answers for as many of the first of them as it
        likes, at least one; the others are first in the next round.
        """
        mine: _Place[Item, Result] = _Place(item)
        with self._guard:
            self._waiting.append(mine)
            first, self._serving = not self._serving, True
        if not first:
            mine.called.wait()
        if mine.outcome is None:
            self._serve(serve)
        if isinstance(mine.outcome, BaseException):
            raise mine.outcome
        assert mine.outcome is not None
        return mine.outcome

    def _serve(self, serve: Callable[[Sequence[Item]], Sequence[Result | BaseException]]) -> None:
        """Serve once; the caller is the first in line. Then the next in line has its turn."""
        with self._guard:
            served = list(self._waiting)
        try:
            outcomes = serve([each.item for each in served])
        except BaseException as error:
            outcomes = [error] * len(served)
        with self._guard:
            del self._waiting[: len(outcomes)]
            for place, outcome in zip(served, outcomes, strict=False):
                place.outcome = outcome
                place.called.set()
            self._serving = bool(self._waiting)
            if self._waiting:
                self._waiting[0].called.set()
