"""The page on which an admin gives roles."""

from __future__ import annotations

from pathlib import Path

import pytest
from annotating import LOCAL
from streamlit.testing.v1 import AppTest

from labeling_core import workspace as workspaces
from labeling_core.workspace import Workspace

ADMIN = "adam@example.org"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page as an admin opens it, on a hosted instance without projects."""
    path = tmp_path / "team.duckdb"
    monkeypatch.setenv("LABELING_DATABASE", str(path))
    Workspace(path).close()
    workspaces.open_workspace(hosted=True).roles.set_role(ADMIN, "", "admin", LOCAL)
    main = Path(__file__).parents[2] / "pages" / "main.py"
    at = AppTest.from_file(str(main), default_timeout=60)
    at.secrets = {"auth": {"client_id": "labeling"}}
    at.user = {"is_logged_in": True, "email": ADMIN, "email_verified": True}
    at.run()
    yield at.switch_page("people.py").run()
    workspaces.close_workspaces()


def queue(email: str) -> str:
    return workspaces.open_workspace().roles.person(email).role("wine")


def add(at: AppTest, who: str, role: str) -> AppTest:
    at.text_input[0].input(who)
    next(each for each in at.selectbox if each.label == "Role").set_value(role)
    next(each for each in at.button if each.label == "Add").click().run()
    assert not at.exception
    return at


def test_roles_are_added_changed_and_removed(page: AppTest) -> None:
    add(page, "*@Example.org", "viewer")
    add(page, "eva@example.org", "annotator")
    assert (queue("eva@example.org"), queue("x@example.org")) == ("annotator", "viewer")
    page.selectbox(key="role-eva@example.org--annotator").set_value("none").run()
    assert queue("eva@example.org") == "none"
    page.button(key="remove-eva@example.org-").click().run()
    assert queue("eva@example.org") == "viewer"
    assert not page.error


def test_the_default_for_everybody_else_is_none_until_it_is_set(page: AppTest) -> None:
    assert queue("x@else.org") == "none"
    page.selectbox(key="role-everybody-none").set_value("viewer").run()
    assert queue("x@else.org") == "viewer"


def test_mistakes_are_one_sentence_and_the_last_admin_stays(page: AppTest) -> None:
    add(page, "eva", "viewer")
    assert [each.value for each in page.error] == [
        "Write an e-mail (eva@example.org) or a domain (*@example.org)."
    ]
    page.button(key=f"remove-{ADMIN}-").click().run()
    assert [each.value for each in page.error] == [
        "This is the last admin: name another one first."
    ]
    assert queue(ADMIN) == "admin"
