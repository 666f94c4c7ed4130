"""``import``: bring labels that exist into a project."""

from __future__ import annotations

from pathlib import Path

import click

from labeling_core.commands.options import (
    FILE,
    answer,
    command,
    database_option,
    json_option,
    opened,
    project_option,
    waiting,
)
from labeling_core.labeling.label_plan import WINS
from labeling_core.sources.label_tools import FORMATS


@command(name="import")
@database_option
@project_option
@click.option(
    "--file",
    "files",
    type=FILE,
    required=True,
    multiple=True,
    metavar="FILE",
    help="The labels; twice for labels and metadata of the labeling plugin.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "table", *FORMATS]),
    default="auto",
    help="The tool they are from (default: told by the content).",
)
@click.option("--match", "column", default="", metavar="COLUMN", help="What tells the samples.")
@click.option("--label", default="", metavar="COLUMN", help="The column, or question, of labels.")
@click.option(
    "--wins",
    type=click.Choice(WINS),
    default=WINS[0],
    help="Whose label holds where they contradict what was decided.",
)
@click.option("--create-categories", "create", is_flag=True, help="Labels become categories.")
@click.option("--random-draw", is_flag=True, help="The labeled samples were drawn at random.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
def import_labels(
    path: Path,
    project: str,
    files: tuple[Path, ...],
    form: str,
    column: str,
    label: str,
    wins: str,
    create: bool,
    random_draw: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring labels that exist into a project.

    \b
    Example:
      python -m labeling_core import --project wine_colour --file labels.csv --dry-run
    """
    with opened(path) as database, waiting(f"Reading {files[0].name} and matching its samples"):
        found = database.project(project).import_labels(
            files, column, label, wins, create, random_draw, dry_run, form
        )
    answer(as_json, found._asdict(), "\n".join(found.told))
