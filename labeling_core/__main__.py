"""Command line over the same use cases as the pages: ``python -m labeling_core --help``."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from io import TextIOWrapper
from pathlib import Path

import click

from labeling_core.commands.checking import check
from labeling_core.commands.label_import import import_labels
from labeling_core.commands.labeling import export, label, next_samples, progress, sample
from labeling_core.commands.options import (
    FILE,
    database_option,
    opened,
    operator,
    progress_bar,
)
from labeling_core.commands.projects import create, delete, projects
from labeling_core.commands.serving import serve
from labeling_core.commands.storage import storage
from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIER
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.modalities.registry import SUFFIXES, modality_with
from labeling_core.models.events import Files
from labeling_core.models.prediction import predict_folder, predict_table, read_model
from labeling_core.models.reading_report import sentences
from labeling_core.simulation.labeled_data import (
    Arrays,
    labeled_files,
    read_arrays,
    read_folder,
    read_table,
)
from labeling_core.simulation.replay import HOLDOUT, Plan, simulate
from labeling_core.simulation.summary import as_json, as_text
from labeling_core.sources.containers import LINES, TAKEN
from labeling_core.sources.left_out import groups, look_through
from labeling_core.store.backups import list_backups
from labeling_core.store.put_back import restore


def run() -> None:
    """The command ``labeling`` of an installed package."""
    sys.exit(main(name=Path(sys.argv[0]).stem))


def main(argv: Sequence[str] | None = None, name: str = "python -m labeling_core") -> int:
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


_part = click.option(
    "--part",
    default="",
    metavar="NAME",
    help="The sheet or table of --data where it holds several; "
    f"“{LINES}” for a text whose lines are the samples.",
)


@commands.command(name="simulate")
@click.option("--data", type=FILE, metavar="FILE", help=f"Labeled: {TAKEN}.")
@_part
@click.option("--features-npz", type=FILE, metavar="FILE", help="Arrays X [n, d], y [n].")
@click.option(
    "--folder", type=FILE, metavar="DIR", help="Images or sounds; a sub-folder is a category."
)
@click.option("--label", metavar="COLUMN", default="label", help="The label column.")
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=click.Choice(list(STRATEGIES)),
    help="Query strategy; repeat to compare several (default: auto and random).",
)
@click.option("--batch", default=10, help="Labels between two sessions.")
@click.option("--budget", default=200, help="Labels in all.")
@click.option("--seeds", default=10, help="Repetitions.")
@click.option(
    "--classifier",
    type=click.Choice(list(CLASSIFIERS)),
    default=DEFAULT_CLASSIFIER,
    help="The model that is trained on the labels.",
)
@click.option("--holdout", default=HOLDOUT, help="Share to measure on.")
@click.option("--json", "out", type=FILE, metavar="OUT", help="Write every run to this file.")
def _simulate(
    data: Path | None,
    part: str,
    features_npz: Path | None,
    folder: Path | None,
    label: str,
    strategies: tuple[str, ...],
    batch: int,
    budget: int,
    seeds: int,
    classifier: str,
    holdout: float,
    out: Path | None,
) -> None:
    """Replay labeled data to compare query strategies.

    \b
    Example:
      python -m labeling_core simulate --data data/wine.csv --label colour --budget 100
    """
    _require_one({"--data": data, "--features-npz": features_npz, "--folder": folder})
    if out is not None and not out.absolute().parent.is_dir():
        raise LabelingError(f"There is no folder {out.absolute().parent} to write {out.name} to.")
    X, y = _labeled(data, part, features_npz, folder, label)
    asked = list(dict.fromkeys(strategies or ("auto", "random")))
    with progress_bar() as progress:
        runs = simulate(X, y, Plan(asked, batch, budget, seeds, classifier, holdout), progress)
    if out is not None:
        try:
            out.write_text(json.dumps(as_json(runs)), encoding="utf-8", newline="\n")
        except OSError as error:
            raise LabelingError(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(as_text(runs))


def _labeled(
    data: Path | None, part: str, features_npz: Path | None, folder: Path | None, label: str
) -> Arrays:
    if features_npz:
        return read_arrays(features_npz)
    if folder:
        arrays = read_folder(folder)
        _say_left_out(folder, SUFFIXES[labeled_files(folder).modality])
        return arrays
    assert data is not None
    return read_table(data, label, part)


@commands.command(name="predict")
@click.option(
    "--model", type=FILE, required=True, metavar="ZIP", help="The final model, as downloaded."
)
@click.option("--data", type=FILE, metavar="FILE", help=f"{TAKEN}.")
@_part
@click.option("--folder", type=FILE, metavar="DIR", help="Images or sounds.")
@click.option(
    "--out", type=FILE, required=True, metavar="OUT", help="A .csv or .parquet file to write."
)
@click.option(
    "--events", type=FILE, metavar="OUT", help="A .csv or .parquet file of events in windows."
)
@click.option(
    "--audacity", type=FILE, metavar="DIR", help="A folder for label tracks of these events."
)
@click.option("--safe", is_flag=True, help="Make texts harmless that a spreadsheet would compute.")
@click.option("--excel", is_flag=True, help="Write a CSV that Excel knows to be UTF-8.")
def _predict(
    model: Path,
    data: Path | None,
    part: str,
    folder: Path | None,
    out: Path,
    events: Path | None,
    audacity: Path | None,
    safe: bool,
    excel: bool,
) -> None:
    """Give each row or file its category by a downloaded model.

    \b
    Example:
      python -m labeling_core predict --model final_model.zip --data new.csv --out out.csv
    """
    _require_one({"--data": data, "--folder": folder})
    read = read_model(model)
    if data:
        predicted = predict_table(read, data, out, safe, excel, part)
        click.echo(f"{out}: {predicted.rows:,} rows with their prediction")
        told, warnings = sentences(predicted.columns, predicted.renamed)
        for sentence in told:
            click.echo(f"  {sentence}")
        for warning in warnings:
            click.echo(f"Warning: {warning}", err=True)
        return
    assert folder is not None
    with progress_bar() as progress:
        wanted = Files(events, audacity)
        files, broken = predict_folder(read, folder, out, safe, progress, excel, wanted)
    _say_left_out(folder, modality_with(read.features["features"]).source.suffixes)
    unread = f", {broken:,} of them could not be read" if broken else ""
    what = "windows" if read.windows[0] else "files"
    click.echo(f"{out}: {files:,} {what} with their prediction{unread}")


def _say_left_out(folder: Path, suffixes: Collection[str]) -> None:
    """What of a folder is no sample, by kind, beside the results."""
    for kind in groups(look_through(folder, suffixes).refusals):
        click.echo(f"Not taken: {kind.files:,} × {kind.reason} ({kind.example})", err=True)


def _require_one(given: dict[str, Path | None]) -> None:
    if sum(each is not None for each in given.values()) != 1:
        raise click.UsageError(f"Name one of {', '.join(given)}.")


@commands.command(name="backup")
@database_option
@click.option("--list", "only_list", is_flag=True, help="Only list the backups there are.")
def _backup(path: Path, only_list: bool) -> None:
    """Copy the database into the folder of backups.

    \b
    Example:
      python -m labeling_core backup --list
    """
    if only_list:
        for each in list_backups(path):
            click.echo(f"{each.made:%Y-%m-%d %H:%M:%S} UTC  {each.size / 1e6:9.1f} MB  {each.path}")
        return
    with opened(path) as database:
        made = database.backup()
    click.echo(f"{made} ({made.stat().st_size / 1e6:.1f} MB)")


@commands.command(name="restore")
@click.argument("backup", type=FILE)
@database_option
def _restore(backup: Path, path: Path) -> None:
    """Put the file BACKUP in the place of the database.

    \b
    Example:
      python -m labeling_core restore backups/labeling-20260131T120000000000Z.duckdb
    """
    replaced = restore(backup.expanduser().resolve(), path, operator())
    click.echo(f"{path} is the database of {backup.name} now.")
    if replaced:
        click.echo(f"What it replaced is kept in {replaced}.")


for _each in (
    projects, create, delete, import_labels, next_samples, label, sample, progress, export, check,
    serve, storage,
):  # fmt: skip
    commands.add_command(_each)

if __name__ == "__main__":
    sys.exit(main())
