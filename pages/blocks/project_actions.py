"""What else can be done with a project on the settings page."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import source_of
from labeling_core.people import Person
from labeling_core.settings import Project
from labeling_core.workspace import Workspace
from pages.blocks import remains


def show(workspace: Workspace, project: Project, by: Person) -> None:
    """Take over changes of the source; forget the project."""
    st.header("More", anchor=False)
    with st.container(horizontal=True):
        what = source_of(project.settings).entries
        if st.button(f"Look for new {what} in the source", icon=":material/sync:"):
            try:
                _, change = use_cases.refresh_source(workspace, project, by)
                st.toast(change.told())
            except LabelingError as error:
                st.error(str(error))
        with st.popover("Delete the project", icon=":material/delete:"):
            delete(workspace, project, by)


def delete(workspace: Workspace, project: Project, by: Person) -> None:
    """Forget the project, its tables with it if that is wanted and confirmed."""
    settings = project.settings
    st.write(
        f"The tables {settings.labels_table} and {settings.metadata_table} stay in the "
        "database; the queries, sessions and models go."
    )
    drop, source = st.toggle("Drop the tables as well, after a backup"), False
    if drop:
        source = remains.upload(remains.uploaded(workspace, project), project.project_id)
        if not remains.confirmed(settings.title, project.project_id):
            return
    if st.button("Delete it", type="primary", key=f"delete-{project.project_id}"):
        try:
            if drop:
                made = use_cases.delete_with_tables(workspace, project.project_id, source, by)
                st.session_state[remains.TOLD] = remains.dropped(made)
                st.switch_page("storage.py")
            use_cases.delete_project(workspace, project.project_id, by)
            st.switch_page("home.py")
        except LabelingError as error:
            st.error(str(error))
