"""A query reads the tables of this database: its rows come back right, all else is refused."""

from __future__ import annotations

import pytest
from annotating import LOCAL, make_source

from labeling_core.errors import LabelingError
from labeling_core.sources import importing, sql_queries
from labeling_core.sources.sql_queries import query_table
from labeling_core.workspace import Workspace


def refusal(workspace: Workspace, sql: str) -> str:
    with pytest.raises(LabelingError) as raised:
        query_table(workspace.database, sql, LOCAL)
    assert raised.value.field == "query"
    sentence = str(raised.value)
    assert "\n" not in sentence and sentence.endswith(".")
    return sentence


def test_the_rows_of_a_query_become_a_table(workspace: Workspace) -> None:
    make_source(workspace.database, 10)
    upload = query_table(
        workspace.database,
        "WITH casks AS (SELECT cask, sum(bottle) AS total, count(*) AS n FROM wine GROUP BY 1) "
        "SELECT cask, total, n FROM casks ORDER BY cask LIMIT 2;",
        LOCAL,
    )
    assert upload.preview.columns == (("cask", "VARCHAR"), ("total", "BIGINT"), ("n", "BIGINT"))
    with workspace.database.transaction() as cursor:
        importing.load(cursor, upload.path, upload.preview, "casks")
        assert cursor.execute("FROM casks").fetchall() == [("cask 0", 5, 2), ("cask 1", 7, 2)]


def test_two_columns_of_one_name_are_kept_apart(workspace: Workspace) -> None:
    upload = query_table(workspace.database, "SELECT 1 AS a, 2 AS a", LOCAL)
    assert [kind for _, kind in upload.preview.columns] == ["INTEGER", "INTEGER"]
    assert upload.preview.rows == ((1, 2),)


@pytest.mark.parametrize(
    ("sql", "sentence"),
    [
        ("", "Enter one SELECT"),
        ("DROP TABLE wine", "Enter one SELECT"),
        ("SELECT 1; DROP TABLE wine", "Enter one SELECT"),
        ("COPY wine TO 'x.csv'", "Enter one SELECT"),
        ("ATTACH 'x.duckdb'", "Enter one SELECT"),
        ("SELEC 1", "The query cannot be run: syntax error at or near"),
        ("SELECT nothing FROM wine", "The query cannot be run: Referenced column"),
        ("SELECT 1 FROM wines", "There is no table “wines” in this database"),
        ("SELECT * FROM '/etc/passwd'", "There is no table “/etc/passwd”"),
        ("SELECT * FROM read_csv('/etc/passwd')", "“read_csv” cannot be used here"),
        ("SELECT * FROM wine WHERE cask IN (SELECT content FROM read_text('/etc/passwd'))",
         "“read_text” cannot be used here"),
        ("WITH x AS (FROM read_blob('/etc/passwd')) SELECT * FROM x", "“read_blob” cannot"),
        ("SELECT * FROM query('SELECT 1')", "“query” cannot be used here"),
        ("SELECT * FROM glob('/*')", "“glob” cannot be used here"),
        ("SELECT * FROM duckdb_settings()", "“duckdb_settings” cannot be used here"),
        ("SELECT getvariable('x')", "“getvariable” cannot be used here"),
        ("SELECT * FROM labeling.people", "“people” is in another schema than main"),
        ("SELECT * FROM information_schema.tables", "“tables” is in another schema than main"),
        ("SELECT bottle FROM wine LIMIT 0", "no rows"),
    ],
)  # fmt: skip
def test_what_is_no_harmless_select_is_told(workspace: Workspace, sql: str, sentence: str) -> None:
    make_source(workspace.database, 10)
    if sentence == "no rows":
        with pytest.raises(LabelingError, match="no rows"):
            query_table(workspace.database, sql, LOCAL)
        return
    assert sentence in refusal(workspace, sql)


def test_a_query_that_takes_too_long_is_ended(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_queries, "LONGEST", 0.2)
    slow = (
        "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a.range, b.range) = 1"
    )
    assert "takes longer than 0 seconds" in refusal(workspace, slow)
    make_source(workspace.database, 10)
    assert query_table(workspace.database, "FROM wine", LOCAL).preview.row_count == 10
