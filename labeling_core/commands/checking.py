"""``check``: what is wrong with a database, and mending it."""

from __future__ import annotations

from pathlib import Path

import click

from labeling_core.commands.options import (
    answer,
    command,
    database_option,
    json_option,
    operator,
    require_database,
)
from labeling_core.errors import LabelingError
from labeling_core.integrity import checks
from labeling_core.integrity.checks import Finding, Report


@command(name="check")
@database_option
@click.option("--mend", is_flag=True, help="Mend what loses nothing, after a backup.")
@json_option
def check(path: Path, mend: bool, as_json: bool) -> None:
    """Look whether a database is sound; with `--mend`, make it so.

    Says what is wrong and what to do. The exit code is 0 when nothing is wrong (any more), else 2.

    \b
    Example:
      python -m labeling_core check --mend
    """
    require_database(path)
    found = (checks.mend if mend else checks.look)(path, operator())
    told = {
        "asked": {each.name: each.question for each in checks.CHECKS},
        "findings": [each._asdict() for each in found.findings],
        "copies": [str(each) for each in found.copies],
    }
    answer(as_json, told, _text(path, found))
    if wrong := found.open:
        more = "" if mend or all(each.state == "broken" for each in wrong) else (
            " `--mend` mends those marked so, after a backup."
        )  # fmt: skip
        raise LabelingError(f"{path.name} is not sound: {len(wrong)} findings.{more}")


def _text(path: Path, found: Report) -> str:
    lines = [line for each in found.findings for line in _lines(each)]
    lines += [f"A copy of what was there before is {each}." for each in found.copies]
    if not found.open:
        more = " else" if found.findings else ""
        lines.append(f"{path.name} is sound: {checks.NUMBER} checks found nothing{more}.")
    return "\n".join(lines)


def _lines(each: Finding) -> list[str]:
    where = f"{each.project}: " if each.project else ""
    return [f"[{each.state}] {where}{each.sentence}", f"    {each.to_do}"]
