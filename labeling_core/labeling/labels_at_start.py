"""A new project starts from the labels that are there: in a column, in sub-folders, in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling import label_import, label_plan
from labeling_core.labeling.label_import import MOST_CATEGORIES, How
from labeling_core.labeling.label_matching import SAMPLE_ID, Match, match, put
from labeling_core.labeling.label_plan import Plan
from labeling_core.modalities.registry import modality_of, source_of
from labeling_core.people import Person
from labeling_core.projects import category_checks, probe_draw, samples
from labeling_core.projects.categories import assign_keys
from labeling_core.projects.category_names import compared
from labeling_core.settings import Category, Project, Settings, quote
from labeling_core.sources.folders import list_files, source_folder
from labeling_core.sources.label_records import Imported, LabelFile
from labeling_core.store.database import Database, folder_of

_BLANK = "nullif(trim({}::VARCHAR), '')"


class Given(NamedTuple):
    """Labels beside the source: ``folders``: each file's sub-folder is its category; ``file``:
    annotations by path, of a file called ``name``. With ``random_draw`` the labeled samples were
    drawn at random, and may measure."""

    folders: bool = False
    file: LabelFile | None = None
    name: str = ""
    random_draw: bool = False


NOTHING = Given()


def are_there(settings: Settings, given: Given = NOTHING) -> bool:
    """Whether a new project brings labels."""
    own = bool(settings.column_used_as("labels")) and not modality_of(settings).reads_files
    return own or given.folders or given.file is not None


def with_categories(
    cursor: duckdb.DuckDBPyConnection, settings: Settings, given: Given = NOTHING
) -> Settings:
    """The settings of a new project with a category for each label that is there, the most
    frequent first, behind those that were entered; the source has to exist.

    Raises LabelingError when there are more than can be had.
    """
    found = _labels(cursor, settings, given) if are_there(settings, given) else []
    if not found:
        return settings
    known = {compared(each.name) for each in settings.categories}
    added: list[Category] = []
    for name in found:
        if compared(name) not in known:
            known.add(compared(name))
            added.append(Category(name))
    wanted = assign_keys((*settings.categories, *added))
    mistakes = category_checks.mistakes(wanted, ())
    if len(wanted) > MOST_CATEGORIES:
        mistakes = [f"A project can have {MOST_CATEGORIES:,} categories: choose another column."]
    if added and mistakes:
        where = f"{_where(settings, given)} {len(found):,} different label{'s' * (len(found) > 1)}"
        raise LabelingError(f"{where}. {mistakes[0]}", "categories")
    return replace(settings, categories=wanted)


def _where(settings: Settings, given: Given) -> str:
    column = settings.column_used_as("labels")
    if column:
        return f"The column “{column}” holds"
    return "The sub-folders are" if given.folders else f"{given.name} holds"


def _labels(cursor: duckdb.DuckDBPyConnection, settings: Settings, given: Given) -> list[str]:
    """The labels that are there, the most frequent first."""
    column = settings.column_used_as("labels")
    if column and not modality_of(settings).reads_files:
        cell = _BLANK.format(quote(column))
        rows = source_of(settings).listed(cursor, settings.source).rows
        found = cursor.execute(
            f"SELECT {cell}, count(*) FROM {rows} WHERE {cell} IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        return [name for name, _ in found]
    records: Sequence[Imported] = given.file.records if given.file is not None else ()
    if given.folders:
        records = _by_folder(cursor, settings)
    counts: dict[str, int] = {}
    for each in records:
        if each.label is not None:
            counts[each.label] = counts.get(each.label, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))


def _by_folder(cursor: duckdb.DuckDBPyConnection, settings: Settings) -> list[Imported]:
    """A label for each file that lies in a sub-folder: the name of the innermost one."""
    folder = source_folder(settings.source, folder_of(cursor))
    files = list_files(folder, modality_of(settings).source.suffixes).files
    return [
        Imported(number, {"path": path}, parts[-2].strip())
        for number, path in enumerate(files, start=1)
        if len(parts := PurePosixPath(path).parts) > 1
    ]


def label(
    database: Database, project: Project, given: Given, who: Person
) -> tuple[Project, Plan | None]:
    """Store the labels that are there as import 1 of a project that is being made, within its
    transaction; the project as it is then, and what became of the labels.

    Unless they are a random draw their samples are put behind all others, so that the places kept
    for probes are drawn of those without a label.
    """
    with database.transaction() as cursor:
        settings = project.settings
        if settings.column_used_as("labels") and not modality_of(settings).reads_files:
            way, notes = _from_columns(cursor, project)
            detail = {"file": f"the column “{way.field}”", "format": "a column of the source"}
            plan = label_plan.decide(cursor, project, way, create=False, notes=notes)
        elif given.folders or given.file is not None:
            file = given.file or LabelFile("table", _by_folder(cursor, settings))
            if not file.records:
                raise LabelingError("No file lies in a sub-folder that could be its category.")
            way = put(cursor, project, file.records, "")
            detail = {"file": given.name or "the sub-folders", "format": file.format}
            plan = label_plan.decide(cursor, project, way, False, file.unreadable, file.notes)
        else:
            return project, None
        if not plan.stored():
            return project, plan
        if not given.random_draw:
            project = _put_last(cursor, project)
        how = How(way.column, random_draw=given.random_draw)
        label_import.store(database, cursor, project, plan, how, detail, who)
    return project, plan


def _put_last(cursor: duckdb.DuckDBPyConnection, project: Project) -> Project:
    """Put what has a label behind all else, and let the plan follow."""
    project = probe_draw.put_last(
        cursor, project, "SELECT sample_id FROM import_fates WHERE fate = 'new'"
    )
    for table in ("import_matched", "import_fates"):
        cursor.execute(
            f"UPDATE {table} SET place = s.{samples.PLACE} FROM {samples.keys(project.project_id)} "
            f"AS s WHERE s.{samples.SAMPLE_ID} = {table}.sample_id"
        )
    return project


def _from_columns(cursor: duckdb.DuckDBPyConnection, project: Project) -> tuple[Match, list[str]]:
    """Make ``incoming`` of the columns that hold labels, who, when and why; what is to be said."""
    settings = project.settings
    cells = []
    for use in ("labels", "annotator", "comment", "time"):
        name = settings.column_used_as(use)
        cells.append(_BLANK.format(f"s.{quote(name)}") if name else "NULL::VARCHAR")
    named, who, said, when = cells
    seconds = f"try_cast({when} AS DOUBLE)"
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE incoming AS SELECT row_number() OVER () AS line, "
        f"s.{samples.SAMPLE_ID} AS key, {named} AS label, coalesce({who}, '') AS annotator, "
        f"make_timestamptz(coalesce(epoch_us(try_cast({when} AS TIMESTAMP)), CASE WHEN {seconds} "
        f"BETWEEN 1e8 AND 1e11 THEN ({seconds} * 1e6)::BIGINT END)) AS labeled_at, "
        f"{said} AS comment, {when} AS written "
        f"FROM {samples.table(project.project_id)} AS s WHERE {named} IS NOT NULL"
    )
    row = cursor.execute(
        "SELECT count(*), min(written) FROM incoming WHERE written IS NOT NULL "
        "AND labeled_at IS NULL"
    ).fetchone()
    cursor.execute("ALTER TABLE incoming DROP COLUMN written")
    match(cursor, project, SAMPLE_ID)
    way = Match(settings.column_used_as("labels"), SAMPLE_ID)
    if row is None or not row[0]:
        return way, []
    return way, [
        f"{row[0]:,} times such as “{row[1][:40]}” cannot be read: these labels have the time of "
        "the import."
    ]
