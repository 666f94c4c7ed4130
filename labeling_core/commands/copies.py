"""``backup`` and ``restore``: copies of the database."""

from __future__ import annotations

from pathlib import Path

import click

from labeling_core.commands.options import (
    FILE,
    answer,
    command,
    database_option,
    growing_bar,
    json_option,
    opened,
    operator,
    require_database,
)
from labeling_core.store import put_back
from labeling_core.store.backups import list_backups, part_of


@command(name="backup")
@database_option
@click.option("--list", "only_list", is_flag=True, help="Only list the backups there are.")
@json_option
def backup(path: Path, only_list: bool, as_json: bool) -> None:
    """Copy the database into the folder of backups.

    \b
    Example:
      python -m labeling_core backup --list
    """
    if only_list:
        known = list_backups(path)
        told = [
            {"file": str(each.path), "bytes": each.size, "made": each.made.isoformat()}
            for each in known
        ]
        lines = (
            f"{each.made:%Y-%m-%d %H:%M:%S} UTC  {each.size / 1e6:9.1f} MB  {each.path}"
            for each in known
        )
        answer(as_json, told, "\n".join(lines) or "There is no backup yet.")
        return
    require_database(path)
    with opened(path) as database, growing_bar(lambda: part_of(path), path.stat().st_size):
        made = database.backup()
    size = made.stat().st_size
    answer(as_json, {"file": str(made), "bytes": size}, f"{made} ({size / 1e6:.1f} MB)")


@command(name="restore")
@click.argument("backup", type=FILE)
@database_option
@json_option
def restore(backup: Path, path: Path, as_json: bool) -> None:
    """Put the file BACKUP in the place of the database.

    \b
    Example:
      python -m labeling_core restore backups/labeling-20260131T120000000000Z.duckdb
    """
    backup = backup.expanduser().resolve()
    size = backup.stat().st_size if backup.is_file() else 0
    with growing_bar(lambda: put_back.part_of(path), size):
        replaced = put_back.restore(backup, path, operator())
    told = {"database": str(path), "backup": str(backup), "replaced": replaced and str(replaced)}
    lines = [f"{path} is the database of {backup.name} now."]
    if replaced:
        lines.append(f"What it replaced is kept in {replaced}.")
    answer(as_json, told, "\n".join(lines))
