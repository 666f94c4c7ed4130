"""Something that is done again and again while something else is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def meanwhile(do: Callable[[], object], seconds: float) -> Iterator[None]:
    """``do`` in a thread, every so many ``seconds`` until the end of the block."""
    done = threading.Event()

    def again() -> None:
        while not done.wait(seconds):
            do()

    doing = threading.Thread(target=again, daemon=True)
    doing.start()
    try:
        yield
    finally:
        done.set()
        doing.join()
