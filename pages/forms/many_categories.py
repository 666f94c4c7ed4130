"""Many categories at once: a list, the values of a column, a file."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import table_named
from labeling_core.projects import category_lists
from labeling_core.projects.category_lists import Taken
from labeling_core.sources.uploads import Upload
from labeling_core.workspace import Workspace
from pages.forms import upload_fields
from pages.forms.fields import Fields

LIST, COLUMN, FILE = "A list", "A column of the samples", "A file"


def show(
    fields: Fields,
    workspace: Workspace,
    source: str,
    upload: Upload | None,
    known: Sequence[str],
    turn: int,
) -> list[str]:
    """The names that are to be added, once the button is pressed; ``turn`` empties the fields."""
    with st.expander("Add several", icon=":material/playlist_add:"):
        way = st.segmented_control(
            "Categories from", [LIST, COLUMN, FILE], default=LIST, required=True,
            key=fields.key(f"many-way-{turn}"),
        )  # fmt: skip
        try:
            found = _found(fields, workspace, source, upload, str(way), turn)
        except LabelingError as error:
            st.error(str(error), icon=":material/error:")
            return []
        taken = category_lists.new_names(found.names, known)
        for note in (*found.notes, *taken.notes):
            st.info(note)
        if taken.names:
            first = ", ".join(taken.names[:12]) + (" …" if len(taken.names) > 12 else "")
            st.caption(f"{len(taken.names):,} new: {first}")
        pressed = st.button(
            "Add them", key=fields.key(f"many-add-{turn}"), disabled=not taken.names
        )
        return taken.names if pressed else []


def _found(
    fields: Fields,
    workspace: Workspace,
    source: str,
    upload: Upload | None,
    way: str,
    turn: int,
) -> Taken:
    if way == LIST:
        text = st.text_area(
            "One name per line", key=fields.key(f"many-list-{turn}"), height=160,
        )  # fmt: skip
        return Taken(category_lists.pasted(text), [])
    if way == COLUMN:
        return _of_column(fields, workspace, source, upload, turn)
    given = upload_fields.choose(
        workspace, lambda name: fields.key(f"many-{turn}-{name}"), "A file with a column of names"
    )
    if given is None:
        return Taken([], [])
    preview = given.inspect()
    names = [name for name, _ in preview.columns]
    column = names[0]
    if len(names) > 1:
        column = st.selectbox("Column of names", names, key=fields.key(f"many-file-{turn}"))
    return category_lists.of_file(given.path, preview, str(column))


def _of_column(
    fields: Fields, workspace: Workspace, source: str, upload: Upload | None, turn: int
) -> Taken:
    with workspace.database.read() as cursor:
        table = table_named(source)
        named = upload.preview.columns if upload else table.columns(cursor, source)
        if not named:
            st.caption("Choose the table to label first.")
            return Taken([], [])
        column = st.selectbox(
            "Column with the categories", [name for name, _ in named], index=None,
            placeholder="Choose one", key=fields.key(f"many-column-{turn}"),
        )  # fmt: skip
        if column is None:
            return Taken([], [])
        if upload is not None:
            return category_lists.of_file(upload.path, upload.preview, column)
        return category_lists.of_table(cursor, table.rows(cursor, source), column)
