"""What is there twice, labeled once: labels for the undecided twins of labeled samples.

They are an import like any other (see label_import): tried dry, stored as such, taken back whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from labeling_core.labeling.label_import import How
from labeling_core.labeling.label_matching import SAMPLE_ID
from labeling_core.modalities.twins import Twin
from labeling_core.projects import samples
from labeling_core.projects.labels import standing
from labeling_core.settings import Project
from labeling_core.sources.label_records import Imported, LabelFile
from labeling_core.store.database import Database

FORMAT, NAME = "twins", "the same files"
HOW = How(column=SAMPLE_ID)


def of_twins(database: Database, project: Project, twins: Sequence[Twin]) -> LabelFile:
    """The label of each sample that nobody has decided and that is the same as a labeled one.

    None follows where labels of the same disagree, nor from a probe: the model would learn what it
    is measured by.
    """
    file = LabelFile(FORMAT)
    groups = list(_groups(twins))
    with database.read() as cursor:
        rows = cursor.execute(
            f"SELECT s.{samples.SAMPLE_ID}, s.{samples.PLACE}, l.label, m.sample_id IS NOT NULL "
            f"FROM {samples.keys(project.project_id)} AS s "
            f"LEFT JOIN ({standing(project.settings)}) AS l ON l.sample_id = s.{samples.SAMPLE_ID} "
            f"LEFT JOIN (SELECT DISTINCT sample_id FROM {project.tables.metadata}) AS m "
            f"ON m.sample_id = s.{samples.SAMPLE_ID} "
            f"WHERE s.{samples.SAMPLE_ID} IN (SELECT unnest(?::VARCHAR[]))",
            [[each for group in groups for each in group]],
        ).fetchall()
    kept = 0 if project.settings.test_table else project.probe_limit
    known = {sample_id: rest for sample_id, *rest in rows}
    disputed = measuring = 0
    for group in groups:
        here = [(each, *known[each]) for each in group if each in known]
        free = [sample_id for sample_id, _, _, decided in here if not decided]
        labels = {label for _, _, label, _ in here if label is not None}
        if len(labels) > 1:
            disputed += 1
        elif labels and any(label and place < kept for _, place, label, _ in here):
            measuring += len(free)
        elif labels:
            label = labels.pop()
            for sample_id in free:
                line = len(file.records) + 1
                file.records.append(Imported(line, {SAMPLE_ID: sample_id}, label))
    if disputed:
        file.notes.append(f"{disputed:,} × the same has different labels here: look at them first.")
    if measuring:
        file.notes.append(
            f"{measuring:,} are the same as samples that measure accuracy, and stay unlabeled: the "
            "model would learn what it is measured by."
        )
    return file


def _groups(twins: Sequence[Twin]) -> Iterator[list[str]]:
    """All that is the same, together."""
    first: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for path, of, _ in twins:
        first[path] = first.get(of, of)
        groups.setdefault(first[path], [first[path]]).append(path)
    yield from groups.values()
