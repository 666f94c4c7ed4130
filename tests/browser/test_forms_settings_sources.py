"""Samples and categories by the form: of workbooks, texts, queries, lists; and more rows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pytest
from app_server import AppServer, settings_for
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect

UPLOAD = "CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with a table, and a project on another that shall grow."""
    server = AppServer(Path(tmp_path_factory.mktemp("sources")))
    os.environ["LABELING_DATA_ROOTS"] = str(server.folder / "root")
    server.make_projects([])
    server.make_tables({
        "numbers": "SELECT i, CASE WHEN i % 3 = 0 THEN 'rare' ELSE 'usual' END AS kind "
        "FROM range(30) t(i)",
        "growing": "SELECT i, 'x' AS kind FROM range(20) t(i)",
    })  # fmt: skip
    server.make_projects([settings_for("rows", source="growing")], wines=False)
    server.start()
    del os.environ["LABELING_DATA_ROOTS"]
    yield server
    server.stop()


def text_file(name: str, content: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/plain", "buffer": content.encode()}


def made(form: Form, server: AppServer, name: str) -> list[str]:
    """Press the button: the project is labeled on its page; its categories."""
    form.text("Name", name)
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    return [each["name"] for each in stored(server, name)["categories"]]


def add_list(form: Form, text: str) -> None:
    form.page.get_by_text("Add several", exact=True).click()
    form.text("One name per line", text, runs=False)
    form.press("Add them")


def test_a_sheet_of_a_workbook_is_chosen_and_a_pasted_list_becomes_categories(
    server: AppServer, context: BrowserContext, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("Umfrage")
    for row in (["id", "Antwort"], [1, "ja"], [2, "nein"], [3, "ja"]):
        sheet.append(row)
    book.save(tmp_path / "survey.xlsx")
    form = Form(context, server).open("settings?new=1")
    form.upload(UPLOAD, tmp_path / "survey.xlsx")
    form.choose("Sheet or table", "Umfrage")
    expect(form.page.get_by_text("3 rows, 2 columns")).to_be_visible()
    add_list(form, "- good\n- bad\n\n- Good\n- unclear")
    assert made(form, server, "workbook") == ["good", "bad", "unclear"]
    with server.tables() as tables:
        assert tables.execute("FROM survey").fetchall() == [(1, "ja"), (2, "nein"), (3, "ja")]


def test_texts_one_a_line_and_categories_of_a_file(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.upload(UPLOAD, text_file("notes.txt", "one, two\n\nthree\n"))
    form.switch("One text per line")
    expect(form.page.get_by_text("1 empty line was left out.")).to_be_visible()
    form.page.get_by_text("Add several", exact=True).click()
    form.segment("Categories from", "A file")
    with form.inside(form.page.get_by_test_id("stExpander")):
        form.upload(
            "A file with a column of names",
            text_file("kinds.csv", "n,kind\n1,long\n2,short\n3,short\n"),
        )
        form.choose("Column of names", "kind")
    form.press("Add them")
    assert made(form, server, "lines") == ["short", "long"]
    with server.tables() as tables:
        assert tables.execute("FROM notes").fetchall() == [("one, two",), ("three",)]


def test_several_files_and_what_is_no_table(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("settings?new=1")
    form.upload(UPLOAD, text_file("b.csv", "k,t\n2,y\n"), text_file("a.csv", "k,t\n1,x\n"))
    expect(form.page.get_by_text("1 of “a.csv”, 1 of “b.csv”")).to_be_visible()
    expect(form.page.get_by_text("2 rows, 2 columns")).to_be_visible()
    form.open("settings?new=1")
    form.upload(UPLOAD, text_file("a.pdf", "%PDF-1.7 "))
    expect(form.page.get_by_text("“a.pdf” is a PDF document, not a table")).to_be_visible()


def test_parquet_files_are_labeled_where_they_lie(
    server: AppServer, context: BrowserContext, tmp_path: Path
) -> None:
    folder = server.folder / "root" / "readings"
    for year in (2025, 2026):
        (folder / f"year={year}").mkdir(parents=True)
        with duckdb.connect() as con:
            con.execute(
                f"COPY (SELECT i AS n, i / 2 AS half FROM range({year - 2020}) t(i)) TO "
                f"'{folder}/year={year}/part.parquet' (FORMAT parquet)"
            )
    (folder / "notes.txt").write_text("none", "utf-8")
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use Parquet files on the server")
    form.text("Folder of Parquet files", "/nowhere")
    expect(form.page.get_by_text("lies outside of the folders that may be read")).to_be_visible()
    form.text("Folder of Parquet files", str(folder))
    expect(form.page.get_by_text("11 rows in 2 files, in the order")).to_be_visible()
    expect(form.page.get_by_text("From the names of folders: “year”.")).to_be_visible()
    expect(form.page.get_by_text("Not taken: 1 file.")).to_be_visible()
    add_list(form, "- good\n- bad")
    assert made(form, server, "readings") == ["good", "bad"]
    assert stored(server, "readings")["source"] == f"{folder}/**/*.parquet"
    form.open("settings?project=readings")
    field = form.page.get_by_role("textbox", name="Folder of Parquet files")
    expect(field).to_have_value(f"{folder}/**/*.parquet")
    expect(form.page.get_by_text("11 rows in 2 files, in the order")).to_be_visible()
    assert not form.page.get_by_text("From a file with the columns of the table").count()


def test_a_query_is_a_source_and_its_column_gives_categories(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Ask by SQL")
    form.text("SELECT over the tables of this database", "SELECT * FROM number", runs=False)
    form.press("Run the query")
    expect(form.page.get_by_text("There is no table “number” in this database.")).to_be_visible()
    query = "SELECT * FROM numbers WHERE i < 10"
    form.text("SELECT over the tables of this database", query, runs=False)
    form.press("Run the query")
    expect(form.page.get_by_text("10 rows, 2 columns")).to_be_visible()
    form.text("Name of the new table", "small")
    form.page.get_by_text("Add several", exact=True).click()
    form.segment("Categories from", "A column of the samples")
    form.choose("Column with the categories", "kind")
    form.press("Add them")
    assert made(form, server, "asked") == ["usual", "rare"]
    with server.tables() as tables:
        assert tables.execute("SELECT count(*), max(i) FROM small").fetchall() == [(10, 9)]


def test_rows_are_added_to_a_project_at_work(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("settings?project=rows")
    form.upload("A file with more rows", text_file("more.csv", "kind,i\nx,bad\n"))
    form.press("Add the rows")
    expect(form.page.get_by_text("has “bad” there in its row 1")).to_be_visible()
    form.open("settings?project=rows")
    form.upload("A file with more rows", text_file("more.csv", "kind,i\nx,19\nx,20\n"))
    form.switch("Add rows that are there already once more")
    form.switch("Add rows that are there already once more")
    form.press("Add the rows")
    said = "1 rows added, 1 left out as they were there already; the project has 21 samples now."
    expect(form.page.get_by_text(said)).to_be_visible()
    assert newest(server, "rows", "added rows")["rows"] == 1
