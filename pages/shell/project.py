"""The project that a page is about."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.modalities.registry import modality_of
from labeling_core.settings import Project
from labeling_core.workspace import Workspace, open_workspace
from pages.shell import identity


def visible_projects() -> dict[str, Project]:
    return use_cases.visible_projects(open_workspace(), identity.person())


def current_project(title: str = "") -> tuple[Workspace, Project]:
    """The workspace and the chosen project; shows an empty state and stops if there is none, under
    the ``title`` of a page that has not shown its own."""
    chosen = st.session_state.get("project")
    if chosen is None or chosen not in visible_projects():
        if title:
            st.title(title, anchor=False)
        no_project()
        st.stop()
    return open_workspace(), open_workspace().project(chosen)


def no_project() -> None:
    """The empty state of a page, with the way out for those who may take it."""
    if not identity.person().may("manage"):
        st.info("An admin can make one.", title="There is no project yet")
        return
    st.info(
        "Make one from a table, a folder of images or of recordings: it takes a minute.",
        title="There is no project yet",
    )
    st.page_link(
        "settings.py", label="New project", icon=":material/add:", query_params={"new": "1"}
    )


def label_page(project: Project) -> str:
    """The page on which a project's samples are labeled."""
    return f"{modality_of(project.settings).page}.py"
