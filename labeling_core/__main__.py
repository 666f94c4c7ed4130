"""Command line over the same use cases as the pages: ``python -m labeling_core --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from labeling_core.backup_commands import add_commands
from labeling_core.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIER
from labeling_core.errors import LabelingError
from labeling_core.simulation import (
    HOLDOUT,
    Plan,
    Run,
    labels_needed,
    read_arrays,
    read_table,
    simulate,
)
from labeling_core.strategies import STRATEGIES


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
    add_commands(commands)
    return parser


def _add_simulate(command: argparse.ArgumentParser) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="FILE", help="labeled CSV, TSV or Parquet")
    source.add_argument("--features-npz", type=Path, metavar="FILE", help="arrays X [n, d], y [n]")
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
    if arguments.features_npz:
        X, y = read_arrays(arguments.features_npz)
    else:
        X, y = read_table(arguments.data, arguments.label)
    plan = Plan(
        list(dict.fromkeys(arguments.strategy or ["auto", "random"])),
        arguments.batch,
        arguments.budget,
        arguments.seeds,
        arguments.classifier,
        arguments.holdout,
    )
    runs = simulate(X, y, plan, _bar if sys.stderr.isatty() else None)
    if arguments.json:
        arguments.json.write_text(json.dumps({"runs": [run._asdict() for run in runs]}))
    print(_summary(runs, plan.strategies))


def _bar(share: float) -> None:
    print(f"\r{share:4.0%}", end="\n" if share >= 1 else "", file=sys.stderr, flush=True)


def _summary(runs: Sequence[Run], strategies: Sequence[str]) -> str:
    """A table of the mean curves: area, last accuracy, labels to reach random's last accuracy."""
    curves = {
        name: np.mean([run.accuracy for run in runs if run.strategy == name], axis=0)
        for name in strategies
    }
    lines = [f"{'strategy':<12}{'AULC':>8}{'last':>8}{'labels to reach random':>25}"]
    for name, curve in curves.items():
        aulc = np.mean([run.aulc for run in runs if run.strategy == name])
        needed = "-"
        if "random" in curves:
            count = labels_needed(runs[0].n_labels, curve, curves["random"][-1])
            needed = f"{count:.0f}" if np.isfinite(count) else "not reached"
        lines.append(f"{name:<12}{aulc:>8.3f}{curve[-1]:>8.3f}{needed:>25}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
