"""Labels that exist are brought in: stored as the decisions they are, and taken back again.

An import is one transaction and one event of the log with a number of its own; each of its labels
is an event, too, so that it can be told what stood there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling import import_tables
from labeling_core.labeling.label_plan import (
    IMPORT,
    PEOPLE,
    Plan,
    check_wins,
    plan_import,
    taken_rows,
)
from labeling_core.labeling.open_projects import OpenProjects
from labeling_core.people import Person
from labeling_core.projects import category_checks, queries
from labeling_core.projects.categories import assign_keys
from labeling_core.projects.lifecycle import get_project
from labeling_core.settings import Category, Project
from labeling_core.sources.foreign_labels import title_of
from labeling_core.sources.label_records import LabelFile
from labeling_core.store import eventlog, events, imports
from labeling_core.store.database import Database, now
from labeling_core.store.events import NewEvent

MOST_CATEGORIES = 1000


class How(NamedTuple):
    """How labels are brought in: by which column their samples are told (empty: found out), who
    ``wins`` where they contradict what was decided, whether labels that are no category become
    one, and whether the labeled samples are a random draw: then they may measure."""

    column: str = ""
    wins: str = PEOPLE
    create: bool = False
    random_draw: bool = False


def plan(
    open_projects: OpenProjects, project_id: str, file: LabelFile, how: How, by: Person
) -> Plan:
    """The dry run of an import; nothing is stored. Raises LabelingError when none of the samples
    is found."""
    by.require("manage", project_id)
    check_wins(how.wins)
    project = open_projects.project(project_id)
    with open_projects.database.read() as cursor:
        return plan_import(cursor, project, file, how.column, how.create)


def bring_in(
    open_projects: OpenProjects, project_id: str, file: LabelFile, name: str, how: How, by: Person
) -> tuple[int, Plan]:
    """Store the annotations of a file called ``name``: the number of the import, and what it did.

    No session may run meanwhile. Raises LabelingError when nothing of it can be stored.
    """
    by.require("manage", project_id)
    check_wins(how.wins)
    database = open_projects.database
    with open_projects.in_step(project_id):
        with database.transaction() as cursor:
            project = get_project(cursor, project_id)
            found = plan_import(cursor, project, file, how.column, how.create)
            if not found.stored(how.wins):
                raise LabelingError(f"Nothing of {name} would be brought in: {_why_not(found)}.")
            detail = {"file": name, "format": title_of(file.format)}
            number = store(database, cursor, project, found, how, detail, by)
        open_projects.forget(project_id)
    return number, found


def _why_not(found: Plan) -> str:
    words = [f"{row['number']:,} {row['annotations']}" for row in found.table()]
    return "it holds annotations " + ", ".join(words)


def store(
    database: Database,
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    found: Plan,
    how: How,
    detail: dict[str, Any],
    who: Person,
) -> int:
    """Store what was planned last with this cursor; the number of the import."""
    moment, number = now(), imports.next_number(cursor, project.project_id)
    created: list[str] = []
    if how.create:
        project, created = create_categories(cursor, project)
    taken_rows(cursor, how.wins)
    first = events.highest_label_id(cursor, project.project_id)
    first = max(first, import_tables.highest_label_id(cursor, project)) + 1
    replaced = import_tables.replaced_rows(cursor, project) if how.wins == IMPORT else []
    rows = import_tables.write(cursor, project, first, f"import {number}", moment, replaced)
    asked = queries.take_out(cursor, project.project_id, [row.place for row in rows])
    told = detail | {
        "number": number, "labels": import_tables.labeled(cursor, project), "stored": len(rows),
        "first": first, "last": first + len(rows) - 1, "random_draw": how.random_draw,
        "wins": how.wins, "matched_by": found.match.words, "created": created,
        "left_out": {key: count for key, count in found.fates.items()
                     if key not in ("new", "further")},
        "notes": list(found.notes),
        "unmeasured": [] if how.random_draw else import_tables.unmeasured(cursor, project),
    }  # fmt: skip
    if how.wins == IMPORT:
        told["left_out"].pop("conflict", None)
    if found.unreadable:
        told["left_out"]["unreadable"] = len(found.unreadable)
    eventlog.note(database, project.project_id, who, "import", told)
    log = [_undone(each, number, who) for each in replaced]
    log += [_decided(each, number, asked.get(each.place)) for each in rows]
    events.append(cursor, project.project_id, log, moment)
    return number


def _undone(row: dict[str, Any], number: int, who: Person) -> NewEvent:
    was = (row["status"], row["label"])
    detail = {"was": was, "of": row["annotator"], "import": number, "row": row}
    return NewEvent("undo", who.name, detail, row["sample_id"], row["label_id"])


def _decided(row: import_tables.Taken, number: int, asked: dict[str, Any] | None) -> NewEvent:
    detail: dict[str, Any] = {
        "status": row.status, "label": row.category, "comment": row.comment, "import": number,
    }  # fmt: skip
    detail |= {"asked": asked} if asked else {}
    return NewEvent("decision", row.annotator, detail, row.sample_id, row.label_id)


def create_categories(
    cursor: duckdb.DuckDBPyConnection, project: Project
) -> tuple[Project, list[str]]:
    """Make a category of each label to be stored that is none, the most frequent first.

    Raises LabelingError when a name, or their number, cannot be had.
    """
    rows = cursor.execute(
        "SELECT category FROM import_fates WHERE fate IN ('new', 'further', 'conflict') "
        "AND category NOT IN (SELECT unnest(?::VARCHAR[])) GROUP BY category "
        "ORDER BY count(*) DESC, category",
        [list(project.settings.names)],
    ).fetchall()
    created = [name for (name,) in rows]
    if not created:
        return project, []
    known = project.settings.categories
    wanted = assign_keys((*known, *(Category(name) for name in created)))
    mistakes = category_checks.mistakes(wanted, project.settings.names)
    if len(wanted) > MOST_CATEGORIES:
        mistakes = [f"The file has {len(created):,} labels that are no category."]
    if mistakes:
        raise LabelingError(
            f"{mistakes[0]} Is the right column taken for the labels? Else leave them out.", "label"
        )
    return _keep(cursor, project, wanted), created


def _keep(
    cursor: duckdb.DuckDBPyConnection, project: Project, categories: Sequence[Category]
) -> Project:
    project = project._replace(settings=replace(project.settings, categories=tuple(categories)))
    cursor.execute(
        "UPDATE labeling.projects SET settings = ? WHERE project_id = ?",
        [project.settings.to_json(), project.project_id],
    )
    return project


class TakenBack(NamedTuple):
    """What taking an import back did: labels ``gone``, decisions put ``back``, and labels that
    people have decided on since, which therefore ``stay``."""

    gone: int
    back: int
    stay: int


def take_back(open_projects: OpenProjects, project_id: str, number: int, by: Person) -> TakenBack:
    """Undo an import: what it stored goes, what it replaced comes back, categories that it made
    go again where nothing has them. What people have changed since stays theirs.

    No session may run meanwhile. Raises LabelingError when there is no such import.
    """
    by.require("manage", project_id)
    database = open_projects.database
    with open_projects.in_step(project_id):
        with database.transaction() as cursor:
            project = get_project(cursor, project_id)
            which = imports.find(cursor, project_id, number)
            if which is None or which.taken_back:
                raise LabelingError(f"There is no import {number} to be taken back.")
            done = _take_back(database, cursor, project, which, by)
        open_projects.forget(project_id)
    return done


def _take_back(
    database: Database,
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    which: imports.Import,
    by: Person,
) -> TakenBack:
    moment: datetime = now()
    gone, stay = import_tables.remove(cursor, project, which)
    stored = imports.decisions(cursor, project.project_id, which)
    back = import_tables.put_back(cursor, project, imports.replaced(
        cursor, project.project_id, which))  # fmt: skip
    import_tables.finish(cursor, project)
    import_tables.return_to_pool(cursor, project, gone, stored)
    project = _forget_categories(cursor, project, which.created)
    told = {
        "number": which.number, "gone": len(gone), "back": back, "stay": stay,
        "labels": import_tables.labeled(cursor, project),
    }  # fmt: skip
    eventlog.note(database, project.project_id, by, "import undone", told)
    log = [NewEvent("undo", by.name, {"was": (row["status"], row["label"]), "of": row["annotator"],
                    "import": which.number}, row["sample_id"], row["label_id"])
           for row in gone]  # fmt: skip
    events.append(cursor, project.project_id, log, moment)
    return TakenBack(len(gone), back, stay)


def _forget_categories(
    cursor: duckdb.DuckDBPyConnection, project: Project, created: Sequence[str]
) -> Project:
    tables = project.tables
    rows = cursor.execute(f"SELECT DISTINCT {tables.label} FROM {tables.metadata}").fetchall()
    gone = set(created) - {name for (name,) in rows}
    left = [each for each in project.settings.categories if each.name not in gone]
    if len(left) == len(project.settings.categories) or category_checks.mistakes(left, ()):
        return project
    project = _keep(cursor, project, left)
    queries.drop_unknown_predictions(cursor, project)
    return project
