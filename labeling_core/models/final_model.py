"""The model to take away: trained on every label, probes included, with a card beside it.

It is trained when somebody asks for it and not with every session: a forest costs more than the
session itself. Accuracy cannot be measured on what it was trained on, so its card tells what the
last session's model reached on the probes, and says so.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np

from labeling_core.errors import LabelingError
from labeling_core.labeling.queue import Queue
from labeling_core.learning import decisions
from labeling_core.learning.classifiers import title
from labeling_core.learning.out_of_fold import FOLDS
from labeling_core.modalities import sentence_embedding, vectors
from labeling_core.modalities.registry import FEATURES
from labeling_core.models import events
from labeling_core.models.model_card import to_markdown
from labeling_core.people import Person
from labeling_core.progress import learning_curve
from labeling_core.progress.session_words import explain_calibration
from labeling_core.projects import predictions
from labeling_core.projects.labels import Labels, read_labels, to_learn
from labeling_core.projects.renames import read_renames
from labeling_core.sessions.loop import Loop
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project, Settings
from labeling_core.store import events as store_events
from labeling_core.store.database import Database, now
from labeling_core.store.exporting import packed, to_file
from labeling_core.store.removal import remove

_TABLE_LOADER = "load_model.py"  # beside this module; comes with every model of a table
_LOADING = """import json, skops.io
card = json.load(open("model_card.json", encoding="utf-8"))
model = skops.io.load("model.skops", trusted=card["trusted_types"])
"""
_OF_TABLES = """import sys
import pandas as pd
sys.path.insert(0, "{zip}")  # this file as you have called it: load_model.py is in it
from load_model import load_model
model = load_model("{zip}")
table = pd.read_csv("your table.csv")  # or read_parquet, read_excel: the columns of the source
print(model.predict(table))
"""
_OF_FILES = """from pathlib import Path
from {module} import features  # run this in the folder of the labeling program
{predicting}"""
_LIKELIEST = """print(model.predict([features(Path("a file of that kind"){part})]))
"""
_WEIGHED = """found = model.predict_proba([features(Path("a file of that kind"){part})])
weights = [card["decision_weights"][name] for name in model.classes_]
print(model.classes_[(found * weights).argmax(axis=1)])
"""


KIND = "final model"  # of job


class FinalModel(NamedTuple):
    """The final model there is: how many labels it learned from, and how many decisions,
    corrections and undos came since."""

    trained: datetime
    labels: int
    since: int


def train(loop: Loop, project: Project, by: Person) -> None:
    """Have the worker train the final model; it replaces the last one.

    Raises LabelingError when the labels do not allow it yet, or other work is being done.
    """
    by.require("manage", project.project_id)
    with loop.database.read() as cursor:
        if len(np.unique(read_labels(cursor, project).codes)) < 2:
            raise LabelingError(
                "A model needs labels of at least two categories: label some more first."
            )
    run = partial(_run, loop.database, partial(loop.open_projects.queue, project))
    loop.learn(project, KIND, run)


def _run(
    database: Database,
    get_queue: Callable[[], Queue],
    project: Project,
    folder: Path,
    worker: Worker,
    progress: Progress,
) -> str:
    settings = project.settings
    out = database.files(project.project_id, "final_model")
    with database.lock, database.read() as cursor:
        last_event = store_events.newest(cursor, project.project_id)
        found = read_labels(cursor, project)
        task = to_learn(cursor, project, found, FOLDS)
    np.savez(out / "task.npz", **task)  # type: ignore[arg-type]  # keywords are names
    job: dict[str, Any] = {
        "kind": "final_model", "folder": str(folder), "out": str(out),
        "classes": list(settings.classes), "classifier": settings.classifier,
        "seed": settings.seed, "measure": settings.measure,
    }  # fmt: skip
    result = worker.run(job, progress)
    with database.transaction() as cursor:
        predictions.store(cursor, project.project_id, out / "predictions.parquet")
        card = _card(cursor, project, get_queue(), folder, found) | result
        cursor.execute(
            "DELETE FROM labeling.final_models WHERE project_id = ?", [project.project_id]
        )
        cursor.execute(
            "INSERT INTO labeling.final_models VALUES (?, ?, ?, ?, ?, ?)",
            [project.project_id, card["trained"], card["labels"], last_event,
             json.dumps(card, ensure_ascii=False), (out / "model.skops").read_bytes()],
        )  # fmt: skip
    remove(out)
    return f"the final model has learned from {card['labels']:,} labels"


def _card(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    queue: Queue,
    folder: Path,
    found: Labels,
) -> dict[str, Any]:
    """What the model is, where it comes from, and how good it may be."""
    settings = project.settings
    features = json.loads((folder / "features.json").read_text("utf-8"))
    return {
        "project": settings.title,
        "trained": now().isoformat(timespec="seconds"),
        "source": settings.source,
        "label_column": settings.label_column,
        "categories": list(settings.classes),
        "classifier": settings.classifier,
        "strategy": settings.strategy,
        "labels": len(found.codes),
        "labels_per_category": dict(Counter(np.array(settings.classes)[found.codes].tolist())),
        "accuracy": _accuracy(cursor, project, queue),
        "features": features,
        "windows": {"seconds": settings.window_seconds, "overlap": settings.window_overlap},
        "versions": _versions(),
        "how_to_load": _how_to_load(settings, features),
        "label_ids": sorted(found.label_ids.tolist()),
    }


def _how_to_load(settings: Settings, features: dict[str, Any]) -> str:
    """Python that loads a model of files; of tables see :func:`archive`."""
    if "columns" in features:
        return ""
    module = FEATURES.get(features["features"])
    if module is None:
        return (
            f"{_LOADING}# It wants {features['computed_by']}: the command below does all of it.\n"
        )
    part = f", (0, {settings.window_seconds:g})" if settings.window_seconds else ""
    predicting = _WEIGHED if settings.measure in decisions.ALIKE else _LIKELIEST
    return _LOADING + _OF_FILES.format(module=module, predicting=predicting.format(part=part))


def _accuracy(
    cursor: duckdb.DuckDBPyConnection, project: Project, queue: Queue
) -> dict[str, Any] | None:
    """What the newest measured session's model reached; None if none was measured."""
    last = learning_curve.last_measured(learning_curve.sessions(cursor, project, queue))
    if last is None:
        return None
    return {
        "note": f"Not measured on this model, which has learned from every label. The model of "
        f"session {last.session_id}, trained on {last.labels} labels or fewer "
        f"with the classifier “{title(last.classifier)}”, reached it by: {last.kind}.",
        "measured_on": last.kind,
        "session_id": last.session_id,
        "samples": last.evaluated,
        "share": last.accuracy,
        "low": last.low,
        "high": last.high,
        "auc": last.auc,
        "measure": last.measure,
        "score": [last.score, last.score_low, last.score_high],
        "calibration_error": last.calibration_error,
        "calibration": explain_calibration(last),
    }


