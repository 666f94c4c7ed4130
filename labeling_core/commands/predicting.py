"""``predict``: what a final model says of new rows or files."""

from __future__ import annotations

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
from labeling_core.modalities.registry import modality_with
from labeling_core.models.events import Files
from labeling_core.models.prediction import Model, predict_folder, predict_table, read_model
from labeling_core.models.reading_report import sentences
from labeling_core.sources.containers import TAKEN
from labeling_core.sources.remote_folders import visited


@command(name="predict")
@click.option(
    "--model", type=FILE, required=True, metavar="ZIP", help="The final model, as downloaded."
)
@click.option("--data", type=FILE, metavar="FILE", help=f"{TAKEN}.")
@part_option
@click.option("--folder", metavar="DIR", help="Images or sounds, here or at s3://bucket/folder.")
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
@json_option
def predict(
    model: Path,
    data: Path | None,
    part: str,
    folder: str | None,
    out: Path,
    events: Path | None,
    audacity: Path | None,
    safe: bool,
    excel: bool,
    as_json: bool,
) -> None:
    """Give each row or file its category by a downloaded model.

    \b
    Example:
      python -m labeling_core predict --model final_model.zip --data new.csv --out out.csv
    """
    require_one({"--data": data, "--folder": folder})
    read = read_model(model)
    if data:
        _predict_table(read, data, out, safe, excel, part, as_json)
        return
    assert folder is not None
    with visited(folder) as place:
        with progress_bar() as progress:
            wanted = Files(events, audacity)
            files, broken = predict_folder(read, place, out, safe, progress, excel, wanted)
        known = read.features
        kind = modality_with(known["features"], known.get("modality", ""))
        say_left_out(place, kind.source.suffixes)
    unread = f", {broken:,} of them could not be read" if broken else ""
    what = "windows" if read.windows[0] else "files"
    found = {"file": str(out), "rows": files, "unread": broken}
    answer(as_json, found, f"{out}: {files:,} {what} with their prediction{unread}")


def _predict_table(
    model: Model, data: Path, out: Path, safe: bool, excel: bool, part: str, as_json: bool
) -> None:
    with progress_bar() as progress:
        predicted = predict_table(model, data, out, safe, excel, part, progress)
    told, warnings = sentences(predicted.columns, predicted.renamed)
    found = {"file": str(out), "rows": predicted.rows, "columns": told, "warnings": warnings}
    lines = [f"{out}: {predicted.rows:,} rows with their prediction"]
    answer(as_json, found, "\n".join([*lines, *(f"  {each}" for each in told)]))
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
