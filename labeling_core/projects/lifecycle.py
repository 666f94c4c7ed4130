"""Projects as stored: making, changing, listing and forgetting them."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.projects import (
    final_labels,
    labels,
    predictions,
    probe_draw,
    queries,
    samples,
    set_aside,
)
from labeling_core.projects.categories import assign_keys
from labeling_core.projects.validation import Problem, check
from labeling_core.settings import (
    Project,
    Settings,
    output_tables,
    quote,
    slug,
)
from labeling_core.store import events
from labeling_core.store.database import OWN_FOLDERS, Database, now, tables
from labeling_core.store.file_names import is_device

# What is kept of a project beside its settings, its people and its event log.
_INTERNAL = (
    "sessions",
    "models",
    "reservations",
    "broken",
    "label_checks",
    "label_findings",
    "final_models",
)
KEPT = ("people", *_INTERNAL)  # all tables with rows of projects, but for their settings and log


def list_projects(cursor: duckdb.DuckDBPyConnection) -> list[Project]:
    """All projects, oldest first."""
    rows = cursor.execute(f"{_SELECT} ORDER BY created, project_id").fetchall()
    renames = events.rename_counts(cursor)
    return [_from_row(row, renames) for row in rows]


def get_project(cursor: duckdb.DuckDBPyConnection, project_id: str) -> Project:
    """One project; LabelingError when there is none of that id."""
    row = cursor.execute(f"{_SELECT} WHERE project_id = ?", [project_id]).fetchone()
    if row is None:
        raise LabelingError(f"There is no project “{project_id}”: choose one on the start page.")
    return _from_row(row, events.rename_counts(cursor))


_SELECT = (
    "SELECT project_id, settings, samples, probe_limit, source_fingerprint, source_version, "
    "probe_block "
    "FROM labeling.projects"
)


def _from_row(row: tuple, renames: dict[str, int]) -> Project:
    project = Project(row[0], Settings.from_json(row[1]), *row[2:])
    return project._replace(renames=renames.get(project.project_id, 0))


def tables_to_label(cursor: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables that may be a source: those that belong to no project."""
    taken = {name for each in list_projects(cursor) for name in output_tables(each.settings)}
    return [name for name in tables(cursor) if name not in taken]


def problems(
    cursor: duckdb.DuckDBPyConnection, settings: Settings, project: Project | None = None
) -> list[Problem]:
    """Everything that is wrong with ``settings``, for a new project or for ``project``."""
    others = [
        other
        for other in list_projects(cursor)
        if project is None or other.project_id != project.project_id
    ]
    return check(cursor, settings, project, others)


def create_project(database: Database, settings: Settings) -> Project:
    """Store a new project, its samples and its empty tables.

    Raises LabelingError for the first of the problems that :func:`problems` finds.
    """
    settings = replace(settings, categories=assign_keys(settings.categories))
    with database.transaction() as cursor:
        _raise_first(problems(cursor, settings))
        project_id = _free_id(cursor, settings.title)
        count, fingerprint = samples.create(cursor, project_id, settings)
        kept, block = probe_draw.draw(cursor, project_id, settings, count)
        project = Project(project_id, settings, count, kept, fingerprint, 1, block)
        cursor.execute(
            "INSERT INTO labeling.projects VALUES (?, ?, ?, ?, ?, 1, ?, ?)",
            [project_id, settings.to_json(), count, kept, fingerprint, now(), block],
        )
        _create_outputs(cursor, project)
    return project


def update_project(database: Database, project_id: str, settings: Settings) -> Project:
    """Change the settings of a project; what exists already is renamed, not lost.

    Raises LabelingError for the first of the problems that :func:`problems` finds.
    """
    settings = replace(settings, categories=assign_keys(settings.categories))
    with database.transaction() as cursor:
        old = get_project(cursor, project_id)
        _raise_first(problems(cursor, settings, old))
        undrawn = labels.undrawn_count(cursor, old)
        limit = probe_draw.kept(old, settings, undrawn)
        new = old._replace(settings=settings, probe_limit=limit)
        if drawn_from(settings) != drawn_from(old.settings):
            new = _change_source(cursor, new)
        else:
            _rename_outputs(cursor, old.settings, new)
            if final_labels.rules(settings) != final_labels.rules(old.settings):
                final_labels.rebuild(cursor, new, old.settings)
        cursor.execute(
            "UPDATE labeling.projects SET settings = ?, probe_limit = ?, samples = ?, "
            "source_fingerprint = ?, source_version = ?, probe_block = ? WHERE project_id = ?",
            [settings.to_json(), new.probe_limit, new.samples, new.source_fingerprint,
             new.source_version, new.probe_block, project_id],
        )  # fmt: skip
    return new


def refresh(database: Database, project: Project) -> tuple[Project, samples.Change]:
    """Take over what has changed in the project's source since it was last read.

    Files that were set aside get another chance: what they are now is found out anew.
    """
    with database.transaction() as cursor:
        change = samples.refresh(cursor, project.project_id, project.settings)
        set_aside.forget(cursor, project.project_id)
        project = project._replace(
            samples=samples.count(cursor, project.project_id),
            source_fingerprint=samples.fingerprint(cursor, project.settings),
            source_version=project.source_version + 1,
        )
        cursor.execute(
            "UPDATE labeling.projects SET samples = ?, source_fingerprint = ?, "
            "source_version = ? WHERE project_id = ?",
            [project.samples, project.source_fingerprint, project.source_version,
             project.project_id],
        )  # fmt: skip
    return project, change


