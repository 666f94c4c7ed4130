"""The sample projects that a new database starts with; their data are in ``data/``."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from labeling_core.config import DATA
from labeling_core.projects.lifecycle import create_project
from labeling_core.settings import Category, Project, Settings, slug
from labeling_core.sources.importing import inspect, load
from labeling_core.store import events
from labeling_core.store.database import Database

WINE_COLOUR = Settings(
    title="Wine colour",
    source="wine_colour",
    categories=(
        Category("red", "Red Vinho Verde", "#A3123F"),
        Category("white", "White Vinho Verde", "#D9A400"),
    ),
    labels_table="wine_colour_labels",
    metadata_table="wine_colour_metadata",
    queries_table="wine_colour_queries",
    test_table="wine_colour_test",
)

DIGITS = Settings(
    title="Digits",
    modality="images",
    source="digits",
    categories=tuple(Category(str(digit)) for digit in range(10)),
    labels_table="digits_labels",
    metadata_table="digits_metadata",
    queries_table="digits_queries",
)

SPOKEN_WORDS = Settings(
    title="Spoken words",
    modality="sounds",
    source="spoken_words",
    categories=tuple(
        Category(word)
        for word in ("yes", "no", "up", "down", "left", "right", "stop", "go", "on", "off")
    ),
    labels_table="spoken_words_labels",
    metadata_table="spoken_words_metadata",
    queries_table="spoken_words_queries",
)


_SOURCES = {slug(each.title): each.source for each in (WINE_COLOUR, DIGITS, SPOKEN_WORDS)}


def own_first(cursor: duckdb.DuckDBPyConnection, listed: Sequence[Project]) -> list[Project]:
    """People's own projects, the one used or made last first; then the sample projects."""
    rows = cursor.execute("SELECT project_id, created FROM labeling.projects").fetchall()
    used = events.last_used(cursor)
    touched = {each: max(created, used.get(each, created)) for each, created in rows}
    samples = [each for each in listed if _is_sample(each)]
    own = [each for each in listed if each.project_id in touched and not _is_sample(each)]
    own.sort(key=lambda each: each.project_id)
    own.sort(key=lambda each: touched[each.project_id], reverse=True)
    return own + samples


def _is_sample(project: Project) -> bool:
    return _SOURCES.get(project.project_id) == project.settings.source


def create_all(database: Database) -> None:
    """Make one project of each modality."""
    create_wine_colour(database)
    for settings in (DIGITS, SPOKEN_WORDS):
        create_project(database, settings)


def create_wine_colour(database: Database) -> Project:
    """Load the wine tables and make the project on them; the hold-out measures its accuracy."""
    folder = DATA / "wine_colour"
    with database.transaction() as cursor:
        for file, table in (("pool.csv", WINE_COLOUR.source), ("test.csv", WINE_COLOUR.test_table)):
            load(cursor, folder / file, inspect(folder / file, file), table)
        return create_project(database, WINE_COLOUR)
