"""Figures of the running server in Prometheus's text format, for who knows the token.

They name projects and states, never people or samples.
"""

from __future__ import annotations

import hmac
import logging
import shutil
import time
from collections.abc import Iterator

import duckdb
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from labeling_core.config import METRICS_TOKEN
from labeling_core.errors import LabelingError
from labeling_core.store.backups import list_backups
from labeling_core.web.base_path import normalized
from labeling_core.workspace import Workspace, open_workspace

ADDRESS = "/labeling/metrics"
# Seconds; a decision is acknowledged after some 20 milliseconds.
_BUCKETS = (0.005, 0.01, 0.02, 0.04, 0.06, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_registry = CollectorRegistry()
ProcessCollector(registry=_registry)
_DECISIONS = Counter(
    "labeling_decisions", "Decisions stored since the server began", ["deck"], registry=_registry
)
_SECONDS = Histogram(
    "labeling_exchange_seconds", "From a deck's message to its answer", ["deck", "status"],
    buckets=_BUCKETS, registry=_registry,
)  # fmt: skip
_ERRORS = Counter(
    "labeling_errors", "Errors written to the server's log", ["logger"], registry=_registry
)


def answered(deck: str, status: int, seconds: float) -> None:
    """A message of a ``deck`` (label, review, adjudication) was answered with this HTTP status."""
    _SECONDS.labels(deck, str(status)).observe(seconds)


def stored(deck: str, decisions: int) -> None:
    """So many decisions of one message have been stored."""
    _DECISIONS.labels(deck).inc(decisions)


class _Counted(logging.Handler):
    """Counts errors by who logs them."""

    def emit(self, record: logging.LogRecord) -> None:
        _ERRORS.labels(record.name).inc()


_counted = _Counted(logging.ERROR)


class _Workspace(Collector):
    """What stands in the tables and in memory at the moment of asking."""

    def collect(self) -> Iterator[Metric]:
        """The gauges; of the samples only those of projects that are in use."""
        workspace = open_workspace()
        yield from _of_projects(workspace)
        yield from _of_the_disk(workspace)


_registry.register(_Workspace())


def _of_projects(workspace: Workspace) -> Iterator[Metric]:
    samples = GaugeMetricFamily(
        "labeling_samples", "Samples of projects in use", labels=["project", "state"]
    )
    for project_id, queue in workspace.open_projects.in_use().items():
        counts = queue.counts
        waiting = max(queue.size - counts.begun, 0)
        states = {"labeled": counts.labeled, "skipped": counts.skipped,
                  "disputed": counts.disputed, "waiting": waiting}  # fmt: skip
        for state, number in states.items():
            samples.add_metric([project_id, state], number)
    yield samples
    sessions = GaugeMetricFamily(
        "labeling_sessions", "Sessions by how they ended", labels=["project", "state"]
    )
    with workspace.database.read() as cursor:
        rows = cursor.execute(
            "SELECT project_id, lower(state), count(*) FROM labeling.sessions GROUP BY ALL"
        ).fetchall()
    for project_id, state, number in rows:
        sessions.add_metric([project_id, state], number)
    yield sessions


def _of_the_disk(workspace: Workspace) -> Iterator[Metric]:
    path = workspace.database.path
    sizes = {
        "labeling_database_bytes": ("Size of the database file", path.stat().st_size),
        "labeling_disk_free_bytes": ("Free on its disk", shutil.disk_usage(path.parent).free),
    }
    for name, (told, number) in sizes.items():
        yield GaugeMetricFamily(name, told, value=number)
    # One that was made by a clock that ran ahead is as far from now as one of so long ago.
    ages = [abs(time.time() - each.made.timestamp()) for each in list_backups(path)]
    if ages:
        age = min(ages)
        yield GaugeMetricFamily("labeling_backup_age_seconds", "Since the last one", value=age)


async def get_metrics(request: Request) -> Response:
    """The figures for a bearer of LABELING_METRICS_TOKEN; 404 to everybody while there is none."""
    token = METRICS_TOKEN.get()
    if not token:
        return PlainTextResponse("Not Found", 404)
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return PlainTextResponse("Not for strangers.", 401, {"WWW-Authenticate": "Bearer"})
    try:
        text = await run_in_threadpool(generate_latest, _registry)
    except (LabelingError, duckdb.Error, OSError) as error:
        return PlainTextResponse(f"{error}", 503)
    return Response(text, media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


def below(base: str | None) -> Route:
    """The route of an app whose own base is ``base``; errors are counted from here on."""
    if not logging.getLogger().handlers:
        logging.basicConfig()  # else warnings would be counted, and shown nowhere any more
    logging.getLogger().addHandler(_counted)  # once, however often it is asked for
    return Route(normalized(base) + ADDRESS, get_metrics, methods=["GET"])
