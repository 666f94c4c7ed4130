"""``storage``: what takes how much on the disk, and clearing what is made again."""

from __future__ import annotations

from pathlib import Path

import click

from labeling_core.commands.options import (
    answer,
    command,
    database_option,
    json_option,
    opened,
)
from labeling_core.integrity import storage as stored
from labeling_core.people import EVERYWHERE


@command(name="storage")
@database_option
@click.option(
    "--clear", "kind", type=click.Choice(list(stored.CLEARABLE)), help="Remove what is made again."
)
@click.option("--project", default=EVERYWHERE, metavar="ID", help="Of one project only.")
@json_option
def storage(path: Path, kind: str | None, project: str, as_json: bool) -> None:
    """Tell what takes how much on the disk; clear what is made again.

    \b
    Example:
      python -m labeling_core storage --clear renditions
    """
    with opened(path) as database:
        went = database.clear(kind, project) if kind else 0
        found = database.storage()
    uses = [each for each in found.uses if project in (EVERYWHERE, each.project)]
    told = found._asdict() | {"uses": [each._asdict() for each in uses], "cleared": went}
    answer(as_json, told, "\n".join([*_cleared(kind, went), *_lines(found, uses)]))


def _cleared(kind: str | None, went: int) -> list[str]:
    return [f"{went / 1e6:,.1f} MB of {kind} are gone. {stored.CLEARABLE[kind]}"] if kind else []


def _lines(found: stored.Storage, uses: list[stored.Use]) -> list[str]:
    lines = [
        f"{each.size / 1e6:11,.1f} MB  {each.number:9,}  {each.kind:16}  {each.project}".rstrip()
        for each in sorted(uses, key=lambda use: -use.size)
    ]
    return [
        *lines,
        f"{found.file / 1e6:11,.1f} MB in the database file and its log",
        f"{found.beside / 1e6:11,.1f} MB beside them",
        f"{found.free / 1e6:11,.1f} MB free on the disk",
    ]
