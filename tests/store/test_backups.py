"""Backups: whole and consistent while people label, thinned out, put back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from annotating import LOCAL, Annotator, rows
from running import run_session

from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.people import ForbiddenError, Person
from labeling_core.settings import quote
from labeling_core.store import backups, eventlog, put_back
from labeling_core.store.backups import Backup
from labeling_core.store.database import Database
from labeling_core.store.event_sentences import sentence
from labeling_core.workspace import Workspace

OBJECTS = (
    "SELECT schema_name, table_name, 'table' FROM duckdb_tables() "
    "WHERE database_name = current_database() UNION ALL "
    "SELECT schema_name, view_name, 'view' FROM duckdb_views() "
    "WHERE database_name = current_database() AND NOT internal ORDER BY ALL"
)


def contents(database: Database) -> dict[tuple, object]:
    """Every row of every table and view, in a fixed order, and where the sequence stands."""
    found: dict[tuple, object] = {}
    with database.read() as cursor:
        for schema, name, kind in cursor.execute(OBJECTS).fetchall():
            sql = f"SELECT * FROM {quote(schema)}.{quote(name)} ORDER BY ALL"
            found[schema, name, kind] = cursor.execute(sql).fetchall()
    return found


def copy_of(backup: Backup, folder: Path) -> Database:
    """The backup opened as the program would open it."""
    shutil.copy(backup.path, folder / "opened.duckdb")
    return Database(folder / "opened.duckdb")


def test_a_backup_holds_every_table_view_and_number_of_the_database(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(every=1000)
    annotator(project).label_truly(40)
    run_session(workspace, project)
    with workspace.database.transaction() as cursor:
        cursor.execute('CREATE TABLE main."an ""odd"" name" AS SELECT 1 AS "group", NULL AS n')
        cursor.execute('CREATE VIEW main."zoo" AS SELECT * FROM wine_labels')
    made = workspace.backups.make(LOCAL)
    assert made.path.parent == workspace.database.files("backups")
    assert backups.list_backups(workspace.database.path) == [made]
    before = contents(workspace.database)
    before["labeling", "events", "table"].pop()  # that the backup was made
    copy = copy_of(made, tmp_path)
    assert contents(copy) == before
    eventlog.note(copy, "wine", LOCAL, "session", {})
    (newest,) = rows(copy, "SELECT max(event_id), count(*) FROM labeling.events")
    assert newest[0] == newest[1]
    copy.close()
    with duckdb.connect(str(made.path), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM wine_queries").fetchone() == (160,)


def test_backups_taken_while_three_people_label_are_consistent(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(rows=3_000, every=50)
    people = [annotator(project, name) for name in ("ana", "bob", "eve")]
    threads = [threading.Thread(target=each.label_truly, args=(300,)) for each in people]
    for each in threads:
        each.start()
    made = []
    while any(each.is_alive() for each in threads) and len(made) < 20:
        made.append(workspace.backups.make(LOCAL))
    for each in threads:
        each.join()
    assert made
    counts = []
    for number, each in enumerate(made):
        folder = tmp_path / str(number)
        folder.mkdir()
        copy = copy_of(each, folder)
        counts.append(check_consistent(copy))
        copy.close()
    assert counts == sorted(counts)
    assert rows(workspace.database, "SELECT count(*) FROM wine_labels") == [(900,)]


def check_consistent(copy: Database) -> int:
    """Each label is a decision, each decision has its event, nothing is asked that is decided."""
    lost = rows(
        copy,
        "SELECT (SELECT count(*) FROM wine_labels AS l ANTI JOIN wine_metadata AS m "
        "ON m.label_id = l.label_id AND m.label = l.label), "
        "(SELECT count(*) FROM wine_metadata AS m ANTI JOIN wine_labels AS l USING (label_id) "
        "WHERE m.status = 'LABELED'), "
        "(SELECT count(*) FROM wine_metadata AS m ANTI JOIN labeling.events AS e "
        "ON e.label_id = m.label_id AND e.sample_id = m.sample_id AND e.kind = 'decision'), "
        "(SELECT count(*) FROM labeling.events AS e ANTI JOIN wine_metadata AS m "
        "ON e.label_id = m.label_id WHERE e.kind = 'decision'), "
        "(SELECT count(*) FROM wine_queries JOIN wine_metadata USING (sample_id)), "
        "(SELECT count(*) FROM (SELECT client FROM labeling.events WHERE seq IS NOT NULL "
        "GROUP BY client HAVING count(*) != max(seq)))",
    )
    assert lost == [(0, 0, 0, 0, 0, 0)]
    return int(rows(copy, "SELECT count(*) FROM wine_metadata")[0][0])


def test_a_restored_backup_goes_on_and_the_replaced_file_is_kept(
    workspace, make_project, annotator, tmp_path
):
    project = make_project(every=1000)
    ana = annotator(project)
    ana.label_truly(10)
    made = workspace.backups.make(LOCAL)
    before = contents(workspace.database)
    ana.label_truly(5)
    path = workspace.database.path
    with pytest.raises(LabelingError, match="is open in another process"):
        restore_from_elsewhere(made.path, path)
    workspace.close()
    replaced = put_back.restore(made.path, path, LOCAL)
    assert replaced is not None
    with duckdb.connect(str(replaced), read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM wine_labels").fetchone() == (15,)
    again = Workspace(path)
    try:
        after = contents(again.database)
        assert {name: each for name, each in after.items() if name[1] != "events"} == {
            name: each for name, each in before.items() if name[1] != "events"
        }
        with again.database.read() as cursor:
            entry, *_ = eventlog.read(cursor, eventlog.Filter(), LOCAL, 0, 1)
        assert f"put the backup {made.path.name} in the place" in sentence(entry)
        # an open browser that takes its 15 decisions for stored goes on with its next number
        back = Annotator(again, again.project("wine"))
        back.client, back.seq = ana.client, ana.seq
        assert len(back.label_truly(5)) == 5
        assert rows(again.database, "SELECT count(*) FROM wine_labels") == [(15,)]
        assert again.queue(again.project("wine")).sequences.stored("ana", [ana.client]) == {
            ana.client: 20
        }
    finally:
        again.close()
    assert not list(path.parent.glob("*.restoring*"))


def restore_from_elsewhere(backup: Path, database: Path) -> None:
    """Run the command in a process of its own; LabelingError with what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "labeling_core", "restore", str(backup), "--database",
         str(database)],
        cwd=Path(__file__).parents[2], capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode:
        raise LabelingError(done.stderr.strip())


