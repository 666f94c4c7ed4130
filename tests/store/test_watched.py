"""Long statements: they tell how far they are, and end when they are told to."""

from __future__ import annotations

import time

import duckdb
import pytest

from labeling_core.store import watched
from labeling_core.store.database import Database

LONG = (
    "CREATE OR REPLACE TEMP TABLE found AS "
    "SELECT sum(hash(a.i, b.i)) AS s FROM range({0}) a(i), range({0}) b(i)"
)


class StopError(Exception): ...


def test_what_it_made_is_there_and_it_told_its_share(database: Database) -> None:
    told: list[float] = []
    with database.read() as cursor:
        watched.execute(cursor, LONG.format(10_000), told.append)
        assert cursor.execute("SELECT count(*) FROM found").fetchone() == (1,)
    assert told and all(0 <= each <= 1 for each in told)


def test_what_is_raised_meanwhile_ends_it(database: Database) -> None:
    told: list[float] = []

    def stop(share: float) -> None:
        told.append(share)
        if len(told) == 3:
            raise StopError

    started = time.monotonic()
    with database.read() as cursor:
        with pytest.raises(StopError):
            watched.execute(cursor, LONG.format(10_000_000), stop)  # it would take hours
        assert cursor.execute("SELECT 1").fetchone() == (1,)
    assert len(told) == 3 and time.monotonic() - started < 60


def test_what_fails_is_raised(database: Database) -> None:
    with database.read() as cursor, pytest.raises(duckdb.CatalogException):
        watched.execute(cursor, "SELECT * FROM nothing", lambda share: None)
