"""A labeling page: the deck on what is to be labeled."""

from __future__ import annotations

import streamlit as st

from labeling_core.access import tokens
from labeling_core.settings import Project
from labeling_core.workspace import open_workspace
from pages.shell import identity, mounting
from pages.shell.plain_text import escaped
from pages.shell.project import current_project, label_page, visible_projects


def label(modality: str) -> None:
    """The whole of a labeling page: the deck, or the way to the page that has this project's."""
    title = f"Label {modality}"
    workspace, project = current_project(title)
    if project.settings.modality != modality:
        st.title(title, anchor=False)
        _offer_others(project, modality)
        st.stop()
    workspace.loop.prepare(project)
    show_deck(project)


def _offer_others(project: Project, modality: str) -> None:
    """The projects whose samples are labeled on this page: the only one is opened at once."""
    person = identity.person()
    others = [
        each
        for each in visible_projects().values()
        if each.settings.modality == modality and person.may("label", each.project_id)
    ]
    if len(others) == 1:
        st.switch_page(label_page(others[0]), query_params={"project": others[0].project_id})
    found = f"These projects are of {modality}:" if others else f"No project is of {modality} yet."
    st.info(found, title=f"“{escaped(project.settings.title)}” is not")
    for each in others:
        st.page_link(
            label_page(each),
            label=escaped(each.settings.title),
            icon=":material/play_arrow:",
            query_params={"project": each.project_id},
        )
    st.page_link(
        label_page(project),
        label=f"Go on with “{escaped(project.settings.title)}”",
        query_params={"project": project.project_id},
    )


@st.fragment
def show_deck(project: Project) -> None:
    """The deck on what is to be labeled."""
    key, who = project.project_id, identity.person().name

    def issue() -> str:
        return tokens.issue(open_workspace().key, key, who)

    mounting.mount(project, mounting.LABEL, f"deck-{key}-{who}", f"{key}/{who}", issue)
