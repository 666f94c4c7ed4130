"""What pages show of how far a project's samples are read, and of its files: which were set aside,
and how many are there twice."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.modalities.registry import modality_of
from labeling_core.projects import set_aside
from labeling_core.sessions import features
from labeling_core.sessions.jobs import Status
from labeling_core.settings import Project
from labeling_core.workspace import Workspace, open_workspace
from pages.shell import gate, identity


def show_reading(project: Project) -> None:
    """How far the samples are read, with a button to stop or go on; then what was set aside."""
    ready = features.have_features(open_workspace().database, project)
    # It looks again only while there may be something new.
    st.fragment(_show, run_every=None if ready else "1s")(project, ready)


def _show(project: Project, ready: bool) -> None:
    gate.still("see", project.project_id)
    workspace = open_workspace()
    status = workspace.loop.reading(project)
    if features.have_features(workspace.database, project):
        if not ready:
            st.rerun()
    elif status is not None:
        _show_progress(workspace, project, status)
    if not modality_of(project.settings).reads_files:
        return
    if identity.person().may("label", project.project_id):
        show_broken(project)
    if identity.person().may("manage", project.project_id):
        show_twice(project)


def _show_progress(workspace: Workspace, project: Project, status: Status) -> None:
    who = identity.person()
    may_steer = who.may("manage", project.project_id)
    if status.state == "running":
        st.progress(status.progress or 0.0, text=status.told())
        if may_steer and st.button("Stop reading", icon=":material/stop:", key="stop_reading"):
            use_cases.stop_reading(workspace, project, who)
        return
    if status.state == "failed":
        st.error(status.text)
    else:
        st.caption(f"Stopped. {status.text}")
    if may_steer and st.button("Go on reading", icon=":material/play_arrow:", key="go_on_reading"):
        use_cases.read_files(workspace, project, who)


def show_broken(project: Project) -> None:
    """The files that were set aside, each with its reason."""
    with open_workspace().database.read() as cursor:
        broken = set_aside.listed(cursor, project.project_id)
    if broken:
        files = "1 file" if len(broken) == 1 else f"{len(broken):,} files"
        with st.popover(f"{files} set aside", icon=":material/warning:"):
            st.caption("What cannot be read is never shown, and the model learns nothing from it.")
            st.dataframe(
                {
                    "file": [path for path, _ in broken],
                    "reason": [set_aside.without_name(*each) for each in broken],
                },
                hide_index=True,
                width=680,
                column_config={
                    "file": st.column_config.TextColumn(width=220),
                    "reason": st.column_config.TextColumn(width=460),
                },
            )
            if identity.person().may("manage", project.project_id):
                st.page_link(
                    "settings.py", label="What would help, and trying again",
                    icon=":material/healing:", query_params={"project": project.project_id},
                )  # fmt: skip


def show_twice(project: Project) -> None:
    """That some files are the same as others, and where their labels may follow."""
    if found := len(features.same_files(open_workspace().database, project)):
        thing = "window" if project.settings.window_seconds else "file"
        st.page_link(
            "settings.py",
            label=f"{found:,} {thing}{' is' if found == 1 else 's are'} there twice",
            icon=":material/content_copy:",
            query_params={"project": project.project_id},
        )
