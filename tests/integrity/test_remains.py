"""What deleted projects leave is dropped after a backup, its names are free, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from annotating import LOCAL, SETTINGS, rows

from labeling_core import use_cases
from labeling_core.__main__ import main
from labeling_core.errors import LabelingError
from labeling_core.integrity import checks, remains
from labeling_core.integrity.remains import Remains
from labeling_core.sources.importing import inspect
from labeling_core.sources.uploads import Upload, stage_table
from labeling_core.store import backups, eventlog, put_back
from labeling_core.store.backups import Backup
from labeling_core.store.database import tables
from labeling_core.store.event_sentences import sentence
from labeling_core.workspace import Workspace

TABLES = ("wine_labels", "wine_metadata")
DECISIONS = "SELECT * FROM wine_metadata ORDER BY label_id"


def listed(workspace):
    with workspace.database.read() as cursor:
        return remains.listed(cursor)


def there(workspace):
    with workspace.database.read() as cursor:
        return tables(cursor)


def reopened(path: Path, made: Backup) -> Workspace:
    """The backup put in the place of the database that was closed."""
    put_back.restore(made.path, path, LOCAL)
    return Workspace(path)


def test_tables_of_a_deleted_project_go_and_its_name_is_free(workspace, make_project, annotator):
    project = make_project(every=1000)
    annotator(project).label_truly(12)
    decided = rows(workspace.database, DECISIONS)
    use_cases.delete_project(workspace, "wine", LOCAL)
    assert listed(workspace) == [Remains("wine", "Wine", TABLES)]
    made = remains.drop(workspace.database, workspace.backups, "wine", False, LOCAL)
    assert made.dropped == "wine" and listed(workspace) == []
    assert there(workspace) == ["wine"]  # the source, which nobody has uploaded
    with workspace.database.read() as cursor:
        (entry,) = eventlog.read(cursor, eventlog.Filter("wine", kinds=("dropped",)), LOCAL, 0, 9)
    assert sentence(entry) == (
        "ana dropped wine_labels, wine_metadata of the deleted project “Wine” (backup "
        f"{made.path.name})."
    )
    again = use_cases.create_project(workspace, SETTINGS, LOCAL)
    assert (again.settings.title, again.project_id) == ("Wine", "wine_2")
    path = workspace.database.path
    workspace.close()
    assert checks.look(path, LOCAL).findings == []
    back = reopened(path, made)
    assert rows(back.database, DECISIONS) == decided
    back.close()


def test_a_project_goes_with_its_tables_and_comes_back_from_the_backup(
    workspace, make_project, annotator
):
    project = make_project(every=1000)
    annotator(project).label_truly(12)
    decided = rows(workspace.database, DECISIONS)
    made = use_cases.delete_with_tables(workspace, "wine", False, LOCAL)
    assert there(workspace) == ["wine"] and not listed(workspace)
    path = workspace.database.path
    workspace.close()
    assert checks.look(path, LOCAL).findings == []
    back = reopened(path, made)
    assert back.project("wine").settings.title == "Wine"
    assert rows(back.database, DECISIONS) == decided
    back.close()
    assert [each for each in checks.look(path, LOCAL).findings if each.state == "broken"] == []


def test_nothing_goes_when_somebody_labels_while_the_backup_is_made(
    workspace, make_project, annotator, monkeypatch
):
    ana = annotator(make_project(every=1000))
    make = workspace.backups.make

    def slowly(*given, **named):
        made = make(*given, **named)
        ana.label_truly(1)
        return made

    monkeypatch.setattr(workspace.backups, "make", slowly)
    with pytest.raises(LabelingError, match="Somebody has worked on the project meanwhile"):
        use_cases.delete_with_tables(workspace, "wine", False, LOCAL)
    assert workspace.project("wine") and rows(workspace.database, DECISIONS)


def uploaded(workspace):
    """A project of a table that was uploaded."""
    path = stage_table(workspace.database.path.parent, b"a,b\n1,x\n2,y\n3,z\n")
    upload = Upload(path, inspect(path, "a.csv"))
    settings = replace(SETTINGS, source="given")
    return use_cases.create_from_upload(workspace, settings, upload, LOCAL)


def test_an_uploaded_table_goes_if_that_is_wanted_and_nothing_else_uses_it(workspace):
    uploaded(workspace)
    named = {"labels_table": "l", "metadata_table": "m", "queries_table": ""}
    other = replace(SETTINGS, title="other", source="given", **named)
    use_cases.create_project(workspace, other, LOCAL)
    use_cases.delete_project(workspace, "wine", LOCAL)
    assert listed(workspace) == [Remains("wine", "Wine", TABLES)]
    use_cases.delete_project(workspace, "other", LOCAL)
    remains.drop(workspace.database, workspace.backups, "other", False, LOCAL)
    assert there(workspace) == ["given", "wine_labels", "wine_metadata"]


def test_an_uploaded_table_is_dropped_and_in_the_backup(workspace):
    uploaded(workspace)
    use_cases.delete_project(workspace, "wine", LOCAL)
    assert listed(workspace) == [Remains("wine", "Wine", TABLES, "given")]
    made = remains.drop(workspace.database, workspace.backups, "wine", True, LOCAL)
    assert there(workspace) == []
    path = workspace.database.path
    workspace.close()
    back = reopened(path, made)
    assert rows(back.database, "SELECT count(*) FROM given") == [(3,)]
    back.close()


def test_uploaded_pictures_go_only_if_that_is_wanted(workspace, make_project):
    folder = workspace.database.path.parent / "uploads" / "pics"
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(b"x")
    settings = replace(SETTINGS, modality="images", source="uploads/pics")
    use_cases.create_project(workspace, settings, LOCAL)
    use_cases.delete_project(workspace, "wine", LOCAL)
    (left,) = listed(workspace)
    assert left.source == "uploads/pics" and not left.in_backup
    remains.drop(workspace.database, workspace.backups, "wine", False, LOCAL)
    assert (folder / "a.png").exists()
    assert listed(workspace) == [Remains("wine", "Wine", (), "uploads/pics")]
    remains.drop(workspace.database, workspace.backups, "wine", True, LOCAL)
    assert not folder.exists() and not listed(workspace)


def test_tables_that_somebody_made_since_under_these_names_are_left_alone(workspace, make_project):
    make_project()
    use_cases.delete_project(workspace, "wine", LOCAL)
    with workspace.database.transaction() as cursor:
        cursor.execute("DROP TABLE wine_labels; CREATE TABLE wine_labels AS SELECT 1 AS mine")
    assert listed(workspace) == [Remains("wine", "Wine", ("wine_metadata",))]
    with workspace.database.transaction() as cursor:
        cursor.execute("DROP TABLE wine_metadata; CREATE TABLE wine_metadata AS SELECT 1 AS mine")
    assert listed(workspace) == []
    with pytest.raises(LabelingError, match="No deleted project “wine” has left tables"):
        remains.drop(workspace.database, workspace.backups, "wine", False, LOCAL)


def test_of_a_project_that_an_earlier_version_deleted_the_usual_names_count(
    workspace, make_project
):
    make_project()
    use_cases.delete_project(workspace, "wine", LOCAL)
    with workspace.database.transaction() as cursor:
        cursor.execute(
            "UPDATE labeling.events SET detail = '{\"title\": \"Wine\"}' WHERE kind = 'deleted'"
        )
    assert listed(workspace) == [Remains("wine", "Wine", TABLES)]


def test_a_backup_made_before_tables_were_dropped_outlives_later_ones_of_its_day():
    moment = datetime(2026, 3, 9, 12, tzinfo=UTC)
    found = [
        Backup(Path("today"), moment, 1),
        Backup(Path("late"), moment - timedelta(days=1), 1),
        Backup(Path("dropping"), moment - timedelta(days=1, hours=2), 1, dropped="wine"),
        Backup(Path("early"), moment - timedelta(days=1, hours=4), 1),
        Backup(Path("old"), moment - timedelta(days=2), 1, dropped="wine"),
    ]
    assert [each.path.name for each in backups.superfluous(found, 2, moment)] == ["early", "old"]


def test_the_command_deletes_a_project_and_then_its_tables(workspace, make_project, capsys):
    make_project()
    path = workspace.database.path
    workspace.close()
    command = ["delete", "--database", str(path), "--project", "wine"]
    assert main(command) == 0
    assert capsys.readouterr().out == "wine is deleted. Its labels and metadata stay.\n"
    assert main([*command, "--tables"]) == 0
    assert "-before-dropping-wine.duckdb" in capsys.readouterr().out
    assert main([*command, "--tables"]) == 2
    assert "No deleted project “wine” has left tables" in capsys.readouterr().err
    assert main(command) == 2
    assert main([*command, "--uploads"]) == 2
