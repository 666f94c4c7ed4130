"""What is made again is cleared, and a backup made, on the page Storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from annotating import LOCAL
from app_server import AppServer, settings_for
from forms import Form, newest
from playwright.sync_api import BrowserContext, expect
from prepared import label_wines, workspace_of

from labeling_core import use_cases
from labeling_core.sources.importing import inspect
from labeling_core.sources.uploads import Upload, stage_table


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with two projects, each with a picture that was made for browsers."""
    server = AppServer(tmp_path_factory.mktemp("storage"))
    server.make_projects([settings_for(each) for each in ("alpha", "beta", "gone")])
    with workspace_of(server) as workspace:
        label_wines(workspace, "gone", 3)
        use_cases.delete_project(workspace, "gone", LOCAL)
        path = stage_table(server.folder, b"a,b\n1,x\n2,y\n3,z\n")
        upload = Upload(path, inspect(path, "given.csv"))
        made = use_cases.create_from_upload(
            workspace, settings_for("brief", source="given"), upload, LOCAL
        )
        use_cases.delete_project(workspace, made.project_id, LOCAL)
    for name in ("alpha", "beta"):
        made = rendition(server, name)
        made.parent.mkdir(parents=True)
        made.write_bytes(b"x" * 1_500_000)
    server.start()
    yield server
    server.stop()


def rendition(server: AppServer, project: str) -> Path:
    return Path(f"{server.path}.files", project, "renditions", "ab", "cdef")


def test_pictures_of_one_project_and_then_of_all_are_cleared(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("storage")
    expect(form.page.get_by_text("Pictures and audio are made again")).to_be_visible()
    form.choose("What", "Features")
    expect(form.page.get_by_text("They are computed again")).to_be_visible()
    form.choose("What", "Renditions")
    form.choose("Of", "beta")
    form.press("Clear")
    expect(form.page.get_by_text("1.5 MB are free again.")).to_be_visible()
    assert rendition(server, "alpha").exists() and not rendition(server, "beta").exists()
    assert newest(server, "beta", "cleared") == {"what": "renditions", "bytes": 1_500_000}
    form.choose("Of", "All projects")
    form.press("Clear")
    expect(form.page.get_by_text("1.5 MB are free again.")).to_be_visible()
    assert not rendition(server, "alpha").exists()


def test_a_backup_is_made_and_listed(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("storage")
    form.press("Back up now")
    expect(form.page.get_by_text("Saved as ")).to_be_visible()
    assert newest(server, "", "backup")


def names(server: AppServer) -> set[str]:
    """The tables that there are."""
    with server.tables() as tables:
        return {
            name for (name,) in tables.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        }


def test_tables_of_a_deleted_project_are_dropped_when_its_name_is_typed(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("storage")
    form.choose("Deleted project", "gone (gone)")
    expect(form.page.get_by_text("Left are gone_labels, gone_metadata.")).to_be_visible()
    form.text("Name of the project, to confirm", "brief")
    expect(form.page.get_by_role("button", name="Drop them")).to_have_count(0)
    form.text("Name of the project, to confirm", "gone")
    form.press("Drop them")
    told = form.page.get_by_text("The tables are dropped. They are in the backup")
    expect(told).to_be_visible()
    assert not {"gone_labels", "gone_metadata"} & names(server)
    backup = newest(server, "gone", "dropped")["backup"]
    expect(told).to_contain_text(backup)
    assert "given" in names(server)
    form.switch("Delete given, which was uploaded for it, as well. The backup has it.")
    form.text("Name of the project, to confirm", "brief")
    form.press("Drop them")
    expect(form.page.get_by_role("heading", name="Deleted projects")).to_have_count(0)
    assert not {"brief_labels", "brief_metadata", "given"} & names(server)
