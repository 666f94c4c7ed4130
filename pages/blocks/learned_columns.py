"""What the model learns from, and what it leaves out, with the reasons."""

from __future__ import annotations

import streamlit as st

from labeling_core.modalities.registry import modality_of
from labeling_core.sessions import features
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages.shell.plain_text import escaped


def show(workspace: Workspace, project: Project) -> None:
    """A tally and a table; nothing where the samples are files, or no model is trained."""
    settings = project.settings
    if modality_of(settings).reads_files or not settings.queries_table:
        return
    found = features.learned(workspace.database, project)
    if found is None:
        st.caption("What is learned from is found out anew with the next session.")
        return
    learned, all_of_them = len(found.columns), len(found.columns) + len(found.left_out)
    st.progress(
        learned / max(all_of_them, 1),
        text=f"The model learns from {learned:,} of {all_of_them:,} "
        f"{'column' if all_of_them == 1 else 'columns'}.",
    )
    for each in found.joined.values():
        st.caption(f"Vectors: {escaped(each)}")
    with st.expander("Columns learned from, and those left out with the reason"):
        st.dataframe(features.learned_rows(settings, found), hide_index=True)
