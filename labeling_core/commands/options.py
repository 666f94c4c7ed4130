"""What several commands need: where the database is, who acts, how far it is."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from labeling_core.errors import LabelingError
from labeling_core.notebook.opened import Labeling, open_database
from labeling_core.people import Person, local_person
from labeling_core.workspace import database_path

FILE = click.Path(path_type=Path)  # whether it is there, and readable, is for the core to tell

database_option = click.option(
    "--database",
    "path",
    type=FILE,
    metavar="FILE",
    callback=lambda context, option, given: (
        given.expanduser().resolve() if given else database_path()
    ),
    help="The database file (default: LABELING_DATABASE, else data/labeling.duckdb).",
)

project_option = click.option(
    "--project", required=True, metavar="ID", help="The project's id (see its address)."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")


def require_database(path: Path) -> None:
    if not path.exists():
        raise LabelingError(f"There is no database {path}: name one with --database.")


def operator() -> Person:
    try:
        return local_person(getpass.getuser())
    except (KeyError, OSError):
        return local_person("operator")


@contextmanager
def opened(path: Path) -> Iterator[Labeling]:
    """The database of a command, which must be there; closed in the end."""
    require_database(path)
    with open_database(path, operator().name) as found:
        yield found


def answer(as_json: bool, found: Any, text: str) -> None:
    """What a command found, for programs or for people."""
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else text)


@contextmanager
def progress_bar() -> Iterator[Callable[[float], None] | None]:
    """How far a command is, drawn on a terminal only; called with a share of 0..1."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=100, file=sys.stderr) as bar:
        yield lambda share: bar.update(round(100 * share) - bar.pos)
