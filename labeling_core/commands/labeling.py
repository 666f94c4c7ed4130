"""``next``, ``label``, ``sample``, ``progress`` and ``export``: the work on one project."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from labeling_core.commands.options import (
    FILE,
    answer,
    command,
    database_option,
    json_option,
    opened,
    progress_bar,
    project_option,
    waiting,
)
from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS
from labeling_core.learning.measures import MEASURES
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.progress.label_filter import Wanted

if TYPE_CHECKING:
    import pandas as pd

DAY = click.DateTime(["%Y-%m-%d"])
Row = tuple[int, str, str, str]  # line of the file, sample_id, category ("" skips), comment


@command(name="next")
@database_option
@project_option
@click.option("--count", type=click.IntRange(1), default=1, help="How many, at most.")
@json_option
def next_samples(path: Path, project: str, count: int, as_json: bool) -> None:
    """Take the next samples to decide on.

    They stay reserved for you until `label` decides them.

    \b
    Example:
      python -m labeling_core next --project wine_colour --count 10 --json
    """
    with opened(path) as database, waiting("Reading the samples, at the first time all of them"):
        found = [each._asdict() for each in database.project(project).next(count)]
    lines = (f"{each['sample_id']}  {each['fields']}" for each in found)
    answer(as_json, found, "\n".join(lines) or "No sample waits for a decision.")


@command(name="label")
@database_option
@project_option
@click.option(
    "--file",
    type=FILE,
    required=True,
    metavar="FILE",
    help="A CSV file with sample_id, label (empty: skip) and perhaps comment.",
)
@json_option
def label(path: Path, project: str, file: Path, as_json: bool) -> None:
    """Decide on samples that `next` handed out, by a file.

    What is refused is told with its line, and all others are stored, a thousand at a time. For
    samples that were never handed out there is `import`.

    \b
    Example:
      python -m labeling_core label --project wine_colour --file decisions.csv
    """
    rows = _read(file)
    with opened(path) as database, progress_bar() as told:
        decisions = [(sample_id, category, comment) for _, sample_id, category, comment in rows]
        refused = [
            {"line": rows[place][0], "sample_id": rows[place][1], "reason": reason}
            for place, reason in database.project(project).label_many(decisions, told)
        ]
    stored = len(rows) - len(refused)
    answer(as_json, {"stored": stored, "refused": refused}, f"{stored:,} decisions are stored.")
    if refused:
        reasons = (f"Line {each['line']}: {each['reason']}" for each in refused)
        raise LabelingError("\n".join(reasons))


def _read(file: Path) -> list[Row]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(text, strict=True)
            if missing := {"sample_id", "label"} - set(table.fieldnames or ()):
                raise LabelingError(f"{file} has no column “{min(missing)}”.")
            return [
                (
                    table.line_num,
                    row["sample_id"] or "",
                    row["label"] or "",
                    row.get("comment") or "",
                )
                for row in table
            ]
    except OSError as error:
        raise LabelingError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelingError(f"{file} is no CSV file in UTF-8: {error}.") from error


@command(name="sample")
@database_option
@project_option
@click.option("--classifier", type=click.Choice(list(CLASSIFIERS)), help="Default: as in settings.")
@click.option("--strategy", type=click.Choice(list(STRATEGIES)), help="Default: as in settings.")
@json_option
def sample(
    path: Path, project: str, classifier: str | None, strategy: str | None, as_json: bool
) -> None:
    """Run the query sampler once, and wait for it.

    Trains, measures, scores the pool and orders the queue anew.

    \b
    Example:
      python -m labeling_core sample --project wine_colour
    """
    with opened(path) as database:
        chosen = database.project(project)
        with waiting("Reading what was not read yet, training, scoring the pool"):
            done = chosen.run_session(classifier or "", strategy or "")
        row = _rows(chosen.progress())[-1]
    measured = "" if done.score is None else f", {MEASURES[done.measure]} {done.score:.1%}"
    text = f"Session {done.session_id} is done: {done.labels:,} labels{measured}."
    answer(as_json, row, text)


@command(name="progress")
@database_option
@project_option
@json_option
def progress(path: Path, project: str, as_json: bool) -> None:
    """Show the sessions: labels, accuracy and its 95 % interval.

    \b
    Example:
      python -m labeling_core progress --project wine_colour --json
    """
    with opened(path) as database:
        frame = database.project(project).progress()
    columns = ["session_id", "state", "labels", "kind", "accuracy", "low", "high"]
    if set(frame["measure"]) - {"accuracy"}:
        columns += ["measure", "score", "score_low", "score_high"]
    text = "There is no session yet." if frame.empty else frame[columns].to_string(index=False)
    answer(as_json, _rows(frame), text)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows for JSON, with times in ISO 8601, UTC."""
    found: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", date_format="iso"))
    return found


@command(name="export")
@database_option
@project_option
@click.option("--what", default="labels", metavar="WHAT", help="What to take away.")
@click.option("--out", type=FILE, metavar="FILE", help="Where to; without it, what there is.")
@click.option("--safe", is_flag=True, help="Make texts harmless that a spreadsheet would compute.")
@click.option("--category", "categories", multiple=True, metavar="NAME", help="Only these; repeat.")
@click.option("--person", "people", multiple=True, metavar="NAME", help="Only by these; repeat.")
@click.option("--since", type=DAY, metavar="DAY", help="Decided from this day on: 2026-01-31.")
@click.option("--until", type=DAY, metavar="DAY", help="Decided up to this day, it included.")
@click.option(
    "--agreement",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="The least share of people who agree on a sample.",
)
@json_option
def export(
    path: Path,
    project: str,
    what: str,
    out: Path | None,
    safe: bool,
    categories: tuple[str, ...],
    people: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    agreement: float | None,
    as_json: bool,
) -> None:
    """Write what a project made to a file.

    The suffix of a table's file says its format: .csv, .parquet or .jsonl. Days are those of this
    machine's time zone.

    \b
    Example:
      python -m labeling_core export --project wine_colour --what labels --out labels.csv
    """
    after = until and until + timedelta(days=1)
    first, end = (each and each.astimezone() for each in (since, after))
    wanted = Wanted(categories, people, first, end, agreement)
    with opened(path) as database:
        chosen = database.project(project)
        if out is None:
            answer(as_json, chosen.exports, "\n".join(chosen.exports))
            return
        if what not in chosen.exports:
            raise LabelingError(f"There is no “{what}” to take away: {', '.join(chosen.exports)}.")
        if unknown := [each for each in categories if each not in chosen.settings.names]:
            raise LabelingError(f"“{unknown[0]}” is no category of the project.")
        with waiting(f"Writing {out.name}"):
            chosen.export(what, out, wanted, safe)
    answer(as_json, {"file": str(out), "bytes": out.stat().st_size}, f"{out} is written.")
