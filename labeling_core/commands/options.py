"""What several commands need: where the database is, who acts, how far it is."""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import click

from labeling_core.errors import LabelingError
from labeling_core.notebook.meanwhile import meanwhile
from labeling_core.notebook.opened import Labeling, open_database
from labeling_core.people import Person, local_person
from labeling_core.sources.containers import LINES
from labeling_core.sources.left_out import groups, look_through
from labeling_core.workspace import database_path

MODULE = "python -m labeling_core"  # how a command is called that is not installed
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
_MOMENT = 1.0  # seconds that nothing has to be said about
_LOOK = 0.1  # seconds between two looks at a file that grows


class Command(click.Command):
    """A command whose examples show it as it was called."""

    def get_help(self, ctx: click.Context) -> str:
        return super().get_help(ctx).replace(MODULE, ctx.find_root().info_name or MODULE)


command = partial(click.command, cls=Command)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer with one line of JSON.")


part_option = click.option(
    "--part",
    default="",
    metavar="NAME",
    help="The sheet or table of --data where it holds several; "
    f"“{LINES}” for a text whose lines are the samples.",
)


def require_one(given: Mapping[str, Path | str | None]) -> None:
    if sum(each is not None for each in given.values()) != 1:
        raise click.UsageError(f"Name one of {', '.join(given)}.")


def say_left_out(folder: Path, suffixes: Collection[str]) -> None:
    """What of a folder is no sample, by kind, beside the results."""
    for kind in groups(look_through(folder, suffixes).refusals):
        click.echo(f"Not taken: {kind.files:,} × {kind.reason} ({kind.example})", err=True)


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
    found = open_database(path, operator().name)
    try:
        yield found
    finally:
        with waiting("Waiting for a session that is under way; Ctrl-C ends it as failed"):
            found.close()


def answer(as_json: bool, found: Any, text: str) -> None:
    """What a command found, for programs or for people."""
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else text)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Say what is waited for, and for how long, once that takes a moment; on a terminal only."""
    if not sys.stderr.isatty():
        yield
        return
    start = time.monotonic()

    def tell() -> None:
        passed = f"{time.monotonic() - start:.0f}"
        click.echo(f"\r{text} … {passed} s", nl=False, err=True)

    try:
        with meanwhile(tell, _MOMENT):
            yield
    finally:
        if time.monotonic() - start >= _MOMENT:
            click.echo(f"\r{' ' * (len(text) + 12)}\r", nl=False, err=True)


@contextmanager
def progress_bar() -> Iterator[Callable[[float], None] | None]:
    """How far a command is, drawn on a terminal only; called with a share of 0..1."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=100, file=sys.stderr) as bar:
        yield lambda share: bar.update(round(100 * share) - bar.pos)


@contextmanager
def growing_bar(file: Callable[[], Path], whole: int) -> Iterator[None]:
    """How far a file is that somebody writes, drawn on a terminal only: of ``whole`` bytes."""
    with progress_bar() as told:
        if told is None:
            yield
            return

        def look() -> None:
            with suppress(OSError):  # not there yet, or not any more
                told(min(file().stat().st_size / max(whole, 1), 1.0))

        with meanwhile(look, _LOOK):
            yield
        told(1.0)
