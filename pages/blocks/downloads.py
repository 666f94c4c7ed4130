"""The files behind the download buttons."""

from __future__ import annotations

from labeling_core import use_cases
from labeling_core.settings import Project
from labeling_core.workspace import workspace


def export_table(project: Project, what: str, form: str, safe: bool, name: str) -> bytes:
    """The file behind a download button that the page has made for the person of that ``name``.

    It is made when the button is pressed, outside of the page: nobody is at the keyboard there,
    and the tables of the ``project`` may have got other names since.
    """
    space = workspace()
    project = space.project(project.project_id)
    return use_cases.export_table(space, project, what, form, space.roles.person(name), safe)


def export_model(project: Project, name: str) -> bytes:
    """The model behind its download button; see :func:`export_table`."""
    space = workspace()
    project = space.project(project.project_id)
    return use_cases.export_model(space, project, space.roles.person(name))
