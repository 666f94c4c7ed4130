"""A labeling page: the deck on what is to be labeled."""

from __future__ import annotations

import streamlit as st

from labeling_core.access import tokens
from labeling_core.settings import Project
from labeling_core.workspace import open_workspace
from pages.shell import identity, mounting
from pages.shell.project import current_project, label_page


def label(modality: str) -> None:
    """The whole of a labeling page: the deck, or the way to the page that has this project's."""
    workspace, project = current_project()
    if project.settings.modality != modality:
        st.info("This project's samples are of another kind.", title=project.settings.title)
        st.page_link(label_page(project), label="Open its own labeling page")
        st.stop()
    workspace.loop.prepare(project)
    show_deck(project)


@st.fragment
def show_deck(project: Project) -> None:
    """The deck on what is to be labeled."""
    key, who = project.project_id, identity.person().name

    def issue() -> str:
        return tokens.issue(open_workspace().key, key, who)

    mounting.mount(project, mounting.LABEL, f"deck-{key}-{who}", f"{key}/{who}", issue)
