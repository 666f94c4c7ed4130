"""The projects at a glance."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.progress import learning_curve, session_words
from labeling_core.projects import sample_projects, set_aside
from labeling_core.workspace import open_workspace
from pages.shell import identity
from pages.shell.plain_text import escaped
from pages.shell.project import label_page, no_project

workspace, person = open_workspace(), identity.person()
projects = list(use_cases.visible_projects(workspace, person).values())
with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Projects", anchor=False)
    if projects and person.may("manage"):
        st.page_link(
            "settings.py", label="New project", icon=":material/add:", query_params={"new": "1"}
        )
st.caption(
    "Sort rows of a table, images or sounds into your categories, one key each; a model learns "
    "along and picks what to ask next, so that fewer labels do."
)
with workspace.database.read() as cursor:
    projects = sample_projects.own_first(cursor, projects)
    glances = [
        (each, learning_curve.summary(cursor, each, workspace.queue(each))) for each in projects
    ]
    aside = {each.project_id: set_aside.count(cursor, each.project_id) for each in projects}
if not projects:
    no_project()
for project, glance in glances:
    params = {"project": project.project_id}
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header(escaped(project.settings.title), anchor=False)
            if person.may("label", project.project_id):
                st.page_link(
                    label_page(project),
                    label="Go on labeling" if glance.labeled + glance.skipped else "Start labeling",
                    icon=":material/play_arrow:",
                    query_params=params,
                )
            st.page_link(
                "session_progress.py",
                label="Progress",
                icon=":material/show_chart:",
                query_params=params,
            )
            if person.may("manage", project.project_id):
                st.page_link(
                    "settings.py", label="Settings", icon=":material/tune:", query_params=params
                )
                if aside[project.project_id]:
                    st.page_link(
                        "settings.py",
                        label=f"{aside[project.project_id]:,} set aside",
                        icon=":material/healing:",
                        query_params=params,
                    )
        with st.container(horizontal=True):
            st.metric("Labeled", f"{glance.labeled:,}")
            st.metric("Skipped", f"{glance.skipped:,}")
            st.metric("Samples in all", f"{glance.total:,}")
            last, measured = glance.last, glance.measured
            st.metric("Last session", last.session_id if last else "none yet")
            if measured:
                score = (measured.score, measured.score_low, measured.score_high)
                st.metric(
                    session_words.measure(measured),
                    session_words.told(*score),
                    help=f"{session_words.hits(measured)} right in session "
                    f"{measured.session_id}: 95 % interval "
                    f"{session_words.between(*score[1:])} ({measured.kind}). "
                    f"{escaped(measured.lacking)}",
                )
        st.progress(
            (glance.labeled + glance.skipped) / glance.total if glance.total else 0.0,
            text=f"{glance.labeled + glance.skipped:,} of {glance.total:,} samples decided",
        )