def test_the_commands_make_list_and_restore_backups(tmp_path, capsys, monkeypatch):
    path, folder = tmp_path / "x.duckdb", tmp_path / "elsewhere"
    monkeypatch.setenv("LABELING_BACKUPS", str(folder))
    Database(path).close()
    assert main(["backup", "--database", str(path)]) == 0
    (made,) = folder.glob("*.duckdb")
    assert main(["backup", "--list", "--database", str(path)]) == 0
    assert capsys.readouterr().out.count(str(made)) == 2
    path.write_bytes(b"destroyed")
    assert main(["restore", str(made), "--database", str(path)]) == 0
    assert "is kept in" in capsys.readouterr().out
    (replaced,) = tmp_path.glob("x-replaced-*.duckdb")
    assert replaced.read_bytes() == b"destroyed"
    Database(path).close()
    for wrong in (["restore", str(tmp_path / "none"), "--database", str(path)],
                  ["restore", str(replaced), "--database", str(path)],
                  ["backup", "--database", str(tmp_path / "none")]):  # fmt: skip
        assert main(wrong) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 3
    assert "There is no backup" in told[0]
    assert "is no backup of a labeling database" in told[1]


def test_databases_of_one_name_share_a_folder_and_leave_each_others_backups_alone(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("LABELING_BACKUPS", str(tmp_path / "all"))
    monkeypatch.setenv("LABELING_BACKUPS_KEEP", "1")
    paths = [tmp_path / name / "labeling.duckdb" for name in "ab"]
    spaces = [Workspace(path) for path in paths]
    first = spaces[0].backups.make(LOCAL)
    yesterday = first.made - timedelta(days=1)
    old = first.path.rename(
        str(first.path).replace(f"{first.made:%Y%m%dT%H}", f"{yesterday:%Y%m%dT%H}")
    )
    assert backups.list_backups(paths[1]) == []
    second = spaces[1].backups.make(LOCAL)
    assert old.exists() and backups.list_backups(paths[1]) == [second]
    assert [each.path for each in backups.list_backups(paths[0])] == [old]
    third = spaces[0].backups.make(LOCAL)
    assert not old.exists() and backups.list_backups(paths[0]) == [third]
    for each in spaces:
        each.close()
    put_back.restore(third.path, paths[1], LOCAL)  # by its path any backup can be put back


def test_in_its_own_folder_a_moved_database_knows_its_backups(workspace, tmp_path):
    made = workspace.backups.make(LOCAL)
    workspace.close()
    home = tmp_path / "elsewhere"
    shutil.move(workspace.database.files(), home / "test.duckdb.files")
    (listed,) = backups.list_backups(home / "test.duckdb")
    assert (listed.path.name, listed.made) == (made.path.name, made.made)


def test_of_each_day_the_last_is_kept_for_so_many_days():
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    made = [
        Backup(Path(f"{day}-{hour}"), start + timedelta(days=day, hours=hour), 1)
        for day in range(5, -1, -1)
        for hour in (3, 2, 1)
    ]
    gone = {each.path.name for each in backups.superfluous(made, 3, made[0].made)}
    kept = [each.path.name for each in made if each.path.name not in gone]
    assert kept == ["5-3", "5-2", "5-1", "4-3", "3-3"]
    assert not backups.superfluous([], 3, start)


def test_the_last_backup_before_an_upgrade_is_kept_whatever_its_age():
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)
    made = [Backup(Path(f"{day}"), start + timedelta(days=day), 1) for day in range(9, -1, -1)]
    made = [each._replace(upgraded_from=7) if each.path.name in "135" else each for each in made]
    gone = {each.path.name for each in backups.superfluous(made, 3, made[0].made)}
    assert gone == {"0", "1", "2", "3", "4", "6"}


