"""Work in pieces: in threads here, or on a cluster that LABELING_CLUSTER names; joblib both ways.

A cluster is somebody's own and runs already. What is asked of it gives the same results as here,
and a worker that dies costs the pieces that it had: they are done again.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

from labeling_core.config import CLUSTER
from labeling_core.errors import LabelingError

_CONNECT = 10  # seconds to find a scheduler
_COMPARED = ("numpy", "scikit-learn", "joblib")


def elsewhere() -> bool:
    """Whether a cluster is named: then what pieces read must be at the same paths everywhere."""
    return bool(CLUSTER.get())


def done(
    call: Callable[..., Any],
    pieces: Iterable[tuple[Any, ...]],
    threads: int,
    seconds: float,
    ordered: bool = False,
) -> Iterator[Any]:
    """``call(*piece)`` of each of the ``pieces``, as they are finished unless ``ordered``.

    In so many ``threads`` of this process, or on the cluster. ``pieces`` are taken one by one as
    there is room. Raises what ``call`` raises; LabelingError where the cluster is not to be had,
    has other versions, or has told of no piece for ``seconds``.
    """
    from joblib import Parallel, delayed

    asked = (delayed(call)(*piece) for piece in pieces)
    way: Any = {"batch_size": 1, "return_as": "generator" if ordered else "generator_unordered"}
    if not elsewhere():
        yield from Parallel(threads, backend="threading", pre_dispatch="n_jobs", **way)(asked)
        return
    cluster = CLUSTER.get()
    with _told(cluster, seconds), _dask(cluster.removeprefix("dask://"), seconds) as backend:
        yield from Parallel(-1, backend=backend, timeout=seconds, **way)(asked)


@contextmanager
def _told(cluster: str, seconds: float) -> Iterator[None]:
    """What goes wrong on the way to a cluster, in one sentence."""
    try:
        yield
    except (LabelingError, MemoryError):
        raise
    except ImportError as error:
        if (error.name or "").split(".")[0] not in ("dask", "distributed"):
            raise
        raise LabelingError(
            f"{CLUSTER.name} is “{cluster}”, and Dask is not installed: run pip install "
            f"'dask[distributed]', or leave {CLUSTER.name} out."
        ) from error
    except TimeoutError as error:
        raise LabelingError(
            f"The cluster {cluster} has not answered for {seconds:,.0f} seconds: see whether its "
            "workers run. What was finished is kept."
        ) from error
    except Exception as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise LabelingError(
            f"The cluster {cluster} failed ({type(error).__name__}: {first}): what was finished is "
            "kept."
        ) from error


@contextmanager
def _dask(address: str, seconds: float) -> Iterator[Any]:
    """The joblib backend of a Dask scheduler; a worker that dies is replaced by the others."""
    import dask
    from distributed import Client
    from joblib._dask import DaskDistributedBackend

    comm = "tls" if dask.config.get("distributed.comm.require-encryption", False) else "tcp"
    try:
        client = Client(f"{comm}://{address}", timeout=_CONNECT, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise LabelingError(
            f"There is no Dask scheduler at {address}: start it, or leave {CLUSTER.name} out."
        ) from error
    with client:
        client.wait_for_workers(1, timeout=_CONNECT)
        asked = {
            each: client.submit(versions, workers=[each], pure=False)
            for each in client.scheduler_info(n_workers=-1)["workers"]
        }
        _require_same({each: found.result(seconds) for each, found in asked.items()})
        yield DaskDistributedBackend(client=client)


def versions() -> dict[str, str]:
    """What has to be the same everywhere for results to be the same."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    return found | {each: version(each) for each in _COMPARED}


def _require_same(found: dict[str, dict[str, str]]) -> None:
    for worker, theirs in found.items():
        for name, ours in versions().items():
            if theirs[name] != ours:
                raise LabelingError(
                    f"The worker {worker} of the cluster has {name} {theirs[name]}, and there is "
                    f"{ours} here: install the same, so that results are the same."
                )
