"""Changing the categories of a running project: rename, merge, retire, offer again.

Existing labels follow in one transaction; the event log keeps the old names. No session may run
meanwhile: use_cases sees to that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.people import Person
from labeling_core.projects import category_checks, final_labels, queries
from labeling_core.projects.categories import assign_keys
from labeling_core.projects.category_names import compared
from labeling_core.projects.lifecycle import get_project
from labeling_core.settings import Category, Project
from labeling_core.store import eventlog


def rename(open_projects: OpenProjects, project_id: str, old: str, new: str, by: Person) -> Project:
    """Call a category by another name, everywhere but in the log.

    Raises LabelingError when the name cannot be had.
    """
    new = new.strip()

    def change(categories: Sequence[Category]) -> list[Category]:
        if not new or new == old:
            raise LabelingError(f"Enter another name for “{old}”.", "categories")
        alike = compared(new)
        for each in categories:
            if each.name != old and compared(each.name) == alike:
                raise LabelingError(
                    f"There is a category “{each.name}” already: merge “{old}” into it.",
                    "categories",
                )
        return [replace(each, name=new) if each.name == old else each for each in categories]

    return _change(
        open_projects, project_id, by, change, {"change": "rename", "old": old, "new": new}
    )


def merge(open_projects: OpenProjects, project_id: str, old: str, into: str, by: Person) -> Project:
    """Give all labels of a category to another one, and forget it.

    Raises LabelingError when fewer than two would be left.
    """

    def change(categories: Sequence[Category]) -> list[Category]:
        if into == old or into not in [each.name for each in categories if not each.retired]:
            raise LabelingError("Choose another category to merge into.", "categories")
        return [each for each in categories if each.name != old]

    return _change(
        open_projects, project_id, by, change, {"change": "merge", "old": old, "new": into}
    )


def retire(
    open_projects: OpenProjects, project_id: str, name: str, learned: bool, by: Person
) -> Project:
    """Offer a category no longer; its labels stay, and train the model if ``learned``.

    Raises LabelingError when fewer than two would be offered.
    """

    def change(categories: Sequence[Category]) -> list[Category]:
        return [
            replace(each, retired=True, learned=learned, key="") if each.name == name else each
            for each in categories
        ]

    detail = {"change": "retire", "old": name, "learned": learned}
    return _change(open_projects, project_id, by, change, detail)


def offer(open_projects: OpenProjects, project_id: str, name: str, by: Person) -> Project:
    """Offer a retired category again."""

    def change(categories: Sequence[Category]) -> list[Category]:
        return [
            replace(each, retired=False, learned=True) if each.name == name else each
            for each in categories
        ]

    return _change(open_projects, project_id, by, change, {"change": "offer", "old": name})


def _change(
    open_projects: OpenProjects, project_id: str, by: Person, change, detail: dict
) -> Project:
    """Apply ``change`` to the categories, and what follows from ``detail`` to the tables."""
    by.require("manage", project_id)
    old, new = detail["old"], detail.get("new")
    with open_projects.database.lock:
        queue = open_projects.queue(open_projects.project(project_id))
        with open_projects.database.transaction() as cursor:
            project = get_project(cursor, project_id)
            if old not in project.settings.names:
                raise LabelingError(f"There is no category “{old}” any more: reload the page.")
            categories = assign_keys(change(project.settings.categories))
            found = category_checks.mistakes(categories, project.settings.names)
            if found:
                raise LabelingError(found[0], "categories")
            project = project._replace(
                settings=replace(project.settings, categories=categories),
                renames=project.renames + (new is not None),
            )
            cursor.execute(
                "UPDATE labeling.projects SET settings = ? WHERE project_id = ?",
                [project.settings.to_json(), project_id],
            )
            if new is not None:
                detail["labels"] = _relabel(cursor, project, old, new)
                queries.rename_prediction(cursor, project_id, old, new)
                if queue.overlap.shared:  # where people disagreed, they may agree by now
                    final_labels.rebuild(cursor, project, project.settings)
            queries.drop_unknown_predictions(cursor, project)
            eventlog.note(open_projects.database, project_id, by, "category", detail)
        if new is not None and queue.overlap.shared:
            open_projects.forget(project_id)
        elif new is not None:
            queue.counts.rename(old, new)
        open_projects.take_over(project)
    return project


def _relabel(cursor: duckdb.DuckDBPyConnection, project: Project, old: str, new: str) -> int:
    """Let the labels follow in both tables; how many there were."""
    label = project.tables.label
    for table in (project.tables.metadata, project.tables.labels):
        row = cursor.execute(
            f"UPDATE {table} SET {label} = ? WHERE {label} = ?", [new, old]
        ).fetchone()
    return int(row[0]) if row else 0
