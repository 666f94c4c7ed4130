"""Names that look alike are one; many at once come from a list, a column, a file."""

from __future__ import annotations

import pytest
from annotating import LOCAL, SETTINGS, rows

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.projects import category_checks, category_lists
from labeling_core.projects.category_checks import compared
from labeling_core.settings import Category
from labeling_core.sources.importing import inspect

ALIKE = [
    ("café", "cafe\u0301"), ("Red", "rED"), ("Straße", "STRASSE"), ("a b", "a\u00a0b"),
    ("red", "r\u200bed"), ("red", "\u202ered\u202c"), ("red", "re\u00add"), ("red", "\ufeffred"),
    ("red", "\u2066red\u2069"), ("ﬁsh", "fish"), ("１２", "12"), ("a  b", " a b "),
    ("red", "red\u200e"), ("❤", "❤\ufe0f"), ("İ", "i\u0307"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_names_that_look_alike_are_one(one, other):
    assert compared(one) == compared(other) != ""
    categories = [Category(one, key="a"), Category(other, key="b")]
    (sentence,) = category_checks.mistakes(categories, ())
    assert "looks like the category" in sentence or "stands there twice" in sentence
    known = [each.name.strip() for each in categories]
    assert category_checks.mistakes(categories, known) == [] or "twice" in sentence


@pytest.mark.parametrize(("one", "other"), [("red", "rèd"), ("a", "b"), ("1", "2"), ("<", ">")])
def test_names_that_differ_stay_two(one, other):
    assert compared(one) != compared(other)
    categories = [Category(one, key="a"), Category(other, key="b")]
    assert category_checks.mistakes(categories, ()) == []


def test_a_name_of_nothing_to_see_is_none():
    (sentence,) = category_checks.mistakes([Category("a"), Category("b"), Category("\u200b")], ())
    assert "A category has no name" in sentence


def test_a_name_with_line_breaks_is_told_where_a_list_belongs():
    (sentence,) = category_checks.mistakes([Category("a\nb\nc"), Category("d")], ())
    assert sentence == "The name “a b c …” has line breaks: enter a list under “Add several”."


def test_a_rename_to_a_name_that_looks_like_another_is_refused(workspace, make_project):
    project = make_project()
    for name in ("WHITE", "whi\u00adte"):
        with pytest.raises(LabelingError, match="There is a category “white” already"):
            use_cases.rename_category(workspace, project.project_id, "red", name, LOCAL)
    renamed = use_cases.rename_category(workspace, project.project_id, "red", "Red", LOCAL)
    assert renamed.settings.names == ("Red", "white")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("red\nwhite\n\n rosé \n", ["red", "white", "rosé"]),
        ("- red\r\n* white\r\n• rosé", ["red", "white", "rosé"]),
        ("red, white; rosé", ["red, white", "rosé"]),
        ("red, white", ["red", "white"]),
        ("red\twhite", ["red", "white"]),
        ("one, two\nthree", ["one, two", "three"]),
        ("-5\n-x", ["-5", "-x"]),
        ("  ", []),
    ],
)
def test_a_pasted_list_is_as_many_categories(text, names):
    assert category_lists.pasted(text) == names


def test_what_is_there_already_is_left_out_and_said():
    taken = category_lists.new_names(["Red", "rosé", "rosé", "\u200b", "white"], ["red", "white"])
    assert taken.names == ["rosé"]
    assert taken.notes == [
        "“Red” looks like “red”: left out.", "“rosé” is there already: left out.",
        "“white” is there already: left out.",
    ]  # fmt: skip


def test_the_values_of_a_column_come_by_frequency(workspace, make_project, tmp_path, monkeypatch):
    make_project(24)
    with workspace.database.read() as cursor:
        taken = category_lists.of_table(cursor, f"main.{SETTINGS.source}", "cask")
        assert taken == (["cask 0", "cask 1", "cask 2", "cask 3", "cask 4"], [])
        monkeypatch.setattr(category_lists, "MOST", 2)
        taken = category_lists.of_table(cursor, f"main.{SETTINGS.source}", "cask")
    assert taken.names == ["cask 0", "cask 1"]
    assert taken.notes == ["“cask” holds more than 2 values: the most frequent were taken."]
    path = tmp_path / "a.csv"
    path.write_text("kind,n\nb,1\na,2\nb,3\n,4\n", encoding="utf-8")
    assert category_lists.of_file(path, inspect(path, "a.csv"), "kind").names == ["b", "a"]
    assert rows(workspace.database, "SELECT count(*) FROM wine") == [(24,)]
