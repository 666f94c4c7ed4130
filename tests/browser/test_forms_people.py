"""Roles given, changed and taken back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from app_server import AppServer, settings_for
from forms import Form, newest
from playwright.sync_api import BrowserContext, Locator, expect

EVA, TEAM = "eva@example.org", "*@example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server with two projects."""
    server = AppServer(tmp_path_factory.mktemp("people"))
    server.make_projects([settings_for("alpha"), settings_for("beta")])
    server.start()
    yield server
    server.stop()


def roles(server: AppServer) -> list[tuple[str, str, str]]:
    """Whose role is what where, as the table holds it."""
    with server.tables() as tables:
        return tables.execute(
            "SELECT who, project_id, role FROM labeling.people ORDER BY who, project_id"
        ).fetchall()


def named(form: Form, who: str) -> Locator:
    """Where an entry says whose it is."""
    return form.page.get_by_test_id("stText").filter(has_text=who)


def test_roles_are_given_changed_and_taken_back(server: AppServer, context: BrowserContext) -> None:
    form = Form(context, server).open("people")
    form.text("E-mail or domain", EVA, runs=False)
    with form.inside(form.page.get_by_test_id("stForm")):
        form.choose("Project", "beta", runs=False)
    form.choose("Role", "viewer: sees the projects and their progress", runs=False)
    form.press("Add")
    expect(named(form, EVA)).to_be_visible()
    assert roles(server) == [(EVA, "beta", "viewer")]
    form.text("E-mail or domain", TEAM, runs=False)
    form.press("Add")
    expect(named(form, TEAM)).to_be_visible()
    assert roles(server) == [(TEAM, "", "annotator"), (EVA, "beta", "viewer")]
    form.choose("Role of eva@example.org", "annotator")
    form.choose("Role of *@example.org", "admin")
    form.choose("Role of *", "viewer")
    given = [("*", "", "viewer"), (TEAM, "", "admin"), (EVA, "beta", "annotator")]
    assert roles(server) == given
    assert newest(server, "", "role")
    form.reload()
    form.shows("combobox", {"Role of eva@example.org": "annotator",
                            "Role of *@example.org": "admin", "Role of *": "viewer"})  # fmt: skip
    form.press("Remove", 0)
    expect(named(form, TEAM)).to_have_count(0)
    assert roles(server) == [("*", "", "viewer"), (EVA, "beta", "annotator")]


def test_what_is_no_address_is_told_and_stays_to_be_corrected(
    server: AppServer, context: BrowserContext
) -> None:
    form = Form(context, server).open("people")
    before = roles(server)
    form.text("E-mail or domain", "nobody", runs=False)
    form.press("Add")
    expect(form.page.get_by_role("alert").filter(has_text="Write an e-mail")).to_be_visible()
    form.shows("textbox", {"E-mail or domain": "nobody"})
    assert roles(server) == before
