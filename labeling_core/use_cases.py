"""What people do and look at through the pages, each with the check of their role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

from labeling_core.errors import LabelingError
from labeling_core.integrity import remains
from labeling_core.labeling import category_changes, label_import, labels_at_start
from labeling_core.labeling.label_import import How, TakenBack
from labeling_core.labeling.label_plan import Plan
from labeling_core.labeling.labels_at_start import NOTHING, Given
from labeling_core.models import final_model
from labeling_core.people import Person
from labeling_core.progress import downloads
from labeling_core.projects import added_rows, lifecycle, queries, samples
from labeling_core.projects.validation import Problem, SettingsError
from labeling_core.settings import Category, Project, Settings
from labeling_core.sources import importing, parquet_folders
from labeling_core.sources.label_records import LabelFile
from labeling_core.sources.uploads import Staged, Upload, discard_table, placed
from labeling_core.store import eventlog
from labeling_core.store.backups import Backup
from labeling_core.workspace import Workspace

_ENOUGH = (Category("a"), Category("b"))  # nothing is wrong with these


def visible_projects(workspace: Workspace, by: Person) -> dict[str, Project]:
    """The projects that a person may see, by id; to them there are no others."""
    with workspace.database.read() as cursor:
        found = lifecycle.list_projects(cursor)
    return {each.project_id: each for each in found if by.may("see", each.project_id)}


def create_project(
    workspace: Workspace, settings: Settings, by: Person, given: Given = NOTHING
) -> Project:
    """Make a project, with the labels that its source brings and those ``given``, from which the
    first session starts by itself; LabelingError for the first mistake in its settings."""
    return create_from_upload(workspace, settings, None, by, given)


def create_from_upload(
    workspace: Workspace, settings: Settings, upload: Upload | Staged | None, by: Person,
    given: Given = NOTHING,
) -> Project:  # fmt: skip
    """Load the upload, if any, and make the project: both or neither; see :func:`create_project`.

    Raises SettingsError with everything that is wrong.
    """
    by.require("manage")
    with _made(workspace, settings, upload, by, given) as (made, _):
        pass
    workspace.open_projects.made(made)
    workspace.loop.after_decisions(made)
    if isinstance(upload, Upload):
        discard_table(upload.path)  # it is in the database now
    return made


def plan_at_start(
    workspace: Workspace, settings: Settings, upload: Upload | Staged | None, by: Person,
    given: Given,
) -> Plan | None:  # fmt: skip
    """What would become of the labels that are ``given``: the project is made, and unmade. Raises
    as :func:`create_from_upload` does."""
    by.require("manage")
    found: list[Plan | None] = []
    with suppress(_UnmadeError), _made(workspace, settings, upload, by, given) as (_, plan):
        found.append(plan)
        raise _UnmadeError
    return found[0]


class _UnmadeError(Exception): ...


@contextmanager
def _made(
    workspace: Workspace, settings: Settings, upload: Upload | Staged | None, by: Person,
    given: Given,
) -> Iterator[tuple[Project, Plan | None]]:  # fmt: skip
    """A new project, within the transaction that makes it."""
    settings = parquet_folders.taken(settings)
    parquet_folders.bring(workspace.database, settings)
    with ExitStack() as undo:
        cursor = undo.enter_context(workspace.database.transaction())
        if isinstance(upload, Staged):
            undo.enter_context(placed(upload, workspace.database.path.parent, settings.source))
        elif upload is not None and settings.source:
            try:
                importing.load(cursor, upload.path, upload.preview, settings.source)
            except LabelingError as error:
                raise SettingsError([Problem(error.field or "source", str(error))]) from error
        found = []
        if labels_at_start.are_there(settings, given):  # the source has to be right to look at it
            found = lifecycle.problems(cursor, replace(settings, categories=_ENOUGH))
            if not found:
                settings = labels_at_start.with_categories(cursor, settings, given)
        found = found or lifecycle.problems(cursor, settings)
        if found:
            raise SettingsError(found)
        project = lifecycle.create_project(workspace.database, settings)
        detail: dict[str, Any] = {
            "title": project.settings.title, "source": project.settings.source
        }  # fmt: skip
        detail |= {"uploaded": True} if upload is not None else {}
        eventlog.note(workspace.database, project.project_id, by, "created", detail)
        yield labels_at_start.label(workspace.database, project, given, by)


def update_project(
    workspace: Workspace, project_id: str, settings: Settings, by: Person
) -> Project:
    """Change a project's settings; LabelingError for the first mistake in them."""
    by.require("manage", project_id)
    with workspace.database.lock:
        workspace.loop.require_idle(project_id)
        old = workspace.project(project_id)
        with workspace.database.transaction() as cursor:
            project = lifecycle.update_project(workspace.database, project_id, settings)
            queries.drop_unknown_predictions(cursor, project)
            changed = eventlog.changes(old.settings, project.settings)
            if changed:
                detail = {"changed": changed}
                eventlog.note(workspace.database, project_id, by, "settings", detail)
        workspace.open_projects.forget(project_id)
    return project


def delete_project(workspace: Workspace, project_id: str, by: Person) -> None:
    """See remains.forget."""
    remains.forget(workspace.loop, workspace.roles, project_id, by)


def delete_with_tables(workspace: Workspace, project_id: str, source: bool, by: Person) -> Backup:
    """See remains.forget_and_drop."""
    return remains.forget_and_drop(
        workspace.loop, workspace.roles, workspace.backups, project_id, source, by
    )


