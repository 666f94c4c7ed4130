"""How the columns of a table are used, in the hands of a person: as found, and as chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect

FILMS = "id,review,stars,kind,votes\n" + "".join(
    f"f{n},It is a film that nobody forgets who has seen it {n} times,{n % 5},"
    f"{('good' if n % 2 else 'bad') if n < 20 else ''},0{n % 9}\n"
    for n in range(60)
)
UPLOAD = "CSV, Excel, Parquet, JSON lines, SQLite, DuckDB or text"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server, on which each test makes its project."""
    server = AppServer(Path(tmp_path_factory.mktemp("columns")))
    server.make_projects([])
    names = ", ".join(f"(i * {n + 3}) % 17 AS gene_{n}" for n in range(40))
    server.make_tables({"genes": f"SELECT {names}, i AS other FROM range(50) t(i)"})
    server.start()
    yield server
    server.stop()


def csv(name: str, text: str) -> dict[str, object]:
    return {"name": name, "mimeType": "text/csv", "buffer": text.encode()}


def test_columns_are_used_as_is_entered_and_can_be_changed_later(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.upload(UPLOAD, csv("films.csv", FILMS))
    form.columns.pick(0, Use="neither")
    form.columns.pick(2, Use="shown only", Kind="category")
    form.columns.cells(2, Missing="?, 0", Order="0.5")
    form.columns.pick(3, Use="holds labels")
    form.columns.tick(2, Verbatim=True)
    expect(form.page.get_by_text("2 found: bad, good. 20 rows come labeled.")).to_be_visible()
    form.choose("Main text column", "review")
    form.text("Name", "films")
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    session = form.page.locator('[data-session-id="1"]')  # before any key is pressed
    expect(session).to_have_count(1, timeout=60_000)
    expect(form.page.locator('[data-count="labeled"]')).to_have_text("20")
    found = stored(server, "films")
    assert [(each["name"], each["use"], each["kind"], each["missing"])
            for each in found["columns"]] == [
        ("stars", "shown", "category", ["?", "0"]), ("id", "neither", "", None),
        ("kind", "labels", "", None),
    ]  # fmt: skip
    assert found["main_column"] == "review"
    with server.tables() as tables:
        types = dict(
            tables.execute("SELECT column_name, column_type FROM (DESCRIBE films)").fetchall()
        )
    assert types["stars"] == "VARCHAR"
    assert [each["name"] for each in found["categories"]] == ["bad", "good"]
    front = form.page.locator(".sheet[data-front]")
    expect(front.locator(".main dt")).to_have_text("review")
    expect(front.locator(".rest dt")).to_have_text(["stars", "votes"])
    large, small = (front.locator(f".{part} dd").first for part in ("main", "rest"))
    assert size_of(large) > 1.2 * size_of(small)
    form.go("Settings")
    form.columns.pick(1, Use="learned from only")
    form.columns.pick(2, Use="shown only")
    form.choose("Main text column", "none: all columns alike")
    form.press("Save")
    expect(form.page.get_by_text("the next session computes the features anew")).to_be_visible()
    changed = newest(server, "films", "settings")["changed"]
    assert set(changed) == {"columns", "main_column"}
    form.go("Label tabular")
    form.reload()
    expect(form.page.locator(".sheet[data-front] dt")).to_have_text(["stars", "votes"])


def size_of(part) -> float:
    return float(part.evaluate("each => parseFloat(getComputedStyle(each).fontSize)"))


def test_of_many_columns_all_that_are_found_are_used_at_once(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.segment("Samples from", "Use a table in the database")
    form.choose("Table to label", "genes")
    form.text("Find columns", "gene_1")
    expect(form.page.get_by_text("11 columns with “gene_1” in their names")).to_be_visible()
    form.choose("Use of all that are found", "neither")
    form.press("Use them so")
    expect(form.page.get_by_text("Of 41 columns 30 are shown, and 30 may be")).to_be_visible()
    form.text("Find columns", "")
    form.text("Name", "genes")
    form.editor.add_row(0, Name="a")
    form.editor.add_row(1, Name="b")
    form.press("Create the project")
    form.page.locator("[data-sample-id]").wait_for()
    hidden = {each["name"] for each in stored(server, "genes")["columns"]}
    assert hidden == {"gene_1", *(f"gene_{n}" for n in range(10, 20))}
    dd = form.page.locator(".sheet[data-front] dd")
    expect(dd).to_have_count(30)
    first, second = (
        form.page.locator(".sheet[data-front] .field").nth(n).bounding_box() for n in (0, 1)
    )
    assert first and second and first["y"] == second["y"] and first["x"] < second["x"]


def test_a_file_is_read_as_the_form_says_though_its_first_reading_failed(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?new=1")
    form.upload(UPLOAD, csv("odd.csv", "a,b\n1,2\n3,4,5,6\n"))
    expect(form.page.get_by_text("instead of")).to_be_visible()
    form.choose("The first line", "holds the names")
    form.number("Lines to leave out at the top", 1)
    form.text("Lines to leave out begin with", "#")
    form.text("Quotation mark", "'")
    form.text("Escape sign", "\\")
    form.switch("Read on at broken bytes")
    form.choose("Delimiter", "semicolon")
    expect(form.page.get_by_text("1 row, 1 column.")).to_be_visible()
