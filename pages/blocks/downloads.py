"""Downloads: links to files that are written while they are fetched, and the models' buttons."""

from __future__ import annotations

import streamlit as st

from labeling_core import use_cases
from labeling_core.progress import downloads, label_filter
from labeling_core.progress.label_filter import Wanted
from labeling_core.settings import Project
from labeling_core.web import exports
from labeling_core.workspace import open_workspace
from pages.shell import identity


def links(project: Project, form: str, safe: bool, wanted: Wanted) -> None:
    """A link to everything that the person at the keyboard may take away, as far as ``wanted``."""
    person, browser = identity.person(), identity.browser()
    for what in exports.listed(project, person):
        whole = what not in downloads.exports(project)
        some = wanted if exports.filtered(what) else label_filter.ALL
        asked = exports.asked_by(
            project, person.name, browser, what, "" if whole else form, safe, some
        )
        st.link_button(
            what[0].upper() + what[1:],
            exports.link(open_workspace().key, asked),
            icon=":material/download:",
        )


def export_model(project: Project, name: str) -> bytes:
    """The model behind its download button, for the person of that ``name``.

    It is made when the button is pressed, outside of the page: nobody is at the keyboard there.
    """
    workspace = open_workspace()
    project = workspace.project(project.project_id)
    return use_cases.export_model(workspace, project, workspace.roles.person(name))
