"""Dropping the tables of projects that are deleted, or with the project; for admins."""

from __future__ import annotations

import streamlit as st

from labeling_core.errors import LabelingError
from labeling_core.integrity import remains
from labeling_core.people import Person
from labeling_core.settings import Project
from labeling_core.store.backups import Backup
from labeling_core.workspace import Workspace
from pages.shell.plain_text import escaped

TOLD = "storage-told"  # in the session state: what the page Storage says at its next run


def show(workspace: Workspace, by: Person) -> None:
    """The section on deleted projects; nothing where none has left anything."""
    with workspace.database.read() as cursor:
        found = {each.project_id: each for each in remains.listed(cursor)}
    if not found:
        return
    st.header("Deleted projects", anchor=False)
    st.caption(
        "Their labels and metadata have stayed. To drop them makes their names free again; a "
        "backup is made before, and kept as long as the others."
    )
    chosen = found[st.selectbox(
        "Deleted project", list(found), format_func=lambda each: f"{found[each].title} ({each})"
    )]  # fmt: skip
    st.text(f"Left are {', '.join(filter(None, (*chosen.tables, chosen.source)))}.")
    source = upload(chosen.source, chosen.project_id)
    if confirmed(chosen.title, chosen.project_id) and st.button("Drop them", type="primary"):
        try:
            with st.spinner("Copying the database; labeling goes on …"):
                made = remains.drop(
                    workspace.database, workspace.backups, chosen.project_id, source, by
                )
            st.session_state[TOLD] = dropped(made)
            st.rerun()
        except LabelingError as error:
            st.error(str(error))


def upload(source: str, key: str) -> bool:
    """Whether what was uploaded goes as well; asked where there is something."""
    if not source:
        return False
    kept = "No backup holds these files." if source.startswith("uploads/") else "The backup has it."
    return st.toggle(f"Delete {escaped(source)}, which was uploaded for it, as well. {kept}",
                       key=f"drop-source-{key}")  # fmt: skip


def uploaded(workspace: Workspace, project: Project) -> str:
    """What was uploaded for a project, and nothing else uses; "" without."""
    with workspace.database.read() as cursor:
        return remains.uploaded(cursor, project)


def confirmed(title: str, key: str) -> bool:
    """Whether the title was typed."""
    typed = st.text_input("Name of the project, to confirm", key=f"drop-title-{key}")
    return typed.strip() == title.strip()


def dropped(made: Backup) -> str:
    """What is told afterwards."""
    return f"The tables are dropped. They are in the backup {made.path.name}."