def delete_project(database: Database, project_id: str) -> None:
    """Forget a project. Its labels and metadata tables stay; queries and internals go."""
    with database.transaction() as cursor:
        project = get_project(cursor, project_id)
        queries.hide(cursor, project.settings)
        cursor.execute(f"DROP TABLE IF EXISTS {queries.table(project_id)}")
        cursor.execute(f"DROP TABLE IF EXISTS {samples.table(project_id)}")
        predictions.forget(cursor, project_id)
        for name in ("projects", *KEPT):
            cursor.execute(f"DELETE FROM labeling.{name} WHERE project_id = ?", [project_id])


def _raise_first(found: list[Problem]) -> None:
    if found:
        raise LabelingError(found[0].sentence, found[0].field)


def _free_id(cursor: duckdb.DuckDBPyConnection, title: str) -> str:
    """An id made of the title that no project has or, in the event log, ever had.

    Nor is it the name of a folder of the program's own, or of a device of Windows: the project's
    folder has the id's name.
    """
    base = slug(title)
    rows = cursor.execute("SELECT project_id FROM labeling.projects").fetchall()
    taken = {name for (name,) in rows} | events.project_ids(cursor) | OWN_FOLDERS
    numbered = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    if base not in taken and not is_device(base):
        return base
    return next(name for name in numbered if name not in taken)


def create_labels(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    """Make the project's labels table, empty."""
    tables = project.tables
    cursor.execute(
        f"CREATE TABLE {tables.labels} AS "
        f"SELECT {samples.SOURCE_COLUMNS}, NULL::VARCHAR AS {tables.label}, "
        f"NULL::BIGINT AS {tables.label_id} FROM {samples.table(project.project_id)} LIMIT 0"
    )


def _create_outputs(cursor: duckdb.DuckDBPyConnection, project: Project) -> None:
    tables = project.tables
    create_labels(cursor, project)
    cursor.execute(
        f"CREATE TABLE {tables.metadata} ({tables.label_id} BIGINT, "
        f"sample_id VARCHAR, status VARCHAR, {tables.label} VARCHAR, comment VARCHAR, "
        "session_id INTEGER, annotator VARCHAR, labeled_at TIMESTAMPTZ, origin VARCHAR, "
        "seconds DOUBLE)"
    )
    queries.create(cursor, project)


def _rename_outputs(cursor: duckdb.DuckDBPyConnection, old: Settings, project: Project) -> None:
    new = project.settings
    shown_anew = old.queries_table != new.queries_table
    if shown_anew:
        queries.hide(cursor, old)  # first: a table may get the name
    tables = [(old.labels_table, new.labels_table), (old.metadata_table, new.metadata_table)]
    columns = [(old.label_column, new.label_column), (old.label_id_column, new.label_id_column)]
    for was, is_now in _in_turn(tables):
        cursor.execute(f"ALTER TABLE main.{quote(was)} RENAME TO {quote(is_now)}")
    for _, table in tables:
        for was, is_now in _in_turn(columns):
            cursor.execute(
                f"ALTER TABLE main.{quote(table)} RENAME COLUMN {quote(was)} TO {quote(is_now)}"
            )
    if shown_anew:
        queries.show(cursor, project)
    if old.strategy != new.strategy:
        queries.forget_start(cursor, project.project_id)


def _in_turn(names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The steps that rename all from old to new: by way of other names, as two may swap theirs."""
    changed = [(f"__renamed_{was}", was, is_now) for was, is_now in names if was != is_now]
    away = [(was, between) for between, was, _ in changed]
    return away + [(between, is_now) for between, _, is_now in changed]


def drawn_from(settings: Settings) -> tuple[object, ...]:
    """What says which samples a project has, and in which order: other ones begin anew."""
    cut = (settings.window_seconds, settings.window_overlap)
    return settings.source, settings.modality, cut, settings.probe_share if any(cut) else None


def _change_source(cursor: duckdb.DuckDBPyConnection, project: Project) -> Project:
    """Start over with another source; only allowed while nothing has been decided."""
    old = get_project(cursor, project.project_id).settings
    queries.hide(cursor, old)
    predictions.forget(cursor, project.project_id)
    for table in (old.tables.labels, old.tables.metadata):
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
    settings = project.settings
    count, fingerprint = samples.create(cursor, project.project_id, settings)
    for name in _INTERNAL:
        cursor.execute(f"DELETE FROM labeling.{name} WHERE project_id = ?", [project.project_id])
    kept, block = probe_draw.draw(cursor, project.project_id, settings, count)
    project = project._replace(
        samples=count,
        probe_limit=kept,
        probe_block=block,
        source_fingerprint=fingerprint,
        source_version=project.source_version + 1,
    )
    _create_outputs(cursor, project)
    return project
