"""Samples about which people disagree: who said what, and which label holds, one key each."""

from __future__ import annotations

import streamlit as st

from labeling_core.access import tokens
from labeling_core.settings import Project
from labeling_core.workspace import open_workspace
from pages.shell import identity, mounting


@st.fragment
def show(project: Project) -> None:
    """The disputed samples of a project, for those who may settle them."""
    by = identity.person()
    if not by.may("manage", project.project_id):
        st.info("Ask an admin of this project.", title="Adjudicators only")
        return

    def issue() -> str:
        return tokens.issue(open_workspace().key, project.project_id, by.name)

    key = f"adjudication-{project.project_id}-{by.name}"
    mounting.mount(project, mounting.ADJUDICATE, key, key, issue)
