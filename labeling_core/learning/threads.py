"""How many threads the products of matrices take."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from typing import Any

FEW = 5_000  # rows: with no more of them, threads spend their time on waiting for one another


def one_thread() -> AbstractContextManager[Any]:
    """In this block a product of matrices takes one thread.

    More of them wait for one another at every product, in loops that keep the processor: a session
    on small arrays took three times the processor's time with two, and many times the clock's where
    other programs ran.
    """
    limit: AbstractContextManager[Any] = _products().limit(limits=1)
    return limit


def threads_for(rows: int) -> AbstractContextManager[Any]:
    """In this block a product takes one thread if the ``rows`` are few, else as many as usual."""
    limit: AbstractContextManager[Any] = _products().limit(limits=1 if rows <= FEW else None)
    return limit


@cache
def _products() -> Any:
    """The libraries behind NumPy's and SciPy's products; to find them takes milliseconds."""
    import scipy.linalg  # noqa: F401  # which brings its own
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
