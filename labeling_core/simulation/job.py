"""Carrying out a simulation in the worker process: features, then one run after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling_core.modalities import fitting
from labeling_core.simulation.labeled_data import (
    Arrays,
    LabeledFiles,
    features_of_files,
    table_features,
)
from labeling_core.simulation.replay import Plan, Run, simulate

Progress = Callable[[str, float], None]
RUNS = "runs.jsonl"  # a line a run, in the order in which they were finished


def run(job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Replay the job's ``plan`` on its ``data`` and add each run to RUNS in its ``folder``; the
    answer's ``notes`` say what was found of vectors that were joined.

    ``data`` is one of the forms of simulation_data.Prepared. Raises LabelingError for data or a
    plan that nothing can be learned from.
    """
    folder = Path(job["folder"]) / "data"
    X, y = _arrays(job["data"], folder, progress)
    groups = _groups(folder) if job["data"]["form"] == "arrays" else None
    plan = Plan(**job["plan"])
    begun, done = time.monotonic(), 0
    path = Path(job["folder"]) / RUNS
    with path.open("a", buffering=1, encoding="utf-8", newline="\n") as file:

        def finished(each: Run) -> None:
            nonlocal done
            file.write(json.dumps(each._asdict()) + "\n")
            done += 1

        def report(share: float) -> None:
            left = (time.monotonic() - begun) * (1 - share) / share
            all_runs = plan.seeds * len(plan.strategies)
            progress(f"{done} of {all_runs} runs, {_duration(left)} left", share)

        progress("Replaying", 0.0)
        simulate(X, y, plan, report, finished, groups)
    return {"runs": done, "notes": [*fitting.joined_notes(folder).values()]}


def _arrays(data: dict[str, Any], folder: Path, progress: Progress) -> Arrays:
    if data["form"] == "arrays":
        arrays = np.load(folder / "arrays.npz")
        return arrays["X"], arrays["y"]
    if data["form"] == "table":
        table = folder / "table.parquet"
        asked = data["exclude"], folder, progress, data["chosen"], data["total"]
        return table_features(table, data["label"], *asked, data["features"])
    found = LabeledFiles(**json.loads((folder / "files.json").read_text(encoding="utf-8")))
    kept = Path(data["root"]), folder, Path(data["extracted"])
    return features_of_files(found, *kept, progress, data["features"])


def _groups(folder: Path) -> NDArray[np.intp] | None:
    with np.load(folder / "arrays.npz") as arrays:
        return arrays.get("groups")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
