"""Roles: what each may do, in which project."""

from __future__ import annotations

import pytest

from labeling_core.people import ACTIONS, EVERYWHERE, ROLES, ForbiddenError, Person, local_person


def test_each_role_adds_to_the_one_before_it() -> None:
    allowed = {
        role: [each for each in ACTIONS if Person("p", (("wine", role),)).may(each, "wine")]
        for role in ROLES
    }
    assert allowed == {
        "none": [],
        "viewer": ["see"],
        "annotator": ["see", "label"],
        "admin": ["see", "label", "manage"],
    }


def test_a_role_in_one_project_says_nothing_of_another() -> None:
    person = Person("eva", (("wine", "admin"), (EVERYWHERE, "viewer")))
    assert person.role("wine") == "admin"
    assert person.role("digits") == "viewer"
    with pytest.raises(ForbiddenError, match="needs the role “annotator”, and yours here is"):
        person.require("label", "digits")


def test_somebody_without_any_role_may_do_nothing_and_the_local_user_everything() -> None:
    assert not Person("x").may("see", "wine")
    local_person("ana").require("manage", "wine")


def test_an_admin_everywhere_is_an_admin_in_each_project() -> None:
    person = Person("eva", (("wine", "viewer"), (EVERYWHERE, "admin")))
    assert person.role("wine") == "admin"


def test_a_role_for_a_project_beats_one_for_all_even_downwards() -> None:
    person = Person("eva", (("wine", "none"), (EVERYWHERE, "annotator")))
    assert not person.may("see", "wine")
    assert person.may("label", "digits")
    assert person.may_anywhere("label")
    assert not person.may_anywhere("manage")