def _versions() -> dict[str, str]:
    # The metadata of the packages: importing them is for the worker only.
    from importlib.metadata import version

    names = ("scikit-learn", "skops", "numpy", "pandas")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def last_final(cursor: duckdb.DuckDBPyConnection, project_id: str) -> FinalModel | None:
    """The final model there is; None before the first."""
    row = cursor.execute(
        "SELECT trained, labels, last_event FROM labeling.final_models WHERE project_id = ?",
        [project_id],
    ).fetchone()
    if row is None:
        return None
    *known, last_event = row
    return FinalModel._make([*known, store_events.decided_since(cursor, project_id, last_event)])


def file_name(project_id: str) -> str:
    """What the zip of :func:`archive` is called when it is downloaded."""
    return f"{project_id}_final_model.zip"


def archive(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bytes | None:
    """The final model as a zip of model.skops, model_card.json and model_card.md, and for tables
    of load_model.py and what it needs; None before the first."""
    row = cursor.execute(
        "SELECT card, model FROM labeling.final_models WHERE project_id = ?", [project_id]
    ).fetchone()
    if row is None:
        return None
    card = json.loads(row[0])
    files = {"model.skops": row[1]}
    if "columns" in card["features"]:
        card["how_to_load"] = _OF_TABLES.format(zip=file_name(project_id))
        files[_TABLE_LOADER] = Path(__file__).with_name(_TABLE_LOADER).read_bytes()
        if any(map(vectors.is_sentence, card["features"]["columns"].values())):
            source = Path(sentence_embedding.__file__)
            files[source.name] = source.read_bytes()
            card["how_to_load"] = f"# {sentence_embedding.INSTALL_COMMAND}\n{card['how_to_load']}"
    written = json.dumps(card, ensure_ascii=False)
    return packed({"model_card.json": written, "model_card.md": to_markdown(card)} | files)


def all_predictions(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    form: str,
    safe: bool = False,
    as_events: bool = False,
) -> bytes | None:
    """What the final model says of every sample, as predictions.query has it, in one of
    export.FORMATS; or the events in windows (see events), by label or else prediction; None before
    there are any."""
    known = last_final(cursor, project.project_id)
    if known is None or not predictions.known(cursor, project.project_id):
        return None
    renames = read_renames(cursor, project.project_id)
    since = [each for each in renames if each.happened > known.trained]
    query = predictions.query(cursor, project, since)
    if not as_events:
        return to_file(cursor, query, form, safe)
    found = cursor.execute(
        "SELECT sample_id, category, CASE WHEN label IS NULL THEN probability END "
        f"FROM ({query}) WHERE problem IS NULL"
    ).fetchall()
    return events.to_form(cursor, events.merged(found), form, safe)
