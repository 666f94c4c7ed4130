"""Checks of what people have decided: labels and metadata, and whether they tell the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from labeling_core.integrity.record import (
    Check,
    Cursor,
    Found,
    House,
    Tables,
    in_projects,
    keys,
    mend_projects,
    values,
)
from labeling_core.projects import final_labels, lifecycle, samples
from labeling_core.projects.final_labels import Row
from labeling_core.projects.overlap import ADJUDICATION, Overlap
from labeling_core.settings import Project


def _lost_tables(house: House) -> list[Found]:
    with house.database.read() as cursor:
        there = Tables.of(cursor)
    found = []
    for each in house.projects:
        lost = [] if each.settings.metadata_table in there.seen else [each.settings.metadata_table]
        lost += [] if there.have_samples(each) else [f"labeling_pool.samples_{each.project_id}"]
        found += [Found(each.project_id, tuple(lost))] if lost else []
    return found


def _lost_labels(house: House) -> list[Found]:
    with house.database.read() as cursor:
        there = Tables.of(cursor)
    return [
        Found(each.project_id, (each.settings.labels_table,))
        for each in house.projects
        if each.settings.labels_table not in there.seen and there.have_samples(each)
    ]


def _make_labels(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    lifecycle.create_labels(cursor, project)


def _without_metadata(cursor: Cursor, project: Project, known: bool) -> Sequence[Any]:
    """label_ids without a row of metadata, of decisions that the log tells of or of others."""
    labels, metadata, _, _, label_id = project.tables
    told = f"SELECT label_id FROM ({_DECIDED}) WHERE sample_id IN "
    told += f"(SELECT {samples.SAMPLE_ID} FROM {keys(project)})"
    return values(
        cursor,
        f"SELECT l.{label_id} FROM {labels} AS l WHERE NOT EXISTS "
        f"(SELECT 1 FROM {metadata} AS m WHERE m.{label_id} = l.{label_id}) "
        f"AND (coalesce(l.{label_id}, -1) IN ({told})) = ? ORDER BY 1",
        project.project_id,
        known,
    )


# What the log tells of each decision of a project, whose id is the parameter.
_DECIDED = (
    "SELECT label_id, arg_max(sample_id, event_id) AS sample_id, arg_max(annotator, event_id) AS "
    "annotator, arg_max(happened, event_id) AS happened, arg_max(detail, event_id) AS detail "
    "FROM labeling.events WHERE project_id = ? AND kind = 'decision' AND label_id IS NOT NULL "
    "GROUP BY label_id"
)


def _write_metadata(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    """From the decisions that the log tells of; why each was shown follows from its position."""
    labels, metadata, _, label, label_id = project.tables
    cursor.execute(
        f"INSERT INTO {metadata} SELECT e.label_id, e.sample_id, 'LABELED', l.{label}, "
        "e.detail->>'comment', coalesce((e.detail->'asked'->>'session_id')::INTEGER, 0), "
        "e.annotator, e.happened, CASE WHEN (e.detail->>'import') IS NOT NULL THEN 'import' "
        f"WHEN s.{samples.PLACE} < ? THEN 'probe' WHEN (e.detail->'asked') IS NOT NULL THEN "
        f"'query' ELSE 'random' END, 0 FROM ({_DECIDED}) AS e "
        f"JOIN {labels} AS l ON l.{label_id} = e.label_id "
        f"JOIN {keys(project)} AS s ON s.{samples.SAMPLE_ID} = e.sample_id "
        "WHERE e.label_id IN (SELECT unnest(?::BIGINT[]))",
        [project.probe_limit, project.project_id, list(found)],
    )


def _final(cursor: Cursor, project: Project) -> dict[int, tuple[int, str | None]]:
    """The labels table as metadata has it: label_id → position and label, one a sample."""
    _, metadata, _, label, label_id = project.tables
    overlap = Overlap(project.settings, project.samples)
    final_labels.load(cursor, project, overlap)
    rows = cursor.execute(
        f"SELECT m.{label_id}, s.{samples.PLACE}, m.{label}, m.sample_id FROM {metadata} AS m "
        f"JOIN {keys(project)} AS s ON s.{samples.SAMPLE_ID} = m.sample_id "
        "WHERE m.status = 'LABELED' AND m.origin <> ?",
        [ADJUDICATION],
    ).fetchall()
    wanted = {row[0]: (row[1], row[2]) for row in rows if row[3] not in overlap.shared}
    for each in overlap.shared.values():
        final = each.final
        if final is not None and final.status == "LABELED":
            wanted[final.label_id] = (each.position, final.category)
    return wanted


def _differing(cursor: Cursor, project: Project) -> Sequence[Any]:
    """The label_ids about which the labels table and metadata differ, both having them."""
    labels, metadata, _, label, label_id = project.tables
    there = dict(
        cursor.execute(
            f"SELECT {label_id}, {label} FROM {labels} WHERE {label_id} IN "
            f"(SELECT {label_id} FROM {metadata})"
        ).fetchall()
    )
    wanted = {number: name for number, (_, name) in _final(cursor, project).items()}
    changed = {key for key in there.keys() & wanted.keys() if there[key] != wanted[key]}
    return sorted((there.keys() ^ wanted.keys()) | changed)


def _write_labels(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    wanted = _final(cursor, project)
    cursor.execute(
        f"DELETE FROM {project.tables.labels} WHERE {project.tables.label_id} "
        "IN (SELECT unnest(?::BIGINT[]))",
        [list(found)],
    )
    rows = [Row(wanted[each][0], wanted[each][1], each) for each in found if each in wanted]
    final_labels.insert(cursor, project, rows)


def _unknown_samples(cursor: Cursor, project: Project) -> Sequence[Any]:
    return values(
        cursor,
        f"SELECT DISTINCT sample_id FROM {project.tables.metadata} WHERE sample_id IS NULL OR "
        f"sample_id NOT IN (SELECT {samples.SAMPLE_ID} FROM {keys(project)}) ORDER BY 1",
    )


def _twice(cursor: Cursor, project: Project) -> Sequence[Any]:
    _, metadata, _, _, label_id = project.tables
    return values(
        cursor,
        f"SELECT DISTINCT sample_id FROM {metadata} QUALIFY "
        f"count(*) OVER (PARTITION BY {label_id}) > 1 OR "
        f"count(*) OVER (PARTITION BY sample_id, annotator, origin = '{ADJUDICATION}') > 1 "
        "ORDER BY 1",
    )


def _counted_wrongly(cursor: Cursor, project: Project) -> Sequence[Any]:
    (recorded,) = values(
        cursor, "SELECT samples FROM labeling.projects WHERE project_id = ?", project.project_id
    )
    return () if recorded == project.samples else (project.samples,)


def _count(cursor: Cursor, project: Project, found: Sequence[Any]) -> None:
    cursor.execute(
        "UPDATE labeling.projects SET samples = ? WHERE project_id = ?",
        [found[0], project.project_id],
    )


CHECKS = (
    Check(
        "tables of projects", "Does each project have its samples and its metadata?",
        "The project lacks {named}.", "Bring back a backup.", _lost_tables,
    ),
    Check(
        "labels table", "Does each project have its labels table?",
        "The project lacks {named}.", "It is made anew from the metadata.",
        _lost_labels, mend_projects(_make_labels),
    ),
    Check(
        "number of samples", "Is the number of samples the one that is recorded?",
        "The project has {named} samples, another number is recorded.",
        "The number is counted anew.", in_projects(_counted_wrongly), mend_projects(_count),
    ),
    Check(
        "labels without metadata",
        "Does each label have its row of metadata?",
        "{number} labels have no row of metadata (label_id {named}).",
        "The row is written anew as the event log tells of the decision; the seconds are lost.",
        in_projects(lambda cursor, project: _without_metadata(cursor, project, True)),
        mend_projects(_write_metadata),
    ),
    Check(
        "labels that nobody gave",
        "Does the event log tell of each label?",
        "{number} labels have no row of metadata, and no event tells of them (label_id {named}).",
        "Compare with a backup, and delete from the labels table what is not in it.",
        in_projects(lambda cursor, project: _without_metadata(cursor, project, False)),
    ),
    Check(
        "metadata without label", "Do labels and metadata tell the same?",
        "{number} decisions of the metadata are not as the labels table has them "
        "(label_id {named}).",
        "The labels table is brought in line with the metadata.",
        in_projects(_differing), mend_projects(_write_labels),
    ),
    Check(
        "decisions on unknown samples", "Is each decision on a sample that there is?",
        "There are decisions on {number} samples that the project does not have "
        "(sample_id {named}).",
        "Bring back a backup, or take their rows out of the metadata.",
        in_projects(_unknown_samples),
    ),
    Check(
        "decisions twice", "Is each decision there once?",
        "{number} samples have a decision twice, of one person or under one label_id "
        "(sample_id {named}).",
        "Look at them in the metadata and delete the wrong row, or bring back a backup.",
        in_projects(_twice),
    ),
)  # fmt: skip
