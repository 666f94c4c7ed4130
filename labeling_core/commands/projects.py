"""``projects`` and ``create``: what a database holds, and one project more."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from labeling_core.commands.options import (
    answer,
    command,
    database_option,
    json_option,
    opened,
    project_option,
    waiting,
)
from labeling_core.errors import LabelingError
from labeling_core.learning.measures import MEASURES
from labeling_core.modalities.registry import MODALITIES
from labeling_core.notebook.project import LabelingProject
from labeling_core.settings import Column, Settings


@command(name="projects")
@database_option
@json_option
def projects(path: Path, as_json: bool) -> None:
    """List the projects: id, kind of samples, title.

    \b
    Example:
      python -m labeling_core projects --json
    """
    with opened(path) as database:
        found = [_told(each) for each in database.projects.values()]
    lines = (f"{each['project']}  {each['modality']}  {each['title']}" for each in found)
    answer(as_json, found, "\n".join(lines) or "There is no project yet.")


@command(name="create")
@database_option
@click.option("--title", required=True, help="What the project is called.")
@click.option(
    "--source", required=True, metavar="SOURCE",
    help="A file, a table of the database, a folder, or a pattern of Parquet files.",
)  # fmt: skip
@click.option("--category", "categories", multiple=True, metavar="NAME", help="Repeat for each.")
@click.option(
    "--labels", default="", metavar="COLUMN", help="The column that holds labels already."
)
@click.option(
    "--leave", multiple=True, metavar="COLUMN",
    help="Neither show nor learn from it; of Parquet files it is not even read. Repeat for more.",
)  # fmt: skip
@click.option(
    "--modality",
    type=click.Choice(list(MODALITIES)),
    default=Settings.modality,
    help="The kind of its samples.",
)
@click.option(
    "--features",
    default=Settings.features,
    metavar="NAME",
    help="What the model sees; “+” between several.",
)
@click.option(
    "--measure", type=click.Choice(list(MEASURES)), default=Settings.measure,
    help="By which a session's model is told to be good.",
)  # fmt: skip
@click.option("--every", type=int, default=Settings.every, help="Labels between two sessions.")
@click.option(
    "--window", type=float, default=0.0, metavar="SECONDS", help="Cut recordings into windows."
)
@click.option(
    "--overlap", type=float, default=0.0, metavar="SECONDS", help="By which windows overlap."
)
@json_option
def create(
    path: Path,
    title: str,
    source: str,
    categories: tuple[str, ...],
    labels: str,
    leave: tuple[str, ...],
    modality: str,
    features: str,
    measure: str,
    every: int,
    window: float,
    overlap: float,
    as_json: bool,
) -> None:
    """Make a project of a table or of a folder.

    \b
    Example:
      python -m labeling_core create --title Wines --source wines.csv --labels colour
    """
    with opened(path) as database, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told below, with the others
        with waiting(f"Reading {source}"):
            made = database.create(
                title, source, categories, labels, modality=modality, every=every, measure=measure,
                features=features, window_seconds=window, window_overlap=overlap,
                columns=tuple(Column(each, "neither") for each in leave),
            )  # fmt: skip
        found = _told(made)
        for note in made.source_notes():
            click.echo(note, err=True)
    answer(as_json, found, f"The project {found['project']} is made.")


@command(name="delete")
@database_option
@project_option
@click.option("--tables", is_flag=True, help="Drop its labels and metadata too, after a backup.")
@click.option("--uploads", is_flag=True, help="With --tables: also what was uploaded for it.")
@json_option
def delete(path: Path, project: str, tables: bool, uploads: bool, as_json: bool) -> None:
    """Delete a project; or the tables that a deleted one has left.

    \b
    Example:
      python -m labeling_core delete --project wine_colour --tables
    """
    if uploads and not tables:
        raise LabelingError("Say --tables as well: what was uploaded goes with them.")
    with opened(path) as database:
        made = database.delete(project, tables, uploads)
    backup = "" if made is None else str(made)
    more = f" What it had is in {backup}." if backup else " Its labels and metadata stay."
    answer(as_json, {"project": project, "backup": backup}, f"{project} is deleted.{more}")


def _told(project: LabelingProject) -> dict[str, Any]:
    known = project.settings
    return {
        "project": project.project_id,
        "title": known.title,
        "modality": known.modality,
        "source": known.source,
        "measure": known.measure,
        "categories": [each.name for each in known.categories],
    }
