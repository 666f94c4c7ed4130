"""What the loop of a project is doing."""

from __future__ import annotations

import streamlit as st

from labeling_core.settings import Project
from labeling_core.workspace import open_workspace
from pages.shell import gate


@st.fragment(run_every="1s")
def show_status(project: Project) -> None:
    """What the loop is doing; a progress bar while a session runs, a rerun when one ends."""
    gate.still("see", project.project_id)
    status = open_workspace().loop.status(project)
    session_id = open_workspace().queue(project).session_id
    seen = st.session_state.setdefault("session_seen", {})
    before = seen.get(project.project_id, (session_id, status.state))
    seen[project.project_id] = (session_id, status.state)
    if status.state == "running":
        st.progress(status.progress or 0.0, text=status.told())
    elif status.state == "failed":
        st.error(status.text, icon=":material/error:")
    else:
        st.caption(f"Session {session_id}: {status.text}" if session_id else status.text)
    if before != (session_id, status.state):
        st.rerun()
