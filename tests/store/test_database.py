"""Opening the file: each thing that can be wrong is one sentence; writes are all or nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from annotating import LOCAL, SETTINGS, Annotator, make_source, rows
from kept_worker import keep_workers

from labeling_core.errors import LabelingError
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import quote
from labeling_core.store import migrations, put_back
from labeling_core.store.backups import before_upgrade, list_backups
from labeling_core.store.database import Database, literal
from labeling_core.store.migrations import MIGRATIONS
from labeling_core.workspace import Workspace


def test_migrations_are_recorded_and_run_once(tmp_path):
    first = Database(tmp_path / "a.duckdb")
    assert first.created
    first.close()
    second = Database(tmp_path / "a.duckdb")
    assert not second.created
    recorded = rows(second, "SELECT version, name FROM labeling.migrations ORDER BY version")
    second.close()
    assert recorded == [(n, name) for n, (name, _) in enumerate(MIGRATIONS, start=1)]


def test_a_file_open_in_another_process_is_one_sentence(database):
    code = (
        "import sys; from pathlib import Path; from labeling_core.store.database import Database\n"
        "from labeling_core.errors import LabelingError\n"
        "try: Database(Path(sys.argv[1]))\n"
        "except LabelingError as error: print(error)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(database.path)],
        capture_output=True, encoding="utf-8", cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert "is open in another process (process " in told.stdout
    assert told.stdout.count("\n") == 1
    assert told.stderr == ""


def test_a_file_that_is_no_duckdb_file_is_left_alone(tmp_path):
    path = tmp_path / "notes.duckdb"
    path.write_text("no database at all\n" * 100, "utf-8")
    with pytest.raises(LabelingError, match="is not a DuckDB database"):
        Database(path)
    assert path.read_text("utf-8").startswith("no database at all")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(LabelingError, match="cannot be opened for writing"):
        Database(tmp_path / "file" / "a.duckdb")
    with pytest.raises(LabelingError, match="cannot be opened for writing"):
        Database(Path("/proc/a.duckdb"))


def test_a_newer_schema_is_refused(tmp_path):
    Database(tmp_path / "a.duckdb").close()
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("INSERT INTO labeling.migrations VALUES (99, 'later', now())")
    with pytest.raises(LabelingError, match="schema version 99"):
        Database(tmp_path / "a.duckdb")


def test_steps_of_another_program_are_refused(tmp_path):
    Database(tmp_path / "a.duckdb").close()
    with duckdb.connect(str(tmp_path / "a.duckdb")) as connection:
        connection.execute("UPDATE labeling.migrations SET name = 'nobodys' WHERE version = 3")
    with pytest.raises(LabelingError, match=r"Step 3 .* is “nobodys”.* another program"):
        Database(tmp_path / "a.duckdb")


def test_steps_are_taken_all_or_none(tmp_path, monkeypatch):
    path = tmp_path / "a.duckdb"
    whole = MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", whole[:3])
    Database(path).close()
    broken = (*whole, ("a step that cannot be", "CREATE TABLE labeling.projects (i INTEGER)"))
    monkeypatch.setattr(migrations, "MIGRATIONS", broken)
    with pytest.raises(LabelingError, match=r"step \d+ \(“a step that cannot be”\) failed"):
        Database(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT max(version) FROM labeling.migrations").fetchall()
    assert found == [(3,)]
    monkeypatch.setattr(migrations, "MIGRATIONS", whole)
    Database(path).close()


@pytest.mark.parametrize("version", range(1, len(MIGRATIONS)))
def test_a_file_is_copied_before_it_is_upgraded(tmp_path, monkeypatch, version):
    path, whole = tmp_path / "a.duckdb", MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", whole[:version])
    first = Database(path, before_upgrade)
    with first.transaction() as cursor:
        cursor.execute("INSERT INTO labeling.events (kind, detail) VALUES ('decision', 'kept')")
    first.close()
    assert list_backups(path) == []
    monkeypatch.setattr(migrations, "MIGRATIONS", whole)
    upgraded = Database(path, before_upgrade)
    assert rows(upgraded, "SELECT detail FROM labeling.events") == [("kept",)]
    upgraded.close()
    (made,) = list_backups(path)
    assert made.upgraded_from == version and made.path.stem.endswith(f"-from-{version}")
    with duckdb.connect(str(made.path), read_only=True) as connection:
        assert connection.execute("SELECT detail FROM labeling.events").fetchall() == [("kept",)]
        last = "SELECT max(version) FROM labeling.migrations"
        assert connection.execute(last).fetchall() == [(version,)]
    Database(path, before_upgrade).close()
    assert list_backups(path) == [made]
    assert put_back.restore(made.path, path, LOCAL) is not None
    again = Database(path, before_upgrade)
    kept = rows(again, "SELECT detail FROM labeling.events WHERE kind = 'decision'")
    again.close()
    assert kept == [("kept",)]


def test_nothing_is_upgraded_where_it_cannot_be_copied_before(tmp_path, monkeypatch):
    path, whole = tmp_path / "a.duckdb", MIGRATIONS
    monkeypatch.setattr(migrations, "MIGRATIONS", whole[:3])
    Database(path).close()
    monkeypatch.setattr(migrations, "MIGRATIONS", whole)
    (tmp_path / "no_folder").write_text("in the way", "utf-8")
    monkeypatch.setenv("LABELING_BACKUPS", str(tmp_path / "no_folder"))
    with pytest.raises(LabelingError, match=r"no backup could be made .* is as it was"):
        Database(path, before_upgrade)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute("SELECT max(version) FROM labeling.migrations").fetchall()
    assert found == [(3,)]


@pytest.mark.parametrize("name", ["labeling", "main", "temp", "a'b ü", "wine"])
def test_the_file_may_have_any_name_and_an_analyst_can_open_it(tmp_path, workers, name):
    from running import run_session

    workspace = Workspace(tmp_path / f"{name}.duckdb")
    keep_workers(workspace)
    make_source(workspace.database)
    project = create_project(workspace.database, replace(SETTINGS, every=1000))
    Annotator(workspace, project).label_truly(30)
    assert run_session(workspace, project).state == "idle"
    workspace.close()
    with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
        for table, number in (("wine_labels", 30), ("wine_metadata", 30), ("wine_queries", 170)):
            assert len(connection.execute(f"SELECT * FROM {table}").fetchall()) == number
    with duckdb.connect() as connection:
        path = literal(str(tmp_path / f"{name}.duckdb"))
        connection.execute(f"ATTACH {path} AS other (READ_ONLY)")
        assert len(connection.execute("SELECT * FROM other.wine_queries").fetchall()) == 170


def test_what_memory_cannot_hold_goes_beside_the_file_and_nowhere_else(
    database, tmp_path, monkeypatch
):
    """Where a service is started nothing may be written."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    beside = Path(f"{database.path}.tmp")
    with database.read() as cursor:
        cursor.execute("SET GLOBAL memory_limit = '40MB'")
        cursor.execute("SET GLOBAL threads = 1")
        found = cursor.execute("SELECT range, hash(range) FROM range(3_000_000) ORDER BY 2")
        assert beside.is_dir() and list(beside.iterdir())
        assert found.fetchone() is not None
    assert list(elsewhere.iterdir()) == []
    database.close()
    assert not beside.exists()
    beside.mkdir()
    (beside / "left.tmp").write_bytes(b"of a program that was killed")
    Database(database.path).close()
    assert not beside.exists()


def test_a_transaction_that_raises_leaves_nothing_behind(database):
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE t (i INTEGER)")
    with pytest.raises(KeyboardInterrupt), database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        with database.transaction() as inner:
            inner.execute("INSERT INTO t VALUES (2)")
        raise KeyboardInterrupt
    assert rows(database, "SELECT * FROM t") == []
    with database.transaction() as cursor:
        cursor.execute("INSERT INTO t VALUES (3)")
    assert rows(database, "SELECT * FROM t") == [(3,)]


@pytest.mark.parametrize("name", ["plain", 'with "quotes"', "größe", "select", "a.b;--", "💬"])
def test_any_identifier_can_be_quoted(database, name):
    with database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE {quote(name)} ({quote(name)} VARCHAR)")
        cursor.execute(f"INSERT INTO {quote(name)} VALUES ({literal(name)})")
    assert rows(database, f"SELECT {quote(name)} FROM {quote(name)}") == [(name,)]
