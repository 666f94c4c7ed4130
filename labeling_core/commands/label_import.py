"""``import``: bring labels that exist into a project."""

from __future__ import annotations

from pathlib import Path

import click

from labeling_core.commands.options import FILE, database_option, operator, require_database
from labeling_core.labeling import label_import
from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_plan import WINS
from labeling_core.sources.foreign_labels import read_files
from labeling_core.sources.label_tools import FORMATS
from labeling_core.workspace import Workspace


@click.command(name="import")
@database_option
@click.option("--project", required=True, metavar="ID", help="The project's id (see its address).")
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
) -> None:
    """Bring labels that exist into a project, with the app stopped.

    \b
    Example:
      python -m labeling_core import --project wine_colour --file labels.csv --dry-run
    """
    require_database(path)
    workspace = Workspace(path)
    try:
        known = workspace.project(project).settings
        read = read_files([(each, each.name) for each in files], form, label, [known.label_column])
        how, by = How(column, wins, create, random_draw), operator()
        if dry_run:
            found = label_import.plan(workspace.open_projects, project, read, how, by)
        else:
            names = ", ".join(each.name for each in files)
            number, found = label_import.bring_in(
                workspace.open_projects, project, read, names, how, by
            )
        stored = "Nothing is stored." if dry_run else f"Import {number} is stored."
        click.echo("\n".join([*found.lines(wins), stored]))
    finally:
        workspace.close()
