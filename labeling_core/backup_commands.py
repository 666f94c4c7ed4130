"""The commands ``backup`` and ``restore`` of ``python -m labeling_core``."""

from __future__ import annotations

import argparse
import getpass
from pathlib import Path
from typing import Any

from labeling_core.backups import Backups, list_backups, restore
from labeling_core.database import Database
from labeling_core.errors import LabelingError
from labeling_core.people import Person, local_person
from labeling_core.workspace import database_path


def add_commands(commands: Any) -> None:
    """Add both to the subcommands of a parser."""
    backup = commands.add_parser("backup", help="copy the database into the folder of backups")
    _add_database(backup)
    backup.add_argument("--list", action="store_true", help="only list the backups there are")
    backup.set_defaults(run=_backup)
    back = commands.add_parser("restore", help="put a backup in the place of the database")
    back.add_argument("backup", type=Path, metavar="BACKUP", help="the file of the backup")
    _add_database(back)
    back.set_defaults(run=_restore)


def _add_database(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--database",
        type=Path,
        metavar="FILE",
        help="the database file (default: LABELING_DATABASE, else data/labeling.duckdb)",
    )


def _path(arguments: argparse.Namespace) -> Path:
    given: Path | None = arguments.database
    return given.expanduser().resolve() if given else database_path()


def _operator() -> Person:
    try:
        return local_person(getpass.getuser())
    except (KeyError, OSError):
        return local_person("operator")


def _backup(arguments: argparse.Namespace) -> None:
    path = _path(arguments)
    if arguments.list:
        for each in list_backups(path):
            print(f"{each.made:%Y-%m-%d %H:%M:%S} UTC  {each.size / 1e6:9.1f} MB  {each.path}")
        return
    if not path.exists():
        raise LabelingError(f"There is no database {path}: name one with --database.")
    database = Database(path)
    try:
        made = Backups(database).make(_operator())
    finally:
        database.close()
    print(f"{made.path} ({made.size / 1e6:.1f} MB)")


def _restore(arguments: argparse.Namespace) -> None:
    path = _path(arguments)
    replaced = restore(arguments.backup.expanduser().resolve(), path, _operator())
    print(f"{path} is the database of {arguments.backup.name} now.")
    if replaced:
        print(f"What it replaced is kept in {replaced}.")
