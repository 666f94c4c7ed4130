"""What can be wrong with the settings of a project, told field by field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS
from labeling_core.learning.measures import MEASURES
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.modalities.registry import (
    MODALITIES,
    mistakes_in_features,
    modality_of,
    source_of,
)
from labeling_core.projects import category_checks, column_uses, overlap, samples
from labeling_core.settings import Project, Settings, default_tables, output_tables
from labeling_core.sources.remote_storage import is_remote
from labeling_core.store.database import columns, tables
from labeling_core.store.table_rows import has_rows

LONGEST_WAIT = 86_400  # seconds
SHORTEST_WINDOW, LONGEST_WINDOW, MOST_CONTEXT = 0.1, 600, 60  # seconds
MOST_LABELINGS = 1_000_000_000  # between two sessions; what its column can hold


class Problem(NamedTuple):
    """One mistake in the settings: the field it belongs to and a sentence."""

    field: str
    sentence: str


class SettingsError(LabelingError):
    """All mistakes at once, to be shown beside their fields."""

    def __init__(self, found: list[Problem]) -> None:
        super().__init__(found[0].sentence, found[0].field)
        self.found = found


@dataclass
class _Problems:
    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, sentence: str) -> None:
        self.found.append(Problem(where, sentence))


def check(
    cursor: duckdb.DuckDBPyConnection,
    settings: Settings,
    project: Project | None,
    others: Sequence[Project],
) -> list[Problem]:
    """Everything that is wrong with ``settings``, for a new project or for ``project``.

    ``others`` are the projects whose tables must be left alone.
    """
    problems = _Problems()
    _check_title(settings, project, others, problems)
    known = project.settings.names if project else ()
    problems.found += [
        Problem("categories", each) for each in category_checks.mistakes(settings.categories, known)
    ]
    if settings.modality not in MODALITIES:  # nothing more can be said
        problems.add("modality", f"“{settings.modality}” is no modality.")
        return problems.found
    _check_source(cursor, settings, project, problems)
    _check_windows(settings, problems)
    _check_features(settings, project, problems)
    _check_columns(cursor, settings, project, problems)
    _check_outputs(cursor, settings, project, others, problems)
    _check_learning(cursor, settings, problems)
    problems.found += [Problem(*each) for each in overlap.mistakes(settings)]
    if project is not None:
        _check_change(cursor, settings, project, problems)
    return problems.found


def _check_title(
    settings: Settings, project: Project | None, others: Sequence[Project], problems: _Problems
) -> None:
    title = settings.title.strip()
    if not title:
        problems.add("title", "A project needs a name.")
    elif project is not None and project.settings.title.strip() == title:
        return  # it has had that name for long
    for other in others:
        if title and other.settings.title.strip().lower() == title.lower():
            problems.add(
                "title",
                f"There is a project “{other.settings.title}” already: choose another name.",
            )
            return


def _check_source(
    cursor: duckdb.DuckDBPyConnection,
    settings: Settings,
    project: Project | None,
    problems: _Problems,
) -> None:
    old = project.settings if project else Settings()
    moved = (settings.source, settings.modality) != (old.source, old.modality)
    if not settings.source:
        problems.add("source", f"Choose the {source_of(settings).thing} to label, or upload one.")
    elif moved and (mistake := source_of(settings).mistake(cursor, settings.source)):
        problems.add("source", mistake)


def _check_windows(settings: Settings, problems: _Problems) -> None:
    seconds, overlap = settings.window_seconds, settings.window_overlap
    if not seconds:
        return
    if not source_of(settings).may_be_cut:
        problems.add("window_seconds", "Only sound recordings are cut into windows: enter 0.")
    elif is_remote(settings.source):  # each would have to be fetched first, and all would wait
        problems.add(
            "window_seconds",
            "Recordings in a bucket are not cut into windows: enter 0, or copy them to a folder on "
            "the server.",
        )
    elif not SHORTEST_WINDOW <= seconds <= LONGEST_WINDOW:
        problems.add(
            "window_seconds",
            f"A window has {SHORTEST_WINDOW} to {LONGEST_WINDOW} seconds; 0 leaves recordings "
            "whole.",
        )
    elif not 0 <= overlap <= 0.9 * seconds:
        problems.add("window_overlap", "Windows overlap by 0 to 90 % of their length.")
    if not 0 <= settings.window_context <= MOST_CONTEXT:
        problems.add("window_context", f"Around a window 0 to {MOST_CONTEXT} seconds are shown.")


def _check_features(settings: Settings, project: Project | None, problems: _Problems) -> None:
    if project and project.settings.features == settings.features:
        return  # what is not there any more does not keep anybody from changing something else
    for each in mistakes_in_features(modality_of(settings), settings.features):
        problems.add("features", each)


def _check_columns(
    cursor: duckdb.DuckDBPyConnection,
    settings: Settings,
    project: Project | None,
    problems: _Problems,
) -> None:
    """How they are used; and ours, which stand beside those of the source, are not among them."""
    found = samples.source_columns(cursor, settings)
    taken = {name.lower(): name for name, _ in found}
    if found:
        old = project.settings if project else None
        names = [name for name, _ in found]
        problems.found += [Problem(*each) for each in column_uses.mistakes(settings, names, old)]
    thing = source_of(settings).beside(settings.source)
    for name in samples.RESERVED:
        if name in taken:
            problems.add("source", f"The column “{taken[name]}” is one we need: rename it.")
    for where, name in (
        ("label_column", settings.label_column),
        ("label_id_column", settings.label_id_column),
    ):
        if not name.strip():
            problems.add(where, "The column needs a name.")
        elif name.lower() in taken:
            problems.add(
                where,
                f"The {thing} already has a column “{taken[name.lower()]}”: "
                "choose another name here.",
            )
    if settings.label_column.lower() == settings.label_id_column.lower():
        problems.add("label_id_column", "Label column and label id column need two names.")
    reserved = {"sample_id", "status", "comment", "session_id", "annotator", "labeled_at",
                "origin", "seconds"}  # fmt: skip
    for where in ("label_column", "label_id_column"):
        name = getattr(settings, where)
        if name.lower() in reserved:
            problems.add(where, f"“{name}” is a column of the metadata table: choose another.")


def _check_outputs(
    cursor: duckdb.DuckDBPyConnection,
    settings: Settings,
    project: Project | None,
    others: Sequence[Project],
    problems: _Problems,
) -> None:
    own = set() if project is None else {name.lower() for name in output_tables(project.settings)}
    existing = {name.lower() for name in tables(cursor)} - own
    owners = {
        name.lower(): other.settings.title
        for other in others
        for name in output_tables(other.settings)
    }
    # What follows from the name of a new project is told there: nobody has typed anything else.
    derived = default_tables(settings.title) if project is None else {}
    clashes: list[str] = []
    seen: set[str] = set()
    for where in ("labels_table", "metadata_table", "queries_table"):
        name = getattr(settings, where).strip()
        low = name.lower()
        if not name and where != "queries_table":
            problems.add(where, "The table needs a name.")
        elif name == derived.get(where) and (low in owners or low in existing):
            clashes.append(f"“{name}”")
        elif low in owners:
            problems.add(
                where,
                f"The table “{name}” is in use by the project “{owners[low]}”: choose another.",
            )
        elif low in existing:
            problems.add(where, f"A table “{name}” already exists: choose another name.")
        elif low and low in seen:
            problems.add(where, f"“{name}” is named twice: each table needs its own name.")
        seen.add(low)
    if clashes and not any(each.field == "title" for each in problems.found):
        _tell_clashes(clashes, problems)


def _tell_clashes(clashes: list[str], problems: _Problems) -> None:
    """What follows from a project's name is taken: told at the name."""
    one = len(clashes) == 1
    problems.add(
        "title",
        f"This name stands for the {'table' if one else 'tables'} {', '.join(clashes)}, which "
        f"{'exists' if one else 'exist'} already: choose another name, or name the tables "
        "yourself. What a deleted project has left can be dropped on the page Storage.",
    )


