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
from labeling_core.notebook import through_app


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
    found, in_app = _found(path, mend)
    told = {
        "asked": {each.name: each.question for each in checks.CHECKS},
        "findings": [each._asdict() for each in found.findings],
        "copies": found.copies,
    }
    answer(as_json, told, _text(path, found, in_app))
    if wrong := found.open:
        more = "" if mend or all(each.state == "broken" for each in wrong) else (
            " `--mend` mends those marked so, after a backup."
        )  # fmt: skip
        raise LabelingError(f"{path.name} is not sound: {len(wrong)} findings.{more}")


def _found(path: Path, mend: bool) -> tuple[Report, bool]:
    """What is wrong, and whether the app has looked, which has the database open. It is opened in
    no other way: what is not sound may not open as a whole."""
    through = through_app.enter(path, operator().name)
    if through is None:
        return (checks.mend if mend else checks.look)(path, operator()), False
    work, leave = through
    try:
        return work.check(mend), True
    finally:
        leave()


def _text(path: Path, found: Report, in_app: bool) -> str:
    lines = [line for each in found.findings for line in _lines(each)]
    lines += [f"A copy of what was there before is {each}." for each in found.copies]
    if not found.open:
        more = " else" if found.findings else ""
        number = checks.NUMBER - in_app
        lines.append(f"{path.name} is sound: {number} checks found nothing{more}.")
    if in_app:
        lines.append("The app has it open: whether its log ends whole was not looked at.")
    return "\n".join(lines)


def _lines(each: Finding) -> list[str]:
    where = f"{each.project}: " if each.project else ""
    return [f"[{each.state}] {where}{each.sentence}", f"    {each.to_do}"]
