"""Rows added to a running project: right, all or none, and its labels stay."""

from __future__ import annotations

from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, rows
from running import check_memory

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.people import ForbiddenError, Person
from labeling_core.projects.lifecycle import create_project
from labeling_core.sources import uploads
from labeling_core.sources.importing import inspect
from labeling_core.sources.uploads import Upload


def upload(workspace, content: str) -> Upload:
    path = uploads.stage_table(workspace.database.path.parent, content.encode())
    return Upload(path, inspect(path, "more.csv"))


NEW = "Cask,bottle,acidity\ncask 9,1000,1.5\ncask 0,0,1.0\ncask 9,1001,9\n"


def test_new_rows_are_appended_and_labels_stay(workspace, make_project, annotator):
    project = make_project(20, every=1000)
    annotator(project).label_truly(5)
    labels = rows(workspace.database, "FROM wine_metadata ORDER BY ALL")
    given = upload(workspace, NEW)
    project, added = use_cases.add_rows(workspace, project, given, LOCAL)
    assert added == (2, 1) and project.samples == 22 and not given.path.exists()
    assert rows(workspace.database, "FROM wine")[20:] == [
        (1000, 1.5, "cask 9"), (1001, 9.0, "cask 9")
    ]  # fmt: skip
    assert rows(workspace.database, "FROM wine_metadata ORDER BY ALL") == labels
    annotator(project, "ben").label_truly(17)
    check_memory(workspace, project)
    assert rows(
        workspace.database, "SELECT detail FROM labeling.events WHERE kind = 'added rows'"
    ) == [('{"added": 2, "vanished": 0, "file": "more.csv", "rows": 2}',)]


def test_rows_that_are_known_are_added_once_more_on_demand(workspace, make_project):
    project = make_project(20)
    project, added = use_cases.add_rows(workspace, project, upload(workspace, NEW), LOCAL, True)
    assert added == (3, 0) and project.samples == 23


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("bottle,acidity\n1,2\n", "lacks the column “cask” of the table “wine”"),
        ("bottle,acidity,cask,x\n1,2,c,4\n", "has a column “x” that the table “wine” lacks"),
        ("bottle,acidity,cask\n1,2,c\nsome,2,c\n",
         "“bottle” holds BIGINT, and “more.csv” has “some” there in its row 2: correct it."),
        ("bottle,acidity,cask\n1.5,2,c\n", "has “1.5” there in its row 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_cell_and_nothing_is_added(
    workspace, make_project, content, sentence
):
    project = make_project(20)
    before = rows(workspace.database, "FROM wine")
    given = upload(workspace, content)
    with pytest.raises(LabelingError) as raised:
        use_cases.add_rows(workspace, project, given, LOCAL)
    assert sentence in str(raised.value) and given.path.exists()
    assert rows(workspace.database, "FROM wine") == before
    assert rows(workspace.database, "SHOW TABLES").count(("__rows to add",)) == 0
    assert workspace.project(project.project_id).samples == 20


def test_a_table_that_others_use_is_theirs_as_well(workspace, make_project):
    project = make_project(20)
    other = {f"{each}_table": f"other_{each}" for each in ("labels", "metadata", "queries")}
    create_project(workspace.database, replace(SETTINGS, title="Other", **other))
    mine = Person("eva", (("wine", "admin"),))
    with pytest.raises(ForbiddenError):
        use_cases.add_rows(workspace, project, upload(workspace, NEW), mine)
    assert use_cases.add_rows(workspace, project, upload(workspace, NEW), LOCAL)[1].rows == 2


def test_a_view_gets_no_rows(workspace, make_project):
    project = make_project(20)
    with workspace.database.transaction() as cursor:
        cursor.execute("ALTER TABLE wine RENAME TO cellar")
        cursor.execute("CREATE VIEW wine AS FROM cellar")
    with pytest.raises(LabelingError, match="“wine” is a view"):
        use_cases.add_rows(workspace, project, upload(workspace, NEW), LOCAL)