def _check_learning(
    cursor: duckdb.DuckDBPyConnection, settings: Settings, problems: _Problems
) -> None:
    if settings.classifier not in CLASSIFIERS:
        problems.add("classifier", f"“{settings.classifier}” is no classifier on offer.")
    if settings.strategy not in STRATEGIES:
        problems.add("strategy", f"“{settings.strategy}” is no query strategy on offer.")
    if settings.measure not in MEASURES:
        known = ", ".join(MEASURES)
        problems.add("measure", f"“{settings.measure}” is no measure: it is one of {known}.")
    if settings.every < 1:
        problems.add("every", "Retraining takes at least one new label: enter 1 or more.")
    elif settings.every > MOST_LABELINGS:
        problems.add(
            "every",
            f"So many labels hardly ever come together: enter at most {MOST_LABELINGS:,}, or turn "
            "active learning off.",
        )
    for wait in ("check_seconds", "grace_seconds"):
        if not 0 <= getattr(settings, wait) <= LONGEST_WAIT:
            problems.add(wait, f"A session waits for 0 to {LONGEST_WAIT:,} seconds (a day).")
    if not 0 <= settings.probe_share <= 0.5:
        problems.add("probe_share", "The share of probes lies between 0 and 50 %.")
    if settings.test_table and not modality_of(settings).test_tables:
        problems.add("test_table", "A test table goes with tables only: choose none.")
    elif settings.test_table:
        found = {name.lower() for name, _ in columns(cursor, settings.test_table)}
        wanted = {name.lower() for name, _ in samples.source_columns(cursor, settings)}
        missing = sorted((wanted | {settings.label_column.lower()}) - found)
        if not found:
            problems.add("test_table", f"There is no table “{settings.test_table}”.")
        elif missing:
            problems.add(
                "test_table",
                f"The table “{settings.test_table}” lacks the column “{missing[0]}”: it needs "
                "the columns of the table to label and the label column.",
            )


def _check_change(
    cursor: duckdb.DuckDBPyConnection, settings: Settings, project: Project, problems: _Problems
) -> None:
    old = project.settings
    if not has_rows(cursor, old.metadata_table):
        return
    cut = ("window_seconds", "window_overlap")
    if old.window_seconds and settings.probe_share != old.probe_share:
        problems.add(
            "probe_share",
            "Of windows the probes are whole recordings or blocks of time, drawn when the project "
            "was made: make a new project for another share.",
        )
    for where in ("source", "modality", *cut):
        if getattr(settings, where) != getattr(old, where):
            problems.add(
                where, "Decisions have been made on the old one: make a new project instead."
            )
    used = cursor.execute(
        f"SELECT DISTINCT {old.tables.label} FROM {old.tables.metadata} WHERE status = 'LABELED'"
    ).fetchall()
    for name in sorted({name for (name,) in used} - set(settings.names)):
        problems.add("categories", f"“{name}” has labels: rename, merge or retire it.")
