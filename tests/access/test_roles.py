"""Roles of a team: which entry counts, and what cannot be done to them."""

from __future__ import annotations

import json

import duckdb
import pytest
from annotating import LOCAL, rows
from faults import full_disk

from labeling_core import use_cases
from labeling_core.access.roles import (
    ADMINS,
    ANYBODY,
    Entry,
    Roles,
    confirmed_email,
    normalized,
    resolve,
)
from labeling_core.errors import LabelingError
from labeling_core.people import EVERYWHERE, ForbiddenError
from labeling_core.workspace import Workspace, close_workspaces, open_workspace


def entry(who: str, role: str, project_id: str = EVERYWHERE) -> Entry:
    return Entry(who, project_id, role, "test")


def test_an_email_beats_its_domain_and_a_domain_beats_everybody_else():
    entries = [
        entry(ANYBODY, "viewer"),
        entry("*@example.org", "annotator"),
        entry("eva@example.org", "none"),
        entry("ana@example.org", "admin"),
    ]
    found = {
        email: resolve(entries, email).role("wine")
        for email in ("x@else.org", "b@example.org", "eva@example.org", "ana@example.org")
    }
    assert list(found.values()) == ["viewer", "annotator", "none", "admin"]


def test_an_email_beats_its_domain_even_where_the_domain_names_the_project():
    entries = [entry("eva@example.org", "viewer"), entry("*@example.org", "annotator", "wine")]
    assert resolve(entries, "eva@example.org").role("wine") == "viewer"
    assert resolve(entries, "ana@example.org").role("wine") == "annotator"
    assert resolve(entries, "ana@example.org").role("digits") == "none"


def test_unknown_people_have_no_role_unless_there_is_an_entry_for_them():
    assert resolve([], "x@else.org").role("wine") == "none"
    assert resolve([entry("*@example.org", "viewer")], "x@else.org").role("wine") == "none"


@pytest.mark.parametrize(
    "email",
    ["x@example.org.evil.net", "example.org", "@evil.net", "a@example.org@evil.net", "*", "x", ""],
)
def test_what_only_looks_like_the_domain_is_not_in_it(email):
    assert resolve([entry("*@example.org", "admin")], email).role("wine") == "none"


def test_case_does_not_matter_but_a_foreign_letter_does():
    entries = [entry("kate@example.org", "admin")]
    assert resolve(entries, "Kate@EXAMPLE.org").role("wine") == "admin"
    assert normalized("\u212aate@example.org") != "kate@example.org"  # the Kelvin sign
    assert resolve(entries, "\u212aate@example.org").role("wine") == "none"


def test_a_role_is_stored_changed_and_taken_back_and_the_log_tells_it(database):
    roles = Roles(database, hosted=True)
    roles.set_role(" Eva@Example.org", EVERYWHERE, "annotator", LOCAL)
    roles.set_role("eva@example.org", EVERYWHERE, "viewer", LOCAL)
    assert Roles(database, hosted=True).person("eva@example.org").role("wine") == "viewer"
    roles.remove_role("eva@example.org", EVERYWHERE, LOCAL)
    assert roles.person("eva@example.org").role("wine") == "none"
    told = rows(database, "SELECT annotator, detail FROM labeling.events WHERE kind = 'role'")
    assert [json.loads(detail) for _, detail in told] == [
        {"who": "eva@example.org", "role": role} for role in ("annotator", "viewer", "")
    ]
    assert {name for name, _ in told} == {LOCAL.name}


@pytest.mark.parametrize("who", ["", "eva", "eva@", "@example.org", "a b@c.org", "*@*", "e@x@y"])
def test_what_is_neither_an_email_nor_a_domain_is_refused(database, who):
    with pytest.raises(LabelingError, match="Write an e-mail"):
        Roles(database, hosted=True).set_role(who, EVERYWHERE, "viewer", LOCAL)


@pytest.mark.parametrize(
    ("who", "project_id", "role", "told"),
    [
        ("e@x.org", EVERYWHERE, "owner", "is no role"),
        ("e@x.org", "wine", "admin", "everywhere"),
        (ANYBODY, EVERYWHERE, "admin", "everywhere"),
        ("e@x.org", "no_such_project", "viewer", "no such project"),
    ],
)
def test_roles_that_cannot_be_are_refused(database, who, project_id, role, told):
    roles = Roles(database, hosted=True)
    with pytest.raises(LabelingError, match=told):
        roles.set_role(who, project_id, role, LOCAL)
    assert roles.entries == []


def test_a_role_that_could_not_be_stored_is_not_in_force(database):
    roles = Roles(database, hosted=True)
    roles.set_role("ana@example.org", EVERYWHERE, "admin", LOCAL)
    roles.set_role("bob@example.org", EVERYWHERE, "viewer", LOCAL)
    before = roles.entries
    log = database.path.with_name(database.path.name + ".wal")
    for change in (
        lambda: roles.set_role("eva@example.org", EVERYWHERE, "admin", LOCAL),
        lambda: roles.remove_role("bob@example.org", EVERYWHERE, LOCAL),
    ):
        with full_disk(10, log), pytest.raises(duckdb.Error, match="File too large"):
            change()
        assert roles.entries == before == Roles(database, hosted=True).entries


