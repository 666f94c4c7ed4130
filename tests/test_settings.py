"""Settings as stored: of older and newer versions of the program, and of the wrong types."""

from __future__ import annotations

import json
import logging
from dataclasses import fields, replace

import pytest
from annotating import LOCAL, SETTINGS, rows

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.settings import Category, Column, Settings, default_tables
from labeling_core.workspace import Workspace

STORED = json.loads(SETTINGS.to_json())
LISTS = ("newer", "categories", "columns", "missing")
KINDS = {"str": "a text", "bool": "true or false", "int": "a whole number", "float": "a number",
         "tuple[str, ...] | None": "a list of texts"}  # fmt: skip
VALUES = ("often", True, 3, 2.5, float("nan"), None, [], {})
RIGHT = {"str": {"often"}, "bool": {"True"}, "int": {"3"}, "float": {"3", "2.5"},
         "tuple[str, ...] | None": {"None", "[]"}}  # fmt: skip


def stored_fields(record: type) -> list[tuple[str, str]]:
    """Name and type of what is stored of a record, but for the lists."""
    return [(each.name, str(each.type)) for each in fields(record) if each.name not in LISTS]


def wrong(record: type) -> list[tuple[str, str, object]]:
    """Every field with every value that is not of its type."""
    return [
        (name, kind, value)
        for name, kind in stored_fields(record)
        for value in VALUES
        if str(value) not in RIGHT[kind]
    ]


@pytest.mark.parametrize(("name", "kind", "value"), wrong(Settings))
def test_a_setting_of_the_wrong_type_is_refused_with_its_name_and_value(name, kind, value):
    with pytest.raises(LabelingError) as refused:
        Settings.from_json(json.dumps(STORED | {name: value}))
    assert f"has “{name}”: {json.dumps(value)} in its settings, where {KINDS[kind]} belongs" in str(
        refused.value
    )


@pytest.mark.parametrize(("name", "kind", "value"), wrong(Category))
def test_a_category_of_the_wrong_type_is_refused_with_its_number(name, kind, value):
    first, second = STORED["categories"]
    with pytest.raises(LabelingError) as refused:
        Settings.from_json(json.dumps(STORED | {"categories": [first, second | {name: value}]}))
    assert f"has “categories[1].{name}”: {json.dumps(value)} in" in str(refused.value)


@pytest.mark.parametrize(("name", "kind", "value"), wrong(Column))
def test_a_column_of_the_wrong_type_is_refused_with_its_number(name, kind, value):
    with pytest.raises(LabelingError) as refused:
        Settings.from_json(json.dumps({"columns": [{"name": "age", name: value}]}))
    assert f"has “columns[0].{name}”: {json.dumps(value)} in" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('{"columns": [{"name": "age", "missing": [1]}]}', "“columns[0].missing”: [1]"),
        ('{"columns": [{"name": "age", "missing": "NA"}]}', "where a list of texts belongs"),
        ('{"columns": [{"use": "both"}]}', "“columns[0].name”: null"),
        ("{", "“settings”: "),
        ("[1]", "“settings”: [1] in its settings, where an object belongs"),
        ('{"categories": {"red": 1}}', "“categories”: {"),
        ('{"categories": ["red"]}', "“categories[0]”: "),
        ('{"categories": [{"key": "r"}]}', "“categories[0].name”: null"),
        (json.dumps({"title": ["x" * 1000]}), "xxx…"),
    ],
)
def test_what_is_no_record_of_settings_is_refused(text, part):
    with pytest.raises(LabelingError) as refused:
        Settings.from_json(text)
    assert part in str(refused.value)
    assert len(str(refused.value)) < 300


def test_every_field_is_read_back_from_any_value_of_its_type():
    chosen = {"str": "ü“x”", "bool": True, "int": 7, "float": 0.25,
              "tuple[str, ...] | None": ("a",)}  # fmt: skip
    changed = {name: chosen[kind] for name, kind in stored_fields(Settings)}
    category = Category(**{name: chosen[kind] for name, kind in stored_fields(Category)})
    column = Column(**{name: chosen[kind] for name, kind in stored_fields(Column)})
    settings = Settings(
        **changed,
        categories=(category, *SETTINGS.categories),
        columns=(column, Column("age", "learned", "number", ("NA", "")), Column("x", missing=())),
    )
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json("{}") == Settings()


def newer_json() -> str:
    first, second = STORED["categories"]
    categories = [first | {"parent": "wine"}, second]
    return json.dumps(STORED | {"categories": categories, "budget": {"most": 500}, "newer": 1})


def test_keys_of_a_newer_program_are_kept_and_written_back():
    settings = Settings.from_json(newer_json())
    assert settings.newer == {"budget": {"most": 500}, "newer": 1}
    assert settings.names == SETTINGS.names
    assert hash(settings) == hash(SETTINGS) and settings != SETTINGS
    assert json.loads(settings.to_json()) == json.loads(newer_json())
    changed = json.loads(replace(settings, every=7).to_json())
    assert changed == json.loads(newer_json()) | {"every": 7}


def store(workspace: Workspace, text: str) -> None:
    with workspace.database.transaction() as cursor:
        cursor.execute("UPDATE labeling.projects SET settings = ?", [text])
    workspace.close()


def test_a_newer_programs_database_is_opened_and_keeps_its_keys(
    workspace, make_project, tmp_path, caplog
):
    make_project()
    store(workspace, newer_json())
    with caplog.at_level(logging.WARNING):
        opened = Workspace(tmp_path / "test.duckdb")
    try:
        assert "The project wine was saved by a newer version" in caplog.text
        assert "not heeded: budget, newer" in caplog.text
        settings = replace(opened.project("wine").settings, title="Wein")
        use_cases.update_project(opened, "wine", settings, LOCAL)
        use_cases.rename_category(opened, "wine", "red", "rot", LOCAL)
        ((text,),) = rows(opened.database, "SELECT settings FROM labeling.projects")
        assert json.loads(text)["budget"] == {"most": 500}
        assert [each.get("parent") for each in json.loads(text)["categories"]] == ["wine", None]
    finally:
        opened.close()


def test_a_database_with_unreadable_settings_is_refused_and_left_alone(
    workspace, make_project, tmp_path
):
    make_project()
    store(workspace, json.dumps(STORED | {"every": "often"}))
    for _ in range(2):  # the file is closed again: the second is told the same
        with pytest.raises(LabelingError, match='“every”: "often" in its settings'):
            Workspace(tmp_path / "test.duckdb")


def test_a_column_without_a_record_is_shown_and_learned_from():
    settings = Settings(columns=(Column("name", "shown"), Column("sex", "labels")))
    assert settings.column("age") == Column("age", "both")
    assert (settings.column("name").shown, settings.column("name").learned) == (True, False)
    assert (settings.column("sex").shown, settings.column("sex").learned) == (False, False)
    assert settings.column_used_as("labels") == "sex"
    assert settings.column_used_as("time") == ""


def test_tables_are_called_after_a_title_of_any_script():
    titles = ("طيور", "새 소리", "เสียง ที่", "Größe & Co.", "Wine colour", "…")
    found = [default_tables(each)["labels_table"] for each in titles]
    assert found == [
        "طيور_labels", "새_소리_labels", "เสียง_ที่_labels", "größe_co_labels", "wine_colour_labels",
        "project_labels",
    ]  # fmt: skip
