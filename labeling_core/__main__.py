"""Command line over the same use cases as the pages: ``python -m labeling_core --help``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

import click

from labeling_core.commands.checking import check
from labeling_core.commands.copies import backup, restore
from labeling_core.commands.label_import import import_labels
from labeling_core.commands.labeling import export, label, next_samples, progress, sample
from labeling_core.commands.options import MODULE
from labeling_core.commands.predicting import predict
from labeling_core.commands.projects import create, delete, projects
from labeling_core.commands.serving import serve
from labeling_core.commands.simulating import simulate
from labeling_core.commands.storage import storage
from labeling_core.errors import LabelingError


def run() -> None:
    """The command ``labeling`` of an installed package."""
    sys.exit(main(name=Path(sys.argv[0]).stem))


def main(argv: Sequence[str] | None = None, name: str = MODULE) -> int:
    """Run one command, told as ``name``; 0 if it worked, 2 with one sentence on standard error if
    not, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # on Windows a pipe has the letters of a region
            stream.reconfigure(errors="replace")
    try:
        commands.main(argv, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        click.echo(error.format_message(), err=True)
        return 2
    except LabelingError as error:
        click.echo(str(error), err=True)
        return 2
    except click.Abort:  # Ctrl-C
        return 130
    return 0


@click.group(context_settings={"max_content_width": 100})
def commands() -> None:
    """Make projects, label, sample, export; replay labeled data, predict, back up the database."""


for _each in (
    projects, create, delete, import_labels, next_samples, label, sample, progress, export, check,
    serve, storage, simulate, predict, backup, restore,
):  # fmt: skip
    commands.add_command(_each)

if __name__ == "__main__":
    sys.exit(main())
