"""What people do and look at through the pages, each with the check of their role."""

from __future__ import annotations

from labeling_core import eventlog, export, final_model, projects
from labeling_core.people import Person
from labeling_core.settings import Project
from labeling_core.workspace import Workspace

# The tables name everybody's decisions, and which samples were probes.
_OPEN_EXPORTS = ("sessions",)


def visible_projects(space: Workspace, by: Person) -> dict[str, Project]:
    """The projects that a person may see, by id; to them there are no others."""
    with space.database.read() as cursor:
        found = projects.list_projects(cursor)
    return {each.project_id: each for each in found if by.may("see", each.project_id)}


def run_session(
    space: Workspace, project: Project, by: Person, classifier: str, strategy: str
) -> None:
    """Start a session by hand; LabelingError when one runs, or the labels do not allow it yet."""
    by.require("label", project.project_id)
    space.loop.start_session(project, "hand", classifier, strategy)
    told = {"classifier": classifier, "strategy": strategy}
    eventlog.note(space.database, project.project_id, by, "session", told)


def read_files(space: Workspace, project: Project, by: Person) -> None:
    """Go on reading the files of a project."""
    by.require("manage", project.project_id)
    space.loop.read_files(project)


def stop_reading(space: Workspace, project: Project, by: Person) -> None:
    """Stop reading the files of a project; what was read is kept."""
    by.require("manage", project.project_id)
    space.loop.stop_reading(project)


def exports(project: Project, by: Person) -> list[str]:
    """What of export.exports a person may download; the model comes on top for admins."""
    manages = by.may("manage", project.project_id)
    sees = by.may("see", project.project_id)
    return [each for each in export.exports(project) if manages or (sees and each in _OPEN_EXPORTS)]


def export_table(
    space: Workspace, project: Project, what: str, form: str, by: Person, safe: bool = False
) -> bytes:
    """One of export.exports as a file in one of export.FORMATS; ``safe`` as export.table has it."""
    by.require("see" if what in _OPEN_EXPORTS else "manage", project.project_id)
    with space.database.read() as cursor:
        return export.table(cursor, project, what, form, safe, space.queue(project))


def export_model(space: Workspace, project: Project, by: Person) -> bytes:
    """The current model as a zip; empty before the first session."""
    by.require("manage", project.project_id)
    with space.database.read() as cursor:
        return export.model(cursor, project.project_id) or b""


def export_final_model(space: Workspace, project: Project, by: Person) -> bytes:
    """The final model as a zip; empty before the first."""
    by.require("manage", project.project_id)
    with space.database.read() as cursor:
        return final_model.archive(cursor, project.project_id) or b""


def export_predictions(
    space: Workspace, project: Project, form: str, by: Person, safe: bool = False
) -> bytes:
    """Every sample with its label and what the final model says of it, in one of export.FORMATS;
    empty before the first. ``safe`` as export.to_file has it."""
    by.require("manage", project.project_id)
    with space.database.read() as cursor:
        return final_model.predictions(cursor, project, form, safe) or b""
