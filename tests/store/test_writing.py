"""The one write transaction, looked at and ended from another thread."""

import threading
import time
from pathlib import Path

import duckdb
import pytest

from labeling_core.store.database import Database

LONG = (
    "CREATE TABLE long AS SELECT sum(a.i * b.i) AS s FROM range(200_000) a(i), range(200_000) b(i)"
)


class Writer:
    """A thread that stores a row, and then is at a statement of several minutes."""

    def __init__(self, database: Database) -> None:
        self.database, self.error = database, None
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.thread.start()

    def _write(self) -> None:
        try:
            with self.database.transaction() as cursor:
                cursor.execute("CREATE TABLE short AS SELECT 1 AS one")
                cursor.execute(LONG)
        except duckdb.Error as error:
            self.error = error


@pytest.fixture
def database(tmp_path: Path):
    database = Database(tmp_path / "x.duckdb")
    yield database
    database.close()


def until(happened) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_long_statement_tells_its_share_and_is_ended_and_all_is_rolled_back(database):
    writer = Writer(database)
    until(lambda: database.writing.share(writer.thread.ident) > 0)
    assert database.writing.share(writer.thread.ident) <= 1
    assert database.writing.share(threading.get_ident()) == 0
    database.writing.interrupt(threading.get_ident())  # another's transaction is left alone
    assert writer.thread.is_alive()
    until(lambda: database.writing.interrupt(writer.thread.ident) or not writer.thread.is_alive())
    assert isinstance(writer.error, duckdb.InterruptException)
    with database.read() as cursor:
        assert cursor.execute("SELECT table_name FROM duckdb_tables() WHERE table_name IN "
                              "('short', 'long')").fetchall() == []  # fmt: skip


def test_what_comes_after_an_interrupted_transaction_is_stored(database):
    writer = Writer(database)
    until(lambda: database.writing.interrupt(writer.thread.ident) or not writer.thread.is_alive())
    database.writing.interrupt(writer.thread.ident)  # there is none any more
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 7 AS seven")
    database.writing.interrupt(threading.get_ident())
    with database.read() as cursor:
        assert cursor.execute("SELECT seven FROM kept").fetchall() == [(7,)]


def test_before_the_first_transaction_there_is_nothing_to_tell(database):
    assert database.writing.share(threading.get_ident()) == 0
    database.writing.interrupt(threading.get_ident())
