"""Samples as the deck shows them: whatever a column holds, there is a text for it."""

from __future__ import annotations

import pytest
from annotating import SETTINGS

from labeling_core.projects.lifecycle import create_project


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