def test_a_backup_is_due_when_none_is_of_the_last_day_whatever_the_clock_did():
    moment = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    hours = {hour: Backup(Path(), moment - timedelta(hours=hour), 1) for hour in (-30, 23, 24)}
    assert backups.due([], moment)
    assert backups.due([hours[-30], hours[24]], moment)
    assert not backups.due([hours[-30], hours[23]], moment)


@pytest.mark.parametrize("days", [1, 3])
def test_no_clock_removes_the_newest_backups(workspace, make_project, monkeypatch, days):
    make_project()
    monkeypatch.setenv("LABELING_BACKUPS_KEEP", str(days))
    path, clock = workspace.database.path, datetime(2026, 3, 1, 12, tzinfo=UTC)

    def made_at(moment: datetime) -> Backup:
        monkeypatch.setattr(backups, "now", lambda: moment)
        made = workspace.backups.make(LOCAL)
        known = backups.list_backups(path)
        assert made.path in {each.path for each in known}, "what was just made is gone again"
        assert not backups.due(known, moment), "it would be made again at each look"
        return made

    for day, jump in enumerate((0, 0, 0, 0, 1, -1, 3650, -365, 0)):
        made_at(clock + timedelta(days=day + jump))
        assert len(backups.list_backups(path)) <= 2 * days
    later = [made_at(clock + timedelta(days=9 + day)) for day in range(days)]
    assert {each.path for each in later} <= {each.path for each in backups.list_backups(path)}


def test_the_daily_backup_is_made_when_none_is_a_day_old_and_only_then(workspace, make_project):
    make_project()
    path = workspace.database.path
    workspace.backups.start(first_look=0.0, look=0.01)
    end = time.monotonic() + 1200
    while not backups.list_backups(path):
        assert time.monotonic() < end
        time.sleep(0.01)
    time.sleep(0.2)  # twenty looks more
    (made,) = backups.list_backups(path)
    yesterday = made.made - timedelta(days=1, seconds=1)
    older = made.path.with_name(f"test-{yesterday.strftime('%Y%m%dT%H%M%S%fZ')}.duckdb")
    made.path.rename(older)
    while len(backups.list_backups(path)) < 2:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert not workspace.backups.trouble


def test_what_cannot_be_written_is_a_sentence_and_labeling_goes_on(
    workspace, make_project, annotator, tmp_path, monkeypatch
):
    project = make_project(every=1000)
    blocked = tmp_path / "a file"
    blocked.write_text("in the way", "utf-8")
    monkeypatch.setenv("LABELING_BACKUPS", str(blocked / "backups"))
    with pytest.raises(LabelingError, match="set LABELING_BACKUPS"):
        workspace.backups.make(LOCAL)
    monkeypatch.delenv("LABELING_BACKUPS")
    monkeypatch.setenv("LABELING_BACKUPS_KEEP", "many")
    with pytest.raises(LabelingError, match="set it to a number of days"):
        workspace.backups.make(LOCAL)
    with pytest.raises(ForbiddenError):
        workspace.backups.make(Person("bob", (("wine", "admin"),)))
    annotator(project).label_truly(3)


def test_two_backups_are_never_made_at_once_and_a_broken_one_leaves_nothing(
    workspace, make_project, monkeypatch
):
    make_project(rows=200_000)
    told: list[object] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> datetime:
        begun.set()
        go_on.wait(60)
        return datetime.now(UTC)

    monkeypatch.setattr(backups, "now", slowly)

    def make() -> None:
        try:
            told.append(workspace.backups.make(LOCAL))
        except LabelingError as error:
            told.append(str(error))

    first = threading.Thread(target=make)
    first.start()
    begun.wait(60)
    make()
    assert told == ["A backup is being made already: wait for its end."]
    go_on.set()
    folder = workspace.database.files("backups")
    while not list(folder.glob("*.part")) and len(told) < 2:
        time.sleep(0.001)
    workspace.backups.close()
    first.join()
    assert not list(folder.glob("*.part*"))
    assert len(backups.list_backups(workspace.database.path)) == sum(
        isinstance(each, Backup) for each in told
    )
    assert os.path.exists(workspace.database.path)


def test_a_copy_waits_for_a_transaction_that_duckdb_has_not_ended(tmp_path):
    path = tmp_path / "copy.duckdb"
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{path}' AS labeling_backup")
        other = connection.cursor()
        other.execute("BEGIN")
        other.execute("CREATE TABLE labeling_backup.written AS SELECT 1 AS one")
        with pytest.raises(duckdb.TransactionException):
            connection.execute("CHECKPOINT labeling_backup")
        end = threading.Timer(0.5, other.commit)
        end.start()
        backups._checkpoint(connection)
        end.join()
        assert connection.execute("FROM labeling_backup.written").fetchall() == [(1,)]
