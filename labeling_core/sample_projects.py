"""The sample projects that a new database starts with; their data are in ``data/``."""

from __future__ import annotations

from pathlib import Path

from labeling_core.database import Database
from labeling_core.importing import inspect, load
from labeling_core.projects import create_project
from labeling_core.settings import Category, Project, Settings

DATA = Path(__file__).resolve().parent.parent / "data"

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
