"""The fields of the settings page that every project has, and those of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.learning.evaluation import ENOUGH
from labeling_core.learning.measures import MEASURES, WHEN, title
from labeling_core.modalities.registry import table_named
from labeling_core.projects import lifecycle
from labeling_core.projects.categories import assign_keys, read_categories
from labeling_core.settings import (
    Category,
    Project,
    Settings,
    named_after,
)
from labeling_core.sources import parquet_folders, parquet_notes
from labeling_core.sources.folders import allowed_places
from labeling_core.sources.uploads import Upload
from labeling_core.store.database import tables
from labeling_core.workspace import Workspace
from pages.forms import many_categories, query_fields, reading_fields, upload_fields
from pages.forms.fields import Fields
from pages.forms.upload_fields import Given
from pages.shell.plain_text import escaped

FILE, TABLE, QUERY = "Upload a file", "Use a table in the database", "Ask by SQL"
PARQUET = "Use Parquet files on the server"


def source(
    fields: Fields, workspace: Workspace, base: Settings, old: Project | None
) -> tuple[str, Upload | None]:
    """The table to label: the name of one in the database, or an upload with its name."""
    ways = [FILE, TABLE, PARQUET, QUERY]
    if old:
        ways = [PARQUET if parquet_folders.is_pattern(base.source) else TABLE]
    way = ways[0]
    if len(ways) > 1:
        way = st.segmented_control(
            "Samples from", ways, default=ways[0], key=fields.key("way"), required=True
        )
    if way == TABLE:
        return _table(fields, workspace, base), None
    if way == PARQUET:
        return _parquet(fields, workspace, base), None
    if way == QUERY:
        upload = query_fields.choose(fields, workspace)
        return _shown(fields, upload, "query") if upload else ("", None)
    given = upload_fields.choose(workspace, fields.key)
    fields.slot("source", "Samples")
    return _uploaded(fields, given) if given else ("", None)


def _table(fields: Fields, workspace: Workspace, base: Settings) -> str:
    with workspace.database.read() as cursor:
        listed = lifecycle.tables_to_label(cursor)
        options = {name: name for name in dict.fromkeys([*listed, base.source]) if name}
        if not options:
            st.info("The database holds no table to label yet: upload a file.")
            fields.slot("source", "Samples")
            return ""
        name = fields.choice(
            "source", "Table to label", options, base.source,
            "A table of the database file; it is read, never written.",
        )  # fmt: skip
        rows = table_named(name).first_rows(cursor, name)
        if rows is not None:
            st.dataframe(rows, hide_index=True)
    return name


def _parquet(fields: Fields, workspace: Workspace, base: Settings) -> str:
    typed = fields.text(
        "source", "Folder of Parquet files", base.source,
        "All of the folder, or a pattern such as readings/2026-*/*.parquet. They are read where "
        "they lie; columns that are neither shown nor learned from stay there. It lies below one "
        "of: " + ", ".join(f"`{root}`" for root in allowed_places()),
    )  # fmt: skip
    if not typed:
        return ""
    try:
        source = parquet_folders.pattern_of(typed)
        with workspace.database.read() as cursor:
            table = table_named(source, base.left_in_files or ())
            if mistake := table.mistake(cursor, source):
                fields.tell("source", mistake)
                return base.source
            for note in parquet_notes.notes(cursor, source):
                st.caption(escaped(note))
            st.dataframe(table.first_rows(cursor, source), hide_index=True)
    except LabelingError as error:
        fields.tell("source", str(error))
        return base.source
    if base.left_in_files:
        st.caption(escaped(f"Left in the files: {', '.join(base.left_in_files)}."))
    return source


def _uploaded(fields: Fields, given: Given) -> tuple[str, Upload | None]:
    preview = reading_fields.read(fields, given)
    if preview is None:
        return "", None
    for note in given.notes:
        st.info(note)
    return _shown(fields, Upload(given.path, preview), Path(given.name).stem)


def _shown(fields: Fields, upload: Upload, stem: str) -> tuple[str, Upload]:
    """The first rows of an upload and what was done to them, and the name of its table."""
    preview = upload.preview
    for note in preview.notes:
        st.info(note)
    st.caption(f"{upload_fields.size_of(preview)} The first of them:")
    st.dataframe(
        pd.DataFrame(preview.rows, columns=[name for name, _ in preview.columns]).astype(str),
        hide_index=True,
        height=220,
    )
    table = fields.text(
        "table", "Name of the new table", "", "Under this name the rows are kept in the database.",
        default=named_after(stem),
    )  # fmt: skip
    return table, upload


def categories(
    fields: Fields, workspace: Workspace, base: Settings, source: str, upload: Upload | None
) -> tuple[Category, ...]:
    """The categories as an editable table; the numbers in front give their order.

    Retired ones are kept beside it. ``source`` and ``upload`` are what may hold more of them.
    """
    # What was added at once: the rows to begin with, and how often; other categories begin anew.
    kept = fields.key("-".join(["category-rows", *base.names]))
    turn, added = st.session_state.get(kept, (0, None))
    rows = added or [
        {"order": number, "name": each.name, "description": each.description, "key": each.key,
         "colour": each.color}
        for number, each in enumerate(base.offered, start=1)
    ]  # fmt: skip
    key = fields.key("-".join(["categories", *[str(turn)] * (turn > 0), *base.names]))
    found = read_categories(_editor(rows, key).to_dict("records"))
    fields.slot("categories", "Categories")
    known = [each.name for each in found if each.name]
    known += [each.name for each in base.categories if each.retired]
    more = many_categories.show(fields, workspace, source, upload, known, turn)
    if more:
        listed = [{"name": each.name, "description": each.description, "key": each.key,
                   "colour": each.color} for each in found if each.name]  # fmt: skip
        listed += [{"name": name} for name in more]
        numbered = [{"order": number} | row for number, row in enumerate(listed, start=1)]
        st.session_state[kept] = (turn + 1, numbered)
        st.rerun()
    if found:
        shown = ", ".join(f"{each.name} `{each.key}`" for each in assign_keys(found) if each.key)
        st.caption(f"Keys: {shown}")
    newer = {each.name: each.newer for each in base.categories}
    edited_ones = tuple(replace(each, newer=newer.get(each.name, {})) for each in found)
    return edited_ones + tuple(each for each in base.categories if each.retired)


def _editor(rows: list[dict[str, Any]], key: str) -> pd.DataFrame:
    """The table in which categories are entered."""
    frame = pd.DataFrame(rows, columns=["order", "name", "description", "key", "colour"])
    text = {name: "string" for name in ("name", "description", "key", "colour")}
    return st.data_editor(
        frame.astype(text | {"order": "Float64"}),
        num_rows="dynamic",
        hide_index=True,
        key=key,
        column_config={
            "order": st.column_config.NumberColumn(
                "Order", help="Rows are sorted by it; 1.5 goes between 1 and 2.", width="small"
            ),
            "name": st.column_config.TextColumn("Name", required=True),
            "description": st.column_config.TextColumn(
                "Description", help="Optional: shown on the button.", width="large"
            ),
            "key": st.column_config.TextColumn(
                "Key", help="One letter or digit; found by itself if left empty.", max_chars=1,
                width="small",
            ),
            "colour": st.column_config.TextColumn(
                "Colour", help="Like #1a2b3c; found by itself if left empty.", width="small"
            ),
        },
    )  # fmt: skip


def measure(fields: Fields, base: Settings) -> str:
    """By which measure a session's model is told to be good, and when to choose which."""
    offered = dict.fromkeys([*MEASURES, base.measure])  # that may be of a newer program
    chosen = fields.choice(
        "measure", "Measure",
        {each: title(each) for each in offered},
        base.measure,
        "By what the learning curve, the advice when to stop and the figure on every page say how "
        "good the model is, and what a sample is taken for: by a measure that counts categories "
        "alike, a rare one before it is the likeliest. It changes neither what is learned nor what "
        "is asked, and can be changed at any time; predictions follow with the next session.",
    )  # fmt: skip
    said = WHEN.get(chosen, "")
    if chosen in MEASURES and chosen != "accuracy":
        said += (
            f" It takes {ENOUGH} probes of each category: where one is rare, a larger share of "
            "probes, or a test table. Until then accuracy is told."
        )
    st.caption(said)
    return chosen


def test_table(fields: Fields, workspace: Workspace, base: Settings) -> str:
    """The optional labeled test table."""
    with workspace.database.read() as cursor:
        names = {"": "none: measure on probes"} | {name: name for name in tables(cursor)}
    return fields.choice(
        "test_table", "Labeled test table", names, base.test_table,
        "If you have labeled data: a table with the same columns and the label column. Accuracy "
        "is then measured on it, and no probes are drawn.",
    )  # fmt: skip