def test_the_last_admin_stays(database):
    roles = Roles(database, hosted=True)
    roles.set_role("eva@example.org", EVERYWHERE, "admin", LOCAL)
    roles.set_role("*@example.org", EVERYWHERE, "admin", LOCAL)
    eva = roles.person("eva@example.org")
    with pytest.raises(LabelingError, match="last admin"):
        roles.remove_role("eva@example.org", EVERYWHERE, eva)
    with pytest.raises(LabelingError, match="last admin"):
        roles.set_role("eva@example.org", EVERYWHERE, "viewer", eva)
    assert Roles(database, hosted=True).person("eva@example.org").may("manage")
    roles.set_role("ana@example.org", EVERYWHERE, "admin", eva)
    roles.remove_role("eva@example.org", EVERYWHERE, eva)
    assert roles.person("eva@example.org").role(EVERYWHERE) != "none"  # the domain is left


def test_first_admins_come_from_the_environment_and_stay_whatever_the_table_says(
    database, monkeypatch
):
    roles = Roles(database, hosted=True)
    roles.set_role("eva@example.org", EVERYWHERE, "viewer", LOCAL)
    monkeypatch.setenv(ADMINS, " Eva@Example.org, , nonsense, *@example.org")
    roles = Roles(database, hosted=True)
    assert roles.person("eva@example.org").may("manage", "wine")
    assert not roles.person("ana@example.org").may_anywhere("see")
    assert [(each.who, each.added_by) for each in roles.entries] == [("eva@example.org", ADMINS)]


def test_only_an_admin_gives_roles(database):
    roles = Roles(database, hosted=True)
    roles.set_role("ana@example.org", EVERYWHERE, "annotator", LOCAL)
    with pytest.raises(ForbiddenError):
        roles.set_role("ana@example.org", EVERYWHERE, "admin", roles.person("ana@example.org"))


def test_the_roles_in_a_project_go_with_it(workspace, make_project):
    project = make_project()
    workspace.roles.set_role("ana@example.org", project.project_id, "annotator", LOCAL)
    use_cases.delete_project(workspace, project.project_id, LOCAL)
    assert workspace.roles.entries == []
    assert rows(workspace.database, "SELECT * FROM labeling.people") == []


def test_in_local_use_whoever_comes_may_do_everything(database):
    assert Roles(database, hosted=False).person("anybody").may("manage")


def test_who_forgets_to_say_how_the_server_is_used_keeps_everybody_out(tmp_path, monkeypatch):
    monkeypatch.setenv("LABELING_DATABASE", str(tmp_path / "app.duckdb"))
    Workspace(tmp_path / "app.duckdb").close()
    try:
        assert not open_workspace().roles.person("anybody").may_anywhere("see")
        assert open_workspace(hosted=False).roles.hosted, "the first to open it has decided"
    finally:
        close_workspaces()


EMAIL = "adam@example.org"


@pytest.mark.parametrize("said", [True, "true", "True"])
def test_a_confirmed_address_is_taken_in_lower_case(said):
    assert confirmed_email({"email": "Adam@Example.org", "email_verified": said}) == EMAIL


@pytest.mark.parametrize("said", [False, "false", "", 0, "yes", [True], None])
def test_an_address_that_is_not_said_to_be_confirmed_is_nobodys(said):
    assert confirmed_email({"email": EMAIL, "email_verified": said}) == ""
    assert confirmed_email({"email": EMAIL}) == ""


def test_a_setting_believes_a_provider_that_says_nothing_but_not_one_that_says_no(monkeypatch):
    monkeypatch.setenv("LABELING_UNCONFIRMED_EMAILS", "accept")
    assert confirmed_email({"email": EMAIL}) == EMAIL
    assert confirmed_email({"email": EMAIL, "email_verified": False}) == ""
    monkeypatch.setenv("LABELING_UNCONFIRMED_EMAILS", "perhaps")
    with pytest.raises(LabelingError, match="LABELING_UNCONFIRMED_EMAILS is “perhaps”"):
        confirmed_email({"email": EMAIL})


@pytest.mark.parametrize(
    "email",
    [" {}", "{} ", "{}\n", "\t{}", "\u00a0{}", "\u200b{}", "{}\x00", "\ufeff{}", "{}\u2028",
     "<{}>, x", "x,{}", "{}\x1f", "\u202e{}", None, 7],
)  # fmt: skip
def test_an_address_with_something_around_it_is_not_that_address(email):
    address = email.format(EMAIL) if isinstance(email, str) else email
    found = confirmed_email({"email": address, "email_verified": True})
    assert found != EMAIL and resolve([entry(EMAIL, "admin")], found).role("wine") == "none"