def refresh_source(
    workspace: Workspace, project: Project, by: Person
) -> tuple[Project, samples.Change]:
    """Take over rows or files that were added to the source or are gone from it.

    Raises LabelingError while a session runs or files are read.
    """
    by.require("manage", project.project_id)
    parquet_folders.look_again(project.settings.source, workspace.database.path.parent)
    parquet_folders.bring(workspace.database, project.settings)
    with workspace.database.lock:
        workspace.loop.require_idle(project.project_id)
        project, change = workspace.open_projects.compare_source(project)
        detail = change._asdict()
        eventlog.note(workspace.database, project.project_id, by, "refreshed", detail)
    return project, change


def add_rows(
    workspace: Workspace, project: Project, upload: Upload, by: Person, again: bool = False
) -> tuple[Project, added_rows.Added]:
    """Append the rows of a file of the same shape to the project's table, and take them over: both
    or neither. Labels stay. Rows that are in the table already only ``again``.

    Whoever does it may manage every project that uses the table. Raises LabelingError for what does
    not fit, and while a session runs.
    """
    by.require("manage", project.project_id)
    with workspace.open_projects.in_step(project.project_id):
        workspace.loop.require_idle(project.project_id)
        with workspace.database.transaction() as cursor:
            for other in added_rows.also_used_by(cursor, project):
                by.require("manage", other.project_id)
            added = added_rows.append(cursor, project, upload, again)
            current = lifecycle.get_project(cursor, project.project_id)
            current, change = lifecycle.refresh(workspace.database, current)
            detail = change._asdict() | {"file": upload.preview.name, "rows": added.rows}
            eventlog.note(workspace.database, project.project_id, by, "added rows", detail)
        workspace.open_projects.forget(project.project_id)
    discard_table(upload.path)
    return current, added


def plan_labels(
    workspace: Workspace, project_id: str, file: LabelFile, how: How, by: Person
) -> Plan:
    """See label_import.plan."""
    return label_import.plan(workspace.open_projects, project_id, file, how, by)


def bring_in_labels(
    workspace: Workspace, project_id: str, file: LabelFile, name: str, how: How, by: Person
) -> tuple[int, Plan]:
    """See label_import.bring_in; a session that learns of the labels follows by itself."""
    with _between_sessions(workspace, project_id):
        done = label_import.bring_in(workspace.open_projects, project_id, file, name, how, by)
    workspace.loop.after_decisions(workspace.project(project_id))
    return done


def take_back_import(workspace: Workspace, project_id: str, number: int, by: Person) -> TakenBack:
    """See label_import.take_back; a session without these labels follows by itself."""
    with _between_sessions(workspace, project_id):
        done = label_import.take_back(workspace.open_projects, project_id, number, by)
    workspace.loop.after_decisions(workspace.project(project_id))
    return done


def rename_category(
    workspace: Workspace, project_id: str, old: str, new: str, by: Person
) -> Project:
    """See category_changes.rename."""
    with _between_sessions(workspace, project_id):
        return category_changes.rename(workspace.open_projects, project_id, old, new, by)


def merge_category(
    workspace: Workspace, project_id: str, old: str, into: str, by: Person
) -> Project:
    """See category_changes.merge."""
    with _between_sessions(workspace, project_id):
        return category_changes.merge(workspace.open_projects, project_id, old, into, by)


def retire_category(
    workspace: Workspace, project_id: str, name: str, learned: bool, by: Person
) -> Project:
    """See category_changes.retire."""
    with _between_sessions(workspace, project_id):
        return category_changes.retire(workspace.open_projects, project_id, name, learned, by)


def offer_category(workspace: Workspace, project_id: str, name: str, by: Person) -> Project:
    """See category_changes.offer."""
    with _between_sessions(workspace, project_id):
        return category_changes.offer(workspace.open_projects, project_id, name, by)


@contextmanager
def _between_sessions(workspace: Workspace, project_id: str) -> Iterator[None]:
    """No session starts in this block; LabelingError while one runs."""
    with workspace.database.lock:
        workspace.loop.require_no_session(project_id)
        yield


def run_session(
    workspace: Workspace, project: Project, by: Person, classifier: str, strategy: str
) -> None:
    """Start a session by hand; LabelingError when one runs, or the labels do not allow it yet."""
    by.require("label", project.project_id)
    workspace.loop.start_session(project, "hand", classifier, strategy)
    detail = {"classifier": classifier, "strategy": strategy}
    eventlog.note(workspace.database, project.project_id, by, "session", detail)


def read_files(workspace: Workspace, project: Project, by: Person) -> None:
    """Go on computing the features of a project."""
    by.require("manage", project.project_id)
    workspace.loop.read_files(project)


def stop_reading(workspace: Workspace, project: Project, by: Person) -> None:
    """Stop computing the features of a project; what was read of files is kept."""
    by.require("manage", project.project_id)
    workspace.loop.stop_reading(project)


def export_model(workspace: Workspace, project: Project, by: Person) -> bytes:
    """The newest model as a zip; empty before the first is kept."""
    by.require("manage", project.project_id)
    with workspace.database.read() as cursor:
        return downloads.model(cursor, project.project_id) or b""


def export_final_model(workspace: Workspace, project: Project, by: Person) -> bytes:
    """The final model as a zip; empty before the first."""
    by.require("manage", project.project_id)
    with workspace.database.read() as cursor:
        return final_model.archive(cursor, project.project_id) or b""


def export_predictions(
    workspace: Workspace, project: Project, form: str, by: Person, safe: bool = False,
    as_events: bool = False,
) -> bytes:  # fmt: skip
    """Every sample with its label and what the final model says of it, in one of export.FORMATS,
    or the events in windows; empty before the first. ``safe`` as export.to_file has it."""
    by.require("manage", project.project_id)
    with workspace.database.read() as cursor:
        return final_model.all_predictions(cursor, project, form, safe, as_events) or b""
