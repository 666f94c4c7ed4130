"""What is made again is cleared, and a backup made, on the page Storage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from app_server import AppServer, settings_for
from forms import Form, newest
from playwright.sync_api import BrowserContext, expect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with two projects, each with a picture that was made for browsers."""
    server = AppServer(tmp_path_factory.mktemp("storage"))
    server.make_projects([settings_for("alpha"), settings_for("beta")])
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
