"""Looking for label errors in a project: the job, what it found, and what is left to look at.

What a person has confirmed or changed in a review is told by the event log: an event of kind
``review`` (kept) or ``correction`` (changed) whose detail names the label as ``reviewed``. As long
as that is the sample's label, it stays out of the lists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.errors import LabelingError
from labeling_core.learning import label_quality
from labeling_core.learning.out_of_fold import FOLDS
from labeling_core.people import Person
from labeling_core.projects import samples
from labeling_core.projects.labels import Labels, read_labels, to_learn
from labeling_core.sessions.loop import Loop
from labeling_core.sessions.worker_client import Progress, Worker
from labeling_core.settings import Project
from labeling_core.store import events
from labeling_core.store.database import Database, now
from labeling_core.store.removal import remove

KIND = "review"  # of job
# What a list can hold, as SQL on a finding f.
SEGMENTS = {"likely": "f.likely", "all": "true", "people": "f.prediction <> f.label"}


class Check(NamedTuple):
    """When labels were last looked through, with which classifier, how many there were, and how
    many decisions, corrections and undos came since."""

    checked: datetime
    classifier: str
    labels: int
    since: int


class Listing(NamedTuple):
    """Which findings: of one of SEGMENTS, of one ``annotator`` ("": of all), and of one pair of
    given label and prediction ("": of any)."""

    segment: str = "likely"
    annotator: str = ""
    label: str = ""
    prediction: str = ""


class Finding(NamedTuple):
    """One label with what is thought of it; probabilities in 0..1, see label_quality.Quality."""

    position: int
    sample_id: str
    label: str
    suggested: str
    given_probability: float
    suggested_probability: float
    annotator: str
    labeled_at: datetime
    comment: str | None
    likely: bool


def look(loop: Loop, project: Project, by: Person) -> None:
    """Have the worker judge all labels of the project; the result replaces the last one.

    Raises LabelingError when the labels do not allow it yet, or other work is being done.
    """
    by.require("label", project.project_id)
    if not label_quality.judgeable(_labels(loop.database, project).codes):
        raise LabelingError(
            f"There are too few labels yet: it takes {label_quality.FEWEST}, with two of at "
            "least two categories."
        )
    loop.learn(project, KIND, partial(_run, loop.database))


def _labels(database: Database, project: Project) -> Labels:
    with database.read() as cursor:
        return read_labels(cursor, project)


def _run(
    database: Database, project: Project, folder: Path, worker: Worker, progress: Progress
) -> str:
    settings = project.settings
    out = database.files(project.project_id, "review")
    with database.lock, database.read() as cursor:
        last_event = events.newest(cursor, project.project_id)
        found = read_labels(cursor, project)
        task = to_learn(cursor, project, found, FOLDS)
    np.savez(out / "task.npz", **task)  # type: ignore[arg-type]  # keywords are names
    job: dict[str, Any] = {
        "kind": "review", "folder": str(folder), "out": str(out),
        "classes": list(settings.classes), "classifier": settings.classifier,
        "seed": settings.seed,
    }  # fmt: skip
    worker.run(job, progress)
    with np.load(out / "quality.npz") as arrays:
        quality = label_quality.Quality(**arrays)
    _store(database, project, found, quality, last_event)
    remove(out)
    number = int(quality.likely.sum())
    return f"{number} likely label error{'' if number == 1 else 's'} found"


def _store(
    database: Database,
    project: Project,
    found: Labels,
    quality: label_quality.Quality,
    last_event: int,
) -> None:
    """Replace what was found the last time."""
    order, names = quality.order, np.array(project.settings.classes)
    with database.transaction() as cursor:
        for name in ("label_checks", "label_findings"):
            cursor.execute(
                f"DELETE FROM labeling.{name} WHERE project_id = ?", [project.project_id]
            )
        cursor.execute(
            "INSERT INTO labeling.label_checks VALUES (?, ?, ?, ?, ?)",
            [project.project_id, now(), project.settings.classifier, len(order), last_event],
        )
        cursor.execute(
            "INSERT INTO labeling.label_findings SELECT ?, d.rank, s."
            f"{samples.SAMPLE_ID}, d.label_id, d.label, d.given, d.likely, d.suggested, "
            "d.other, d.prediction, d.sure FROM (SELECT unnest(?::INTEGER[]) AS rank, "
            "unnest(?::INTEGER[]) AS place, unnest(?::BIGINT[]) AS label_id, "
            "unnest(?::VARCHAR[]) AS label, unnest(?::DOUBLE[]) AS given, "
            "unnest(?::BOOLEAN[]) AS likely, unnest(?::VARCHAR[]) AS suggested, "
            "unnest(?::DOUBLE[]) AS other, unnest(?::VARCHAR[]) AS prediction, "
            "unnest(?::DOUBLE[]) AS sure) AS d "
            f"JOIN {samples.keys(project.project_id)} AS s ON s.{samples.PLACE} = d.place "
            "ORDER BY d.rank",
            [
                project.project_id,
                list(range(1, len(order) + 1)),
                found.positions[order].tolist(),
                found.label_ids[order].tolist(),
                names[found.codes[order]].tolist(),
                quality.given_probability[order].tolist(),
                quality.likely[order].tolist(),
                names[quality.suggested[order]].tolist(),
                quality.suggested_probability[order].tolist(),
                names[quality.prediction[order]].tolist(),
                quality.prediction_probability[order].tolist(),
            ],
        )


def last_check(cursor: duckdb.DuckDBPyConnection, project_id: str) -> Check | None:
    """The last look through the labels; None before the first."""
    row = cursor.execute(
        "SELECT checked, classifier, labels, last_event FROM labeling.label_checks "
        "WHERE project_id = ?",
        [project_id],
    ).fetchone()
    if row is None:
        return None
    *known, last_event = row
    return Check._make([*known, events.decided_since(cursor, project_id, last_event)])


def findings(
    cursor: duckdb.DuckDBPyConnection, project: Project, listing: Listing
) -> list[Finding]:
    """What is left to look at, most suspicious first.

    Labels that changed since they were judged, or have been reviewed, are not in it. In the
    segment ``people`` the suggestion is the prediction of the project's own classifier.
    """
    by_model = listing.segment == "people"
    suggested = "f.prediction" if by_model else "f.suggested"
    probability = "f.prediction_probability" if by_model else "f.suggested_probability"
    rows = cursor.execute(
        f"SELECT s.{samples.PLACE}, f.sample_id, f.label, {suggested}, f.given_probability, "
        f"{probability}, m.annotator, m.labeled_at, m.comment, f.likely "
        f"FROM {_current(project)} JOIN {samples.keys(project.project_id)} AS s "
        f"ON s.{samples.SAMPLE_ID} = f.sample_id "
        f"WHERE f.project_id = $project AND {SEGMENTS[listing.segment]} "
        "AND ($annotator = '' OR m.annotator = $annotator) AND ($label = '' OR f.label = $label) "
        "AND ($prediction = '' OR f.prediction = $prediction) ORDER BY f.rank",
        {"project": project.project_id, "annotator": listing.annotator,
         "label": listing.label, "prediction": listing.prediction},
    ).fetchall()  # fmt: skip
    reviewed = {
        each.sample_id: each.reviewed for each in events.reviews(cursor, project.project_id)
    }
    found = [Finding(*row) for row in rows]
    return [each for each in found if reviewed.get(each.sample_id) != each.label]


def _current(project: Project) -> str:
    """The findings f on labels that are still the same, with their metadata m."""
    tables = project.tables
    return (
        f"labeling.label_findings AS f JOIN {tables.metadata} AS m ON m.{tables.label_id} = "
        f"f.label_id AND m.status = 'LABELED' AND m.{tables.label} = f.label"
    )


def agreement(
    cursor: duckdb.DuckDBPyConnection, project: Project, annotator: str = ""
) -> dict[tuple[str, str], int]:
    """How many labels there are of each (given label, prediction) pair; of one annotator, or of
    all. Samples that were relabeled since do not count."""
    rows = cursor.execute(
        f"SELECT f.label, f.prediction, count(*) FROM {_current(project)} "
        "WHERE f.project_id = $project AND ($annotator = '' OR m.annotator = $annotator) "
        "GROUP BY ALL",
        {"project": project.project_id, "annotator": annotator},
    ).fetchall()
    return {(label, prediction): number for label, prediction, number in rows}


def table(pairs: Mapping[tuple[str, str], int], names: Sequence[str]) -> NDArray[np.int64]:
    """:func:`agreement` as an array [given label, prediction], both in the order of ``names``."""
    return np.array([[pairs.get((row, column), 0) for column in names] for row in names])


def reviewed_number(cursor: duckdb.DuckDBPyConnection, project: Project) -> dict[str, int]:
    """How many labels have been kept and changed in reviews so far."""
    found = Counter(
        each.kind for each in events.reviews(cursor, project.project_id) if each.reviewed
    )
    return {"kept": found["review"], "changed": found["correction"]}


def scope(by: Person, project_id: str, segment: str = "likely") -> Listing:
    """The widest list a person may review: everybody's labels with the role for it, else their
    own. Raises ForbiddenError for people who may not label."""
    by.require("label", project_id)
    return Listing(segment, "" if by.may("manage", project_id) else by.name)
