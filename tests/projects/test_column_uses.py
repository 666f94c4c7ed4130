"""How columns are used: what is shown and in which order, what is learned from, what is wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

import pytest
from annotating import SETTINGS, make_source

from labeling_core.errors import LabelingError
from labeling_core.projects import column_facts, column_uses, lifecycle
from labeling_core.projects.samples import Sample
from labeling_core.settings import LABEL_USES, USES, Column, Settings
from labeling_core.store import eventlog
from labeling_core.store.database import columns
from labeling_core.store.event_sentences import sentence
from labeling_core.store.events import Entry

FOUND = ["a", "b", "c", "d", "e"]
SAMPLE = Sample("1", [(name, "VARCHAR", name.upper()) for name in FOUND])


def names(sample: Sample) -> str:
    return "".join(name for name, _, _ in sample.fields)


def test_hidden_columns_go_and_the_main_one_comes_first():
    columns = (Column("d", "shown"), Column("b", "learned"), Column("e", "labels"), Column("a"))
    assert names(column_uses.arranged(SAMPLE, Settings(columns=columns))) == "dac"
    assert names(column_uses.arranged(SAMPLE, Settings(columns=columns, main_column="c"))) == "cda"
    assert names(column_uses.arranged(SAMPLE, Settings(main_column="e"))) == "eabcd"
    assert column_uses.arranged(SAMPLE, Settings()) is SAMPLE


@pytest.mark.parametrize("seed", range(200))
def test_the_shortest_record_says_the_same_as_the_whole_one(seed):
    drawn = random.Random(seed)
    order = drawn.sample(FOUND, 5) if seed % 2 else FOUND
    uses = [drawn.choice(list(USES) if seed % 3 else ["both"]) for _ in order]
    whole = [Column(name, use) for name, use in zip(order, uses, strict=True)]
    short = column_uses.as_stored(whole, FOUND)
    said = [column_uses.arranged(SAMPLE, Settings(columns=tuple(each))) for each in (whole, short)]
    assert names(said[0]) == names(said[1])
    settings = Settings(columns=short)
    assert {each.name: settings.column(each.name).use for each in whole} == dict(
        zip(order, uses, strict=True)
    )
    again = column_uses.as_stored(column_uses.in_order(settings, FOUND), FOUND)
    assert again == short  # saved twice, nothing changes


def test_what_is_as_usual_needs_no_record():
    assert column_uses.as_stored([Column(name) for name in FOUND], FOUND) == ()
    hidden = [Column(name, "neither" if name == "c" else "both") for name in FOUND]
    assert column_uses.as_stored(hidden, FOUND) == (Column("c", "neither"),)


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"columns": (Column("colour"),)}, "columns", "There is no column “colour”"),
        ({"columns": (Column("cask"), Column("cask"))}, "columns", "“cask” is listed twice"),
        ({"columns": (Column("cask", "seen"),)}, "columns", "“seen” is no use of a column"),
        ({"columns": (Column("cask", kind="pie"),)}, "columns", "cannot be taken for “pie”"),
        (
            {"columns": (Column("bottle", "labels"), Column("cask", "labels"))},
            "columns", "“bottle” and “cask”: only one column can be “holds labels”",
        ),
        ({"columns": (Column("cask", "time"),)}, "columns", "no column holds labels"),
        ({"main_column": "colour"}, "main_column", "There is no column “colour”"),
        (
            {"columns": (Column("cask", "learned"),), "main_column": "cask"},
            "main_column", "“cask” is not shown",
        ),
    ],
)  # fmt: skip
def test_a_mistake_in_the_columns_is_told_at_its_field(database, change, field, sentence):
    make_source(database)
    with database.read() as cursor:
        found = lifecycle.problems(cursor, replace(SETTINGS, **change))
    assert [each.field for each in found] == [field]
    assert sentence in found[0].sentence


@pytest.mark.parametrize(
    ("use", "sentence"), [("learned", "No column is shown"), ("shown", "No column is learned from")]
)
def test_something_is_shown_and_something_learned_from(database, use, sentence):
    make_source(database)
    with database.read() as cursor:
        listed = [name for name, _ in lifecycle.samples.source_columns(cursor, SETTINGS)]
        settings = replace(SETTINGS, columns=tuple(Column(name, use) for name in listed))
        (told,) = lifecycle.problems(cursor, settings)
        assert told.field == "columns" and sentence in told.sentence
        if use == "shown":  # without active learning nothing is learned
            assert not lifecycle.problems(cursor, replace(settings, queries_table=""))


@pytest.mark.parametrize("use", LABEL_USES)
def test_what_holds_labels_stays_as_it_was_when_the_project_was_made(database, use):
    make_source(database)
    project = lifecycle.create_project(database, SETTINGS)
    columns = (Column("cask", use), *([] if use == "labels" else [Column("bottle", "labels")]))
    with pytest.raises(LabelingError, match="when a project is made"):
        lifecycle.update_project(database, project.project_id, replace(SETTINGS, columns=columns))


def test_a_name_that_is_free_is_found_whatever_the_case():
    assert column_uses.free_name("label", ["a"]) == "label"
    assert column_uses.free_name("label", ["Label"]) == "label_given"
    assert column_uses.free_name("label", ["LABEL", "Label_Given"]) == "label_given_2"


def test_a_change_of_columns_is_a_sentence_in_the_log():
    new = Settings(columns=(Column("a", "neither"), Column("b", "shown")))
    changed = eventlog.changes(Settings(columns=(Column("b", "learned"),)), new)
    entry = Entry(1, datetime(2026, 1, 1), "p", "ana", "settings", None, None, {"changed": changed})
    said = sentence(entry)
    assert "“a” neither, was shown and learned from; “b” shown only, was learned from only" in said


def test_doubtful_columns_are_told_with_their_reason(database):
    with database.transaction() as cursor:
        cursor.execute(
            "CREATE TABLE t AS SELECT i, i * 37 % 1000 AS n, 'x' AS same, NULL::VARCHAR AS no, "
            "'id-' || i AS id, ['a'] AS many, 'a fine wine number ' || i AS note, "
            "['red', 'white'][i % 2 + 1] AS kind FROM range(500) t(i)"
        )
        listed = columns(cursor, "t")
        told = column_facts.doubts(cursor, "main.t", listed)
    assert {name: text.split(":")[0] for name, text in told.items()} == {
        "i": "Only numbers the rows", "same": "Has the same value everywhere",
        "no": "Has no values", "id": "Another value in nearly every row, like an id",
        "many": "Nested or binary",
    }  # fmt: skip


def test_columns_beyond_those_that_can_be_learned_from_are_told(database):
    with database.transaction() as cursor:
        listed = [(f"c{n}", "BIGINT") for n in range(402)]
        cursor.execute(
            f"CREATE TABLE wide AS SELECT {', '.join(f'(i * 7 % 50) AS c{n}' for n in range(402))} "
            "FROM range(100) t(i)"
        )
        told = column_facts.doubts(cursor, "main.wide", listed)
    assert sorted(told) == ["c400", "c401"]


def test_the_labels_in_a_column_are_counted_and_empty_ones_are_none(database):
    with database.transaction() as cursor:
        cursor.execute("CREATE TABLE t AS SELECT unnest(['b', ' b', '', NULL, 'a']) AS kind")
        assert column_facts.labels_in(cursor, "main.t", "kind") == ([("b", 2), ("a", 1)], 3)
