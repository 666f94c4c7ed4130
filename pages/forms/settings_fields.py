"""The fields of the settings page that every project has, and those of a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.projects import lifecycle
from labeling_core.projects.categories import assign_keys, read_categories
from labeling_core.settings import (
    Category,
    Project,
    Settings,
    slug,
)
from labeling_core.sources import importing
from labeling_core.sources.uploads import Upload, discard_table, stage_table
from labeling_core.store.database import tables
from labeling_core.store.table_rows import first_rows
from labeling_core.workspace import Workspace
from pages.forms.fields import Fields

FILE, TABLE = "Upload a file", "Use a table in the database"
DECIMALS = {".": "point (1.5)", ",": "comma (1,5)"}


def source(
    fields: Fields, workspace: Workspace, base: Settings, old: Project | None
) -> tuple[str, Upload | None]:
    """The table to label: the name of one in the database, or an upload with its name."""
    ways = [TABLE] if old else [FILE, TABLE]
    way = ways[0]
    if len(ways) > 1:
        way = st.segmented_control(
            "Samples from", ways, default=ways[0], key=fields.key("way"), required=True
        )
    if way == TABLE:
        return _table(fields, workspace, base), None
    file = st.file_uploader(
        "CSV, TSV, Parquet or JSON lines", type=["csv", "tsv", "txt", "parquet", "jsonl", "ndjson",
        "json"], key=fields.key("file"),
        help="Delimiter, decimal mark and encoding are found out; correct them below if need be.",
    )  # fmt: skip
    fields.slot("source", "Samples")
    if file is None:
        return "", None
    return _uploaded(fields, workspace, file)


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
        rows = first_rows(cursor, name)
        if rows is not None:
            st.dataframe(rows, hide_index=True)
    return name


def _uploaded(fields: Fields, workspace: Workspace, file: Any) -> tuple[str, Upload | None]:
    path = keep_upload(workspace, file)
    try:
        preview = _inspect(path, file.name)
        if preview.delimiter is not None:
            preview = _reread(fields, path, file.name, preview)
    except LabelingError as error:
        st.error(str(error))
        return "", None
    for note in preview.notes:
        st.info(note)
    st.caption(f"{preview.row_count:,} rows, {len(preview.columns)} columns. The first of them:")
    st.dataframe(
        pd.DataFrame(preview.rows, columns=[name for name, _ in preview.columns]).astype(str),
        hide_index=True,
        height=220,
    )
    table = fields.text(
        "table", "Name of the new table", "", "Under this name the file's rows are kept in the "
        "database.", default=slug(Path(file.name).stem),
    )  # fmt: skip
    return table, Upload(path, preview)


def keep_upload(workspace: Workspace, file: Any) -> Path:
    """Write an upload to disk once; reruns find it there, and another one takes its place."""
    file_id, path = st.session_state.get("upload", (None, None))
    if path is None or file_id != file.file_id or not path.exists():
        if path is not None:
            discard_table(path)
        path = stage_table(workspace.database.path.parent, file.getbuffer())
        st.session_state["upload"] = (file.file_id, path)
    return path


def _reread(fields: Fields, path: Path, name: str, preview: importing.Preview) -> importing.Preview:
    """Let the person correct how a text file is read; another file begins with what was found."""
    file = path.parent.name
    first, second, third = st.columns(3)
    with first:
        delimiter = fields.choice(
            f"delimiter-{file}", "Delimiter", importing.DELIMITERS, preview.delimiter or ",",
            "What separates the columns.",
        )  # fmt: skip
    with second:
        decimal = fields.choice(
            f"decimal-{file}",
            "Decimal mark",
            DECIMALS,
            preview.decimal or ".",
            "How numbers are written.",
        )
    with third:
        encoding = fields.text(
            f"encoding-{file}", "Encoding", "", "How letters are written, such as utf-8 or cp1252.",
            default=preview.encoding or "utf-8",
        )  # fmt: skip
    found = (preview.delimiter, preview.decimal, preview.encoding)
    if (delimiter, decimal, encoding) == found:
        return preview
    return _inspect(path, name, delimiter=delimiter, decimal=decimal, encoding=encoding)


@st.cache_data(max_entries=16, show_spinner="Reading the file …")
def _inspect(path: Path, name: str, **reading: Any) -> importing.Preview:
    """Read the whole upload once, not at every rerun of the page."""
    return importing.inspect(path, name, **reading)


def categories(fields: Fields, base: Settings) -> tuple[Category, ...]:
    """The categories as an editable table; the numbers in front give their order.

    Retired ones are kept beside it.
    """
    rows = [
        {"order": number, "name": each.name, "description": each.description, "key": each.key,
         "colour": each.color}
        for number, each in enumerate(base.offered, start=1)
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["order", "name", "description", "key", "colour"])
    text = {name: "string" for name in ("name", "description", "key", "colour")}
    edited = st.data_editor(
        frame.astype(text | {"order": "Float64"}),
        num_rows="dynamic",
        hide_index=True,
        key=fields.key("-".join(["categories", *base.names])),  # other ones: begin anew
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
    fields.slot("categories", "Categories")
    found = read_categories(edited.to_dict("records"))
    if found:
        shown = ", ".join(f"{each.name} `{each.key}`" for each in assign_keys(found) if each.key)
        st.caption(f"Keys: {shown}")
    newer = {each.name: each.newer for each in base.categories}
    edited_ones = tuple(replace(each, newer=newer.get(each.name, {})) for each in found)
    return edited_ones + tuple(each for each in base.categories if each.retired)


def test_table(fields: Fields, workspace: Workspace, base: Settings) -> str:
    """The optional labeled test table."""
    with workspace.database.read() as cursor:
        names = {"": "none: measure on probes"} | {name: name for name in tables(cursor)}
    return fields.choice(
        "test_table", "Labeled test table", names, base.test_table,
        "If you have labeled data: a table with the same columns and the label column. Accuracy "
        "is then measured on it, and no probes are drawn.",
    )  # fmt: skip
