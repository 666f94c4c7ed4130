"""The labels of a project as arrays, divided into what trains and what measures."""

from __future__ import annotations

from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.projects import samples
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project, Settings


class Labels(NamedTuple):
    """Labeled samples, aligned: position, class code, label_id."""

    positions: NDArray[np.int64]
    codes: NDArray[np.int64]
    label_ids: NDArray[np.int64]


def standing(settings: Settings) -> str:
    """A query for the labels that count, one for each sample: sample_id, label, label_id.

    Its final label if it has one (it stands in the labels table); while further people are to
    decide on it, the label that all decisions so far agree on. A sample about which people
    disagree has none until it is settled.
    """
    labels, metadata, _, label, label_id = settings.tables
    return (
        f"SELECT m.sample_id, l.{label} AS label, l.{label_id} AS label_id "
        f"FROM {labels} AS l JOIN {metadata} AS m ON m.{label_id} = l.{label_id} "
        f"UNION ALL SELECT sample_id, min({label}), min({label_id}) FROM {metadata} "
        f"WHERE sample_id NOT IN (SELECT m.sample_id FROM {metadata} AS m "
        f"LEFT JOIN {labels} AS l ON l.{label_id} = m.{label_id} "
        f"WHERE l.{label_id} IS NOT NULL OR m.origin = '{ADJUDICATION}') "
        f"AND status = 'LABELED' GROUP BY sample_id HAVING count(DISTINCT {label}) = 1"
    )


def read_labels(cursor: duckdb.DuckDBPyConnection, project: Project) -> Labels:
    """All labels of the project that can be learned from, one a sample, in the order of their
    positions; those of files set aside cannot, nor those of categories that nothing shall learn of.
    """
    settings = project.settings
    found = cursor.execute(
        f"SELECT s.{samples.PLACE} AS place, list_position(?::VARCHAR[], m.label) - 1 AS code, "
        f"m.label_id FROM ({standing(settings)}) AS m "
        f"JOIN {samples.keys(project.project_id)} AS s ON s.{samples.SAMPLE_ID} = m.sample_id "
        "WHERE code >= 0 AND m.sample_id NOT IN "
        "(SELECT sample_id FROM labeling.broken WHERE project_id = ?) ORDER BY place",
        [list(settings.classes), project.project_id],
    ).fetchnumpy()
    return Labels(*(np.asarray(found[name], np.int64) for name in ("place", "code", "label_id")))


def first_open(closed: NDArray[np.bool_], probe_limit: int) -> int:
    """The first position kept for probes that has no decision; ``probe_limit`` if all have."""
    still_open = np.flatnonzero(~closed[:probe_limit])
    return int(still_open[0]) if len(still_open) else probe_limit


def measuring_end(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    closed: NDArray[np.bool_],
    probe_limit: int,
) -> int:
    """The position before which the decided probes are a uniform random draw.

    Probes are handed out in the order of their positions, unseen: that some still wait in a
    browser, or were left in one that is gone, leaves the others a draw. Where the strategy had
    decided on positions before a raised share of probes took them in, only the unbroken run is
    one: the probes after it are what the strategy did not choose.
    """
    start = first_open(closed, probe_limit)
    row = cursor.execute(
        f"SELECT min(s.{samples.PLACE}) FROM {samples.keys(project.project_id)} AS s "
        f"JOIN {project.tables.metadata} AS m "
        f"ON m.sample_id = s.{samples.SAMPLE_ID} WHERE m.origin NOT IN ('probe', ?) "
        f"AND s.{samples.PLACE} >= ? AND s.{samples.PLACE} < ?",
        [ADJUDICATION, start, probe_limit],
    ).fetchone()
    return start if row is None else probe_limit if row[0] is None else int(row[0])


def split(all_labels: Labels, probe_limit: int, end: int) -> tuple[Labels, Labels]:
    """Divide the labels into those to train on and the probes to measure with.

    Places below ``probe_limit`` are never trained on. Of them only those before ``end`` (see
    measuring_end) are measured.
    """
    train = all_labels.positions >= probe_limit
    return (
        Labels(*(each[train] for each in all_labels)),
        below(all_labels, min(probe_limit, end)),
    )


def below(labels: Labels, limit: int) -> Labels:
    """The labels of positions below ``limit``."""
    kept = labels.positions < limit
    return Labels(*(each[kept] for each in labels))
