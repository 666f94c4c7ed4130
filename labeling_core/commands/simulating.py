"""``simulate``: would active learning have helped?"""

from __future__ import annotations

import json
from pathlib import Path

import click

from labeling_core.commands.options import (
    FILE,
    answer,
    command,
    json_option,
    part_option,
    progress_bar,
    require_one,
    say_left_out,
)
from labeling_core.errors import LabelingError
from labeling_core.learning.classifiers import CLASSIFIERS, DEFAULT_CLASSIFIER
from labeling_core.learning.measures import MEASURES
from labeling_core.learning.strategies import STRATEGIES
from labeling_core.modalities.registry import SUFFIXES
from labeling_core.simulation import replay, summary
from labeling_core.simulation.labeled_data import (
    Arrays,
    labeled_files,
    read_arrays,
    read_folder,
    read_table,
)
from labeling_core.sources.containers import TAKEN


@command(name="simulate")
@click.option("--data", type=FILE, metavar="FILE", help=f"Labeled: {TAKEN}.")
@part_option
@click.option("--features-npz", type=FILE, metavar="FILE", help="Arrays X [n, d], y [n].")
@click.option(
    "--folder", type=FILE, metavar="DIR", help="Images or sounds; a sub-folder is a category."
)
@click.option(
    "--features", default="", metavar="NAME", help="What the model sees; “+” between several."
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
@click.option(
    "--measure", type=click.Choice(list(MEASURES)), default="accuracy",
    help="By which the table and AULC are.",
)  # fmt: skip
@click.option("--holdout", default=replay.HOLDOUT, help="Share to measure on.")
@click.option("--out", type=FILE, metavar="OUT", help="Write every run to this JSON file.")
@json_option
def simulate(
    data: Path | None,
    part: str,
    features_npz: Path | None,
    folder: Path | None,
    features: str,
    label: str,
    strategies: tuple[str, ...],
    batch: int,
    budget: int,
    seeds: int,
    classifier: str,
    measure: str,
    holdout: float,
    out: Path | None,
    as_json: bool,
) -> None:
    """Replay labeled data to compare query strategies.

    \b
    Example:
      python -m labeling_core simulate --data data/wine.csv --label colour --budget 100
    """
    require_one({"--data": data, "--features-npz": features_npz, "--folder": folder})
    if out is not None and not out.absolute().parent.is_dir():
        raise LabelingError(f"There is no folder {out.absolute().parent} to write {out.name} to.")
    X, y = _labeled(data, part, features_npz, folder, features, label)
    asked = list(dict.fromkeys(strategies or ("auto", "random")))
    with progress_bar() as progress:
        runs = replay.simulate(
            X, y, replay.Plan(asked, batch, budget, seeds, classifier, holdout), progress
        )
    told = summary.as_json(runs, measure)
    if out is not None:
        try:
            out.write_text(json.dumps(told), encoding="utf-8", newline="\n")
        except OSError as error:
            raise LabelingError(f"{out} cannot be written: {error.strerror}.") from error
    answer(as_json, told, summary.as_text(runs, measure))


def _labeled(
    data: Path | None, part: str, features_npz: Path | None, folder: Path | None, features: str,
    label: str,
) -> Arrays:  # fmt: skip
    if features and features_npz:
        raise LabelingError("--features are of a --folder or of --data.")
    if features_npz:
        return read_arrays(features_npz)
    if folder:
        arrays = read_folder(folder, features)
        say_left_out(folder, SUFFIXES[labeled_files(folder).modality])
        return arrays
    assert data is not None
    return read_table(data, label, part, features, lambda note: click.echo(note, err=True))
