"""Files of a project that are there twice."""

from __future__ import annotations

import streamlit as st

from labeling_core.modalities.twins import BYTES
from labeling_core.sessions import features
from labeling_core.settings import Project
from labeling_core.workspace import Workspace

_SHOWN = 1_000


def show(workspace: Workspace, project: Project) -> None:
    """How many files are the same as another, and which; nothing where all differ."""
    found = features.same_files(workspace.database, project)
    if not found:
        return
    by_bytes = sum(each.same == BYTES for each in found)
    count = f"{len(found):,} {'file is' if len(found) == 1 else 'files are'}"
    st.header("The same twice", anchor=False)
    st.text(
        f"{count} the same as another: {by_bytes:,} byte for byte, {len(found) - by_bytes:,} by "
        "all that the model sees of them. Each is asked for by itself."
    )
    with st.expander("Which"):
        st.dataframe(
            {
                "file": [each.path for each in found[:_SHOWN]],
                "same as": [each.of for each in found[:_SHOWN]],
                "by": [each.same for each in found[:_SHOWN]],
            },
            hide_index=True,
        )
        if len(found) > _SHOWN:
            st.caption(f"The first {_SHOWN:,} of {len(found):,}.")
