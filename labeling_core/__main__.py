"""Command line over the same use cases as the pages: ``python -m labeling_core --help``."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIER
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.models.prediction import predict_folder, predict_table, read_model
from labeling_core.people import Person, local_person
from labeling_core.simulation.labeled_data import Arrays, read_arrays, read_folder, read_table
from labeling_core.simulation.replay import HOLDOUT, Plan, simulate
from labeling_core.simulation.summary import as_json, as_text
from labeling_core.store.backups import Backups, list_backups, restore
from labeling_core.store.database import Database
from labeling_core.workspace import database_path


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; 0 if it worked, 2 with one sentence on standard error if not."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except LabelingError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m labeling_core", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_simulate(
        commands.add_parser(
            "simulate",
            help="replay a labeled table: which query strategy would have needed fewest labels?",
        )
    )
    _add_predict(
        commands.add_parser(
            "predict", help="give every row or file of new data its category by a downloaded model"
        )
    )
    backup = commands.add_parser("backup", help="copy the database into the folder of backups")
    _add_database(backup)
    backup.add_argument("--list", action="store_true", help="only list the backups there are")
    backup.set_defaults(run=_backup)
    back = commands.add_parser("restore", help="put a backup in the place of the database")
    back.add_argument("backup", type=Path, metavar="BACKUP", help="the file of the backup")
    _add_database(back)
    back.set_defaults(run=_restore)
    return parser


def _add_simulate(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FILE", help="labeled CSV, TSV or Parquet")
    source.add_argument("--features-npz", type=Path, metavar="FILE", help="arrays X [n, d], y [n]")
    source.add_argument(
        "--folder", type=Path, metavar="DIR", help="images or sounds; a sub-folder is a category"
    )
    command.add_argument("--label", metavar="COLUMN", default="label", help="the label column")
    command.add_argument(
        "--strategy",
        action="append",
        choices=STRATEGIES,
        help="query strategy; repeat to compare several (default: auto and random)",
    )
    command.add_argument("--batch", type=int, default=10, help="labels between two sessions")
    command.add_argument("--budget", type=int, default=200, help="labels in all")
    command.add_argument("--seeds", type=int, default=10, help="repetitions")
    command.add_argument("--classifier", choices=CLASSIFIERS, default=DEFAULT_CLASSIFIER)
    command.add_argument("--holdout", type=float, default=HOLDOUT, help="share to measure on")
    command.add_argument("--json", type=Path, metavar="OUT", help="write every run to this file")
    command.set_defaults(run=_simulate)


def _simulate(arguments: argparse.Namespace) -> None:
    out = arguments.json
    if out is not None and not out.absolute().parent.is_dir():
        raise LabelingError(f"There is no folder {out.absolute().parent} to write {out.name} to.")
    X, y = _read(arguments)
    plan = Plan(
        list(dict.fromkeys(arguments.strategy or ["auto", "random"])),
        arguments.batch,
        arguments.budget,
        arguments.seeds,
        arguments.classifier,
        arguments.holdout,
    )
    runs = simulate(X, y, plan, _bar if sys.stderr.isatty() else None)
    if out is not None:
        try:
            out.write_text(json.dumps(as_json(runs)))
        except OSError as error:
            raise LabelingError(f"{out} cannot be written: {error.strerror}.") from error
    print(as_text(runs))


def _read(arguments: argparse.Namespace) -> Arrays:
    if arguments.features_npz:
        return read_arrays(arguments.features_npz)
    if arguments.folder:
        return read_folder(arguments.folder)
    return read_table(arguments.data, arguments.label)


def _add_predict(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", type=Path, required=True, metavar="ZIP", help="the final model, as downloaded"
    )
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FILE", help="CSV, TSV, Parquet or JSON lines")
    source.add_argument("--folder", type=Path, metavar="DIR", help="images or sounds")
    command.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help="a .csv or .parquet file to write"
    )
    command.add_argument(
        "--safe", action="store_true", help="make texts harmless that a spreadsheet would compute"
    )
    command.set_defaults(run=_predict)


def _predict(arguments: argparse.Namespace) -> None:
    model, out = read_model(arguments.model), arguments.out
    if arguments.data:
        rows = predict_table(model, arguments.data, out, arguments.safe)
        print(f"{out}: {rows:,} rows with their prediction")
        return
    bar = _bar if sys.stderr.isatty() else None
    files, broken = predict_folder(model, arguments.folder, out, arguments.safe, bar)
    unread = f", {broken:,} of them could not be read" if broken else ""
    print(f"{out}: {files:,} files with their prediction{unread}")


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


def _bar(share: float) -> None:
    print(f"\r{share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
