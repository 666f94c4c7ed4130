"""From a source into a project, out by its downloads and into a project again: nothing is lost."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from annotating import LOCAL, SETTINGS, Annotator, rows

from labeling_core.projects import lifecycle
from labeling_core.settings import quote
from labeling_core.sources.importing import inspect, load
from labeling_core.store.exporting import FORMATS
from labeling_core.web import exports

TEXTS = [
    "plain", "", None, "ÄÖÜ ß 漢字 🙂 العربية", 'say "hello"', "a,b;c\td", "two\nlines",
    "two\r\nlines", " blanks ", "'", "NULL", "NA", "=1+1", "\\N", "\\", "0", "\u200b", "e\u0301",
]  # fmt: skip
COLUMNS = {
    "text": TEXTS,
    "yes": ["yes", "no", None, "t", "f", "true"] * 3,
    "code": ["007", "1.10", "-0", "0x1F", "1e5", None] * 3,
    "odd date": ["9999-12-31", "2023-02-30", "infinity", "epoch", "0001-01-01", None] * 3,
    "number": [1.5, None, -2.25, 1e300, 0.1, 3.0] * 3,
    "whole": [2**62, None, -1, 0, 5, 6] * 3,
    "day": [datetime.date(2020, 1, 31), None, datetime.date(1, 1, 1)] * 6,
    "moment": [datetime.datetime(2020, 1, 31, 12, 30, 0, 250), None] * 9,
    'na"me, with\nall': ["x", None, "z"] * 6,
    "Straße": ["x", "", None] * 6,
}
NESTED = {
    "list": [["a", 'b"c'], [], None] * 6,
    "struct": [{"a": 1, "b": {"c": "ü\n"}}, None] * 9,
}


def source(folder: Path, wide: bool) -> Path:
    """A Parquet file with the columns, and 300 more where ``wide``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = COLUMNS | NESTED
    if wide:
        columns |= {f"column {at}": [f"{at} {row}" for row in range(18)] for at in range(300)}
    path = folder / "source.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def cells(
    workspace: Any, table: str, as_text: bool, as_json: bool = False
) -> list[tuple[Any, ...]]:
    """The rows of a table in the order of its label_id, as values or as the texts of them."""
    kinds = {
        name: kind for name, kind, *_ in rows(workspace.database, f"DESCRIBE main.{quote(table)}")
    }
    names = list(kinds)
    listed = ", ".join(
        f"to_json({quote(name)})::VARCHAR"
        if as_json and re.match(r"STRUCT|DOUBLE|.*\[", kinds[name])
        else f"{quote(name)}::VARCHAR"
        if as_text
        else quote(name)
        for name in names
    )
    query = f"SELECT {listed} FROM main.{quote(table)} ORDER BY label_id"
    return [tuple(names), *rows(workspace.database, query)]


@pytest.mark.parametrize("wide", [False, True], ids=["few columns", "300 columns"])
@pytest.mark.parametrize("form", list(FORMATS))
def test_what_was_labeled_comes_out_and_in_again_unchanged(workspace, tmp_path, form, wide):
    path = source(tmp_path, wide)
    with workspace.database.transaction() as cursor:
        load(cursor, path, inspect(path, path.name), "wine")
    first = lifecycle.create_project(workspace.database, replace(SETTINGS, every=1000))
    label(workspace, first)
    for what in ("labels", "metadata"):
        file = tmp_path / f"{what}.{FORMATS[form][0]}"
        exports.save(exports.export(workspace, first, what, form, LOCAL).pieces, file)
        with workspace.database.transaction() as cursor:
            load(cursor, file, inspect(file, file.name), f"again_{what}")
        as_text = form != "Parquet"  # a CSV has no types: a nested value is its text
        as_json = form == "JSON lines"  # which come back as they are written there
        assert cells(workspace, f"again_{what}", as_text, as_json) == cells(
            workspace, f"wine_{what}", as_text, as_json
        )
    again = replace(
        SETTINGS, title="Again", source="again_labels", label_column="label_2",
        label_id_column="label_id_2", labels_table="l2", metadata_table="m2", queries_table="",
    )  # fmt: skip
    second = lifecycle.create_project(workspace.database, again)
    label(workspace, second)
    own = [quote(name) for name in cells(workspace, "again_labels", True)[0]]
    listed = ", ".join(f"{name}::VARCHAR" for name in own)
    kept = rows(workspace.database, f"SELECT {listed} FROM main.l2 ORDER BY label_id")
    assert kept == cells(workspace, "again_labels", True)[1:]


def label(workspace: Any, project: Any) -> None:
    """Every sample gets a category and a comment that is not easy to keep."""
    ana = Annotator(workspace, project, "ana")
    comments = iter([each or "no comment" for each in TEXTS])
    done = 0
    while samples := ana.send(want=18)["samples"]:
        category = ("red", "white")[done % 2]
        ana.send(
            [
                ana.decision(each["sample_id"], "label", category=category, comment=next(comments))
                for each in samples
            ]
        )
        done += len(samples)
    assert done == len(TEXTS)
