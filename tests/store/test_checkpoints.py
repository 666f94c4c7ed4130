"""What DuckDB holds of the file in memory is let go of, and nothing is lost by it."""

from __future__ import annotations

from labeling_core.store.checkpoints import Checkpoints, let_go
from labeling_core.store.database import Database

ROWS = 200_000
CACHED = "SELECT sum(memory_usage_bytes) / 1e6 FROM duckdb_memory() WHERE tag = 'BASE_TABLE'"


def cached(database: Database) -> float:
    with database.read() as cursor:
        ((found,),) = cursor.execute(CACHED).fetchall()
    return float(found or 0)


def limit(database: Database) -> str:
    with database.read() as cursor:
        ((found,),) = cursor.execute("SELECT current_setting('memory_limit')").fetchall()
    return str(found)


def make_large(database: Database) -> None:
    listed = ", ".join(f"random() AS c{each}" for each in range(16))
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE large AS SELECT range AS n, {listed} FROM range({ROWS})")


def test_the_cache_is_cut(database: Database) -> None:
    make_large(database)
    before, held = limit(database), cached(database)
    assert held > 20
    let_go(database, most=15, kept=10)
    assert cached(database) <= 10
    assert limit(database) == before  # and what comes may take as much memory as ever
    with database.read() as cursor:
        assert cursor.execute("SELECT count(*), sum(n) FROM large").fetchall() == [
            (ROWS, ROWS * (ROWS - 1) // 2)
        ]


def test_a_small_cache_is_kept(database: Database) -> None:
    make_large(database)
    held = cached(database)
    Checkpoints(database).now()
    assert cached(database) >= held * 0.9


def test_what_a_statement_works_with_is_left(database: Database) -> None:
    make_large(database)
    with database.read() as cursor:
        sorted_ones = cursor.execute("SELECT * FROM large ORDER BY c1")  # not fetched yet
        held = cached(database)
        let_go(database, most=15, kept=10)
        assert cached(database) >= held * 0.9
        assert len(sorted_ones.fetchmany(10)) == 10


def test_uncommitted_rows_stand(database: Database) -> None:
    make_large(database)
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE more AS SELECT * FROM large")
        let_go(database, most=15, kept=10)
        cursor.execute("INSERT INTO more SELECT * FROM large LIMIT 1000")
    with database.read() as cursor:
        assert cursor.execute("SELECT count(*) FROM more").fetchone() == (ROWS + 1000,)
