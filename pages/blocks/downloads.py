"""The files behind the download buttons."""

from __future__ import annotations

from labeling_core import use_cases
from labeling_core.settings import Project
from labeling_core.workspace import open_workspace


def export_table(project: Project, what: str, form: str, safe: bool, name: str) -> bytes:
    """The file behind a download button that the page has made for the person of that ``name``.

    It is made when the button is pressed, outside of the page: nobody is at the keyboard there,
    and the tables of the ``project`` may have got other names since.
    """
    workspace = open_workspace()
    project = workspace.project(project.project_id)
    return use_cases.export_table(
        workspace, project, what, form, workspace.roles.person(name), safe
    )


def export_model(project: Project, name: str) -> bytes:
    """The model behind its download button; see :func:`export_table`."""
    workspace = open_workspace()
    project = workspace.project(project.project_id)
    return use_cases.export_model(workspace, project, workspace.roles.person(name))
