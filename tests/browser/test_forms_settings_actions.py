"""What the settings page does at once: categories changed, the source read again, an end made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from app_server import ROOT, AppServer, settings_for
from forms import Form, newest, stored
from playwright.sync_api import BrowserContext, expect
from prepared import label_wines, on_folder, workspace_of

from labeling_core.projects.sample_projects import DIGITS
from labeling_core.settings import Settings

WHOLE = ["digit_0000.png", "digit_0001.png", "digit_0002.png"]
READING = 600_000  # ms: on a busy machine the first files take their time
FORGET = "The model learns nothing of it any more"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server, a project for each test."""
    folder = tmp_path_factory.mktemp("actions")
    server = AppServer(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABELING_DATA_ROOTS", str(folder))
        files: Settings = on_folder(folder, DIGITS, "files", ["digit_0000.png", "digit_0001.png"])
        spoilt: Settings = on_folder(folder, DIGITS, "spoilt", WHOLE)
        for name in ("cut.png", "empty.png"):
            whole = (ROOT / "data/digits" / WHOLE[0]).read_bytes()
            (folder / "spoilt" / name).write_bytes(whole[:100] if name == "cut.png" else b"")
        server.make_projects(
            [settings_for("kinds"), settings_for("goner"), settings_for("whole"), files, spoilt]
        )
        server.make_tables({"growing": "SELECT i FROM range(20) t(i)"})
        server.make_projects([settings_for("rows", source="growing")], wines=False)
        with workspace_of(server) as workspace:
            label_wines(workspace, "kinds", 20)
            label_wines(workspace, "goner", 3)
            label_wines(workspace, "whole", 3)
            with workspace.database.transaction() as cursor:
                cursor.execute("INSERT INTO growing SELECT i FROM range(20, 27) t(i)")
        server.start()
    yield server
    server.stop()


def labels(server: AppServer, name: str) -> dict[str, int]:
    """How many labels each category of a project has."""
    with server.tables() as tables:
        return dict(
            tables.execute(f"SELECT label, count(*) FROM {name}_metadata GROUP BY 1").fetchall()
        )


def test_a_category_is_renamed_retired_offered_again_and_merged(
    server: AppServer, context: BrowserContext
) -> None:
    given = labels(server, "kinds")
    form = Form(context, server).open("settings?project=kinds")
    with form.popover("Rename"):
        form.choose("Category", "red", runs=False)
        form.text("New name", "rouge", runs=False)
        form.press("Rename it")
    expect(form.page.get_by_text("“red” is called “rouge” now.")).to_be_visible()
    assert labels(server, "kinds") == {"rouge": given["red"], "white": given["white"]}
    assert newest(server, "kinds", "category") == {
        "change": "rename", "old": "red", "new": "rouge", "labels": given["red"],
    }  # fmt: skip

    with form.popover("Retire"):
        form.choose("Category", "cava")
        expect(form.root.get_by_text("It is offered no longer; 0 labels kept.")).to_be_visible()
        form.radio("And the model?", FORGET)
        form.press("Retire it")
    expect(form.page.get_by_text("“cava” is retired.")).to_be_visible()
    expect(form.page.get_by_text("Retired: cava")).to_be_visible()
    cava = stored(server, "kinds")["categories"][-1]
    assert (cava["name"], cava["retired"], cava["learned"]) == ("cava", True, False)
    form.reload()
    assert [row[1] for row in form.editor.rows()] == ["rouge", "white"]

    with form.popover("Offer again"):
        form.choose("Category", "cava")
        form.press("Offer it")
    expect(form.page.get_by_text("“cava” is offered again.")).to_be_visible()
    cava = stored(server, "kinds")["categories"][-1]
    assert (cava["retired"], cava["learned"]) == (False, True)

    with form.popover("Merge"):
        form.choose("Category", "rouge")
        form.choose("Merge into", "white")
        expect(form.root.get_by_text(f"{given['red']} labels “rouge” will be")).to_be_visible()
        form.press("Merge them")
    expect(form.page.get_by_text("“rouge” has become part of “white”.")).to_be_visible()
    assert labels(server, "kinds") == {"white": 20}
    assert [each["name"] for each in stored(server, "kinds")["categories"]] == ["white", "cava"]
    form.reload()
    assert [row[1] for row in form.editor.rows()] == ["white", "cava"]


def test_a_change_of_categories_that_cannot_be_made_is_told(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=goner")
    with form.popover("Rename"):
        form.choose("Category", "red", runs=False)
        form.text("New name", "white", runs=False)
        form.press("Rename it")
    expect(form.page.get_by_text("There is a category “white” already")).to_be_visible()
    assert stored(server, "goner")["categories"][0]["name"] == "red"


def test_new_rows_and_files_of_the_source_are_taken_over(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=rows")
    form.press("Look for new rows in the source")
    expect(form.page.get_by_text("7 new samples, 0 gone.")).to_be_visible()
    assert newest(server, "rows", "refreshed")["added"] == 7
    digit = (ROOT / "data/digits/digit_0002.png").read_bytes()
    (server.folder / "files/new.png").write_bytes(digit)
    (server.folder / "files/digit_0000.png").unlink()
    form.choose("Project", "files")
    form.press("Look for new files in the source")
    expect(form.page.get_by_text("1 new samples, 1 gone.")).to_be_visible()
    with server.tables() as tables:
        rows = tables.execute(
            "SELECT project_id, samples FROM labeling.projects WHERE project_id IN "
            "('rows', 'files') ORDER BY 1"
        ).fetchall()
    assert dict(rows)["rows"] == 27


def set_aside(server: AppServer) -> dict[str, str]:
    with server.tables() as tables:
        found = "SELECT sample_id, reason FROM labeling.broken WHERE project_id = 'spoilt'"
        return dict(tables.execute(found).fetchall())


def test_what_was_set_aside_is_listed_with_what_would_help_and_tried_again(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("label_images?project=spoilt")
    expect(form.page.get_by_text("2 files set aside")).to_be_visible(timeout=READING)
    form.open("?project=spoilt")
    form.page.get_by_role("link", name="2 set aside").click()
    expect(form.page.get_by_role("heading", name="Set aside: 2 files")).to_be_visible()
    expect(form.page.get_by_text("1 × Ends early: the rest of it is missing.")).to_be_visible()
    expect(form.page.get_by_text("1 × Is empty.")).to_be_visible()
    expect(form.page.get_by_text("nothing is in it.")).to_be_visible()
    shutil.copy(server.folder / "spoilt" / WHOLE[1], server.folder / "spoilt" / "cut.png")
    form.press("Try again")
    form.open("settings?project=spoilt")
    expect(form.page.get_by_text("1 file set aside")).to_be_visible(timeout=READING)
    form.reload()
    expect(form.page.get_by_role("heading", name="Set aside: 1 file")).to_be_visible()
    assert set(set_aside(server)) == {"empty.png"}


def test_a_project_is_deleted_and_its_labels_stay(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=goner")
    with form.popover("Delete the project"):
        form.press("Delete it")
        expect(form.page.get_by_role("heading", name="Projects")).to_be_visible()
    expect(form.page.get_by_role("heading", name="goner")).to_have_count(0)
    with server.tables() as tables:
        left = tables.execute("SELECT project_id FROM labeling.projects").fetchall()
        assert tables.execute("SELECT count(*) FROM goner_metadata").fetchall() == [(3,)]
    assert ("goner",) not in left
    assert newest(server, "goner", "deleted") is not None


def test_a_project_is_deleted_with_its_tables_when_its_name_is_typed(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("settings?project=whole")
    with form.popover("Delete the project"):
        form.switch("Drop the tables as well, after a backup")
        expect(form.page.get_by_role("button", name="Delete it")).to_have_count(0)
        form.text("Name of the project, to confirm", "whole")
        form.press("Delete it")
        expect(form.page.get_by_role("heading", name="Storage")).to_be_visible()
    told = form.page.get_by_text("The tables are dropped. They are in the backup")
    expect(told).to_contain_text(newest(server, "whole", "dropped")["backup"])
    with server.tables() as tables:
        left = tables.execute("SELECT table_name FROM duckdb_tables()").fetchall()
    assert not {("whole_labels",), ("whole_metadata",)} & {*left}
