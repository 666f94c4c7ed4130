"""Samples as the deck shows them: whatever a column holds, there is a text for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from annotating import LOCAL, SETTINGS, Adjudicator, make_source

from labeling_core import use_cases
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Column


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("MAP {DATE '2026-01-02': 3}", "datetime.date(2026, 1, 2)"),
        ("[MAP {TIME '12:30:00': 2}]", "datetime.time(12, 30)"),
        ("MAP {[1, 2]: 'x'}", "[1, 2]"),
        ("MAP {1: 'ä'}", '{"1": "ä"}'),
        ("MAP {'k': DATE '2026-01-02'}", '{"k": "2026-01-02"}'),
        ("{'a': [1, NULL]}", '{"a": [1, null]}'),
    ],
)
def test_maps_of_any_key_are_shown(workspace, annotator, cell, shown):
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE wine AS SELECT {cell} AS odd, i FROM range(9) t(i)")
    ana = annotator(create_project(workspace.database, SETTINGS))
    ((name, text, _), *_) = ana.send(want=1)["samples"][0]["view"]["fields"]
    assert name == "odd"
    assert shown in text


@pytest.mark.parametrize(
    ("cell", "cut"),
    [
        ("[n / 7 FOR n IN range(384)]", True),
        ("[n / 7 FOR n IN range(384)]::FLOAT[384]", True),
        ("[n / 7 FOR n IN range(384)]::VARCHAR", True),
        ("[n FOR n IN range(9)]", False),
        ("repeat('[a wine, 1] ', 300)", False),
    ],
)
def test_of_a_vector_the_beginning_is_shown_and_the_whole_offered(workspace, annotator, cell, cut):
    with workspace.database.transaction() as cursor:
        cursor.execute(f"CREATE TABLE wine AS SELECT {cell} AS vector, i FROM range(9) t(i)")
    view = annotator(create_project(workspace.database, SETTINGS)).send(want=1)["samples"][0][
        "view"
    ]
    text = view["fields"][0][1]
    assert (len(text) == 80 and text.startswith("[0.0, 0.14")) is cut
    assert [name for name, *_ in view.get("truncated", [])] == ["vector"] * cut


COLUMNS = (Column("cask", "shown"), Column("bottle", "neither"))


def test_hidden_columns_never_reach_a_browser_and_the_main_one_comes_first(workspace, annotator):
    make_source(workspace.database)
    project = create_project(workspace.database, replace(SETTINGS, columns=COLUMNS))
    ana = annotator(project)
    view = ana.send(want=1)["samples"][0]["view"]
    assert [name for name, _, _ in view["fields"]] == ["cask", "acidity"] and "main" not in view
    settings = replace(project.settings, columns=(), main_column="acidity")
    project = use_cases.update_project(workspace, project.project_id, settings, LOCAL)
    view = annotator(project, "ben").send(want=1)["samples"][0]["view"]
    assert [name for name, _, _ in view["fields"]] == ["acidity", "bottle", "cask"]
    assert view["main"] == "acidity"


def test_reviewers_and_adjudicators_see_what_annotators_see(workspace, annotator):
    make_source(workspace.database, 40)
    settings = replace(
        SETTINGS, columns=COLUMNS, overlap_share=1.0, final_label="adjudicator", probe_share=0.0,
    )  # fmt: skip
    project = create_project(workspace.database, settings)
    for name, category in (("ana", "red"), ("ben", "white")):
        who = annotator(project, name)
        given = [who.decision(each, "label", category=category) for each in who.take(40)]
        who.send(given)
    past = who.send(history={"index": 0, "count": 5})["history"]["decisions"]
    disputed = Adjudicator(workspace, project, "cem").send(want=5)["samples"]
    assert past and disputed
    for each in [*past, *disputed]:
        assert [name for name, _, _ in each["view"]["fields"]] == ["cask", "acidity"]
