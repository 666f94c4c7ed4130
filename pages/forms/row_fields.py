"""Rows of another file of the same shape, added to the table of a running project."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.projects.added_rows import also_used_by
from labeling_core.settings import Project
from labeling_core.sources.uploads import Upload
from labeling_core.workspace import Workspace
from pages.forms import upload_fields
from pages.shell import identity


def show(workspace: Workspace, project: Project) -> None:
    """An upload with what it holds, and the button that adds its rows."""
    turn = f"rows-turn-{project.project_id}"

    def key(name: str) -> str:
        return f"rows-{project.project_id}-{st.session_state.get(turn, 0)}-{name}"

    st.header("Add rows", anchor=False)
    st.caption(
        f"From a file with the columns of the table {project.settings.source}, in any order. "
        "Labels stay as they are."
    )
    with workspace.database.read() as cursor:
        others = [each.settings.title for each in also_used_by(cursor, project)]
    if others:
        st.info(f"The table is used by other projects, too: {', '.join(others)}. They get the rows "
                "when they look for new ones.")  # fmt: skip
    if sentence := st.session_state.pop("rows-added", None):
        st.success(sentence, icon=":material/check:")
    given = upload_fields.choose(workspace, key, "A file with more rows")
    if given is None:
        return
    try:
        preview = given.inspect()
        for note in (*given.notes, *preview.notes):
            st.info(note)
        st.caption(f"{preview.row_count:,} rows in {given.name}.")
        again = st.toggle(
            "Add rows that are there already once more", key=key("again"),
            help="Off: a row that the table holds with all its values is left out.",
        )  # fmt: skip
        if st.button("Add the rows", type="primary", key=key("add")):
            made, added = use_cases.add_rows(
                workspace, project, Upload(given.path, preview), identity.person(), again
            )
            st.session_state["rows-added"] = (
                f"{added.rows:,} rows added, {added.known:,} left out as they were there already; "
                f"the project has {made.samples:,} samples now."
            )
            st.session_state[turn] = st.session_state.get(turn, 0) + 1
            st.rerun()
    except LabelingError as error:
        st.error(str(error), icon=":material/error:")
