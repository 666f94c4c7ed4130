"""A SELECT over the database as a source: entered, run at a press, its rows looked at."""

from __future__ import annotations

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.sources.sql_queries import query_table
from labeling_core.sources.uploads import Upload, discard_table
from labeling_core.workspace import Workspace
from pages.forms.fields import Fields
from pages.shell import identity


def choose(fields: Fields, workspace: Workspace) -> Upload | None:
    """The rows of the query that was run last; None before the first."""
    sql = st.text_area(
        "SELECT over the tables of this database", key=fields.key("sql"),
        placeholder="SELECT * FROM orders WHERE year = 2026",
        help="One SELECT that reads tables of this database; it changes nothing. Its rows are kept "
        "as a new table, as those of an upload are.",
    )  # fmt: skip
    kept = fields.key("query")
    if st.button("Run the query", key=fields.key("run-query")):
        known = st.session_state.pop(kept, None)
        if known is not None:
            discard_table(known[1].path)
        try:
            upload = query_table(workspace.database, sql, identity.person())
            st.session_state[kept] = (sql, upload)
        except LabelingError as error:
            st.error(str(error), icon=":material/error:")
    fields.slot("source", "Samples")
    sql_of, upload = st.session_state.get(kept, ("", None))
    if upload is None or not upload.path.exists():
        return None
    if sql_of != sql:
        st.info("The query was changed since: run it again to take its rows.")
        return None
    return upload
