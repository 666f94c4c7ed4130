"""The labels of a project as arrays, divided into what trains and what measures."""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from labeling_core.projects import samples
from labeling_core.projects.overlap import ADJUDICATION
from labeling_core.settings import Project, Settings
from labeling_core.sources import windows
from labeling_core.store import imports


class Labels(NamedTuple):
    """Labeled samples, aligned: position, class code, label_id, and whether an import has taken
    the sample out of the draw of probes: it trains wherever it stands, and never measures."""

    positions: NDArray[np.int64]
    codes: NDArray[np.int64]
    label_ids: NDArray[np.int64]
    undrawn: NDArray[np.bool_]

    def where(self, kept: NDArray[np.bool_]) -> Labels:
        """Those of them that are ``kept``."""
        positions, codes, label_ids, undrawn = self
        return Labels(positions[kept], codes[kept], label_ids[kept], undrawn[kept])


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
    undrawn, values = _undrawn(cursor, project)
    found = cursor.execute(
        f"SELECT s.{samples.PLACE} AS place, list_position(?::VARCHAR[], m.label) - 1 AS code, "
        f"m.label_id, m.sample_id IN ({undrawn}) AS undrawn FROM ({standing(settings)}) AS m "
        f"JOIN {samples.keys(project.project_id)} AS s ON s.{samples.SAMPLE_ID} = m.sample_id "
        "WHERE code >= 0 AND m.sample_id NOT IN "
        "(SELECT sample_id FROM labeling.broken WHERE project_id = ?) ORDER BY place",
        [list(settings.classes), *values, project.project_id],
    ).fetchnumpy()
    positions, codes, label_ids = (
        np.asarray(found[name], np.int64) for name in ("place", "code", "label_id")
    )
    return Labels(positions, codes, label_ids, np.asarray(found["undrawn"], bool))


def groups(
    cursor: duckdb.DuckDBPyConnection, project: Project, labels: Labels, parts: int
) -> NDArray[np.intp] | None:
    """What each label belongs to, as a number, where neighbouring samples are alike (windows of a
    recording), so that ``parts`` can be told apart; None where they are not."""
    if not project.settings.window_seconds:
        return None
    found = samples.read(cursor, project.project_id, labels.positions.tolist())
    names = [found[position].sample_id for position in labels.positions.tolist()]
    return np.unique(windows.groups(names, len(names) // parts), return_inverse=True)[1]


def to_learn(
    cursor: duckdb.DuckDBPyConnection, project: Project, labels: Labels, parts: int
) -> dict[str, NDArray[Any]]:
    """The labels as a job of the worker gets them: ``positions``, ``codes`` and, where there are
    any, ``groups``."""
    belongs = groups(cursor, project, labels, parts)
    found: dict[str, NDArray[Any]] = {"positions": labels.positions, "codes": labels.codes}
    return found if belongs is None else found | {"groups": belongs}


def set_apart(cursor: duckdb.DuckDBPyConnection, project: Project) -> NDArray[np.bool_]:
    """Of each position, whether it neither trains nor measures: windows of what is held out that
    are no probes themselves, because they came later, or an import has taken them out of the draw,
    or they lie beside what is trained on."""
    apart = np.zeros(project.samples, bool)
    if not project.settings.window_seconds or not project.probe_limit:
        return apart
    undrawn, values = _undrawn(cursor, project)
    names, places, drawn = (
        cursor.execute(
            f"SELECT {samples.SAMPLE_ID} AS name, {samples.PLACE} AS place, "
            f"{samples.PLACE} < ? AND {samples.SAMPLE_ID} NOT IN ({undrawn}) AS drawn "
            f"FROM {samples.table(project.project_id)}",
            [project.probe_limit, *values],
        )
        .fetchnumpy()
        .values()
    )
    apart[places] = windows.set_apart(names.tolist(), drawn.tolist(), project.probe_block)
    return apart


def _undrawn(cursor: duckdb.DuckDBPyConnection, project: Project) -> tuple[str, list[object]]:
    """A query, and its parameters, for the samples that imports have taken out of the draw of
    probes: those with a label of an import that was no random draw, and those that such an import
    has named, taken back or not, for a model may have learned of them."""
    known = imports.listed(cursor, project.project_id)
    drawn = [each for each in known if each.random_draw]
    query = (
        f"SELECT sample_id FROM {project.tables.metadata} AS i WHERE origin = 'import' "
        "AND NOT EXISTS (SELECT 1 FROM (SELECT unnest(?::BIGINT[]) AS first, "
        "unnest(?::BIGINT[]) AS last) AS d "
        f"WHERE i.{project.tables.label_id} BETWEEN d.first AND d.last) "
        "UNION ALL SELECT unnest(?::VARCHAR[])"
    )
    named = [sample_id for each in known for sample_id in each.unmeasured]
    return query, [[each.first for each in drawn], [each.last for each in drawn], named]


def undrawn_count(cursor: duckdb.DuckDBPyConnection, project: Project) -> int:
    """How many samples imports have taken out of the draw of probes."""
    query, values = _undrawn(cursor, project)
    row = cursor.execute(f"SELECT count(DISTINCT sample_id) FROM ({query})", values).fetchone()
    return int(row[0]) if row else 0


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
    one: the probes after it are what the strategy did not choose. Imports end none: what they
    have taken out of the draw does not measure (see Labels), all else stays one.
    """
    start = first_open(closed, probe_limit)
    row = cursor.execute(
        f"SELECT min(s.{samples.PLACE}) FROM {samples.keys(project.project_id)} AS s "
        f"JOIN {project.tables.metadata} AS m "
        f"ON m.sample_id = s.{samples.SAMPLE_ID} WHERE m.origin NOT IN ('probe', 'import', ?) "
        f"AND s.{samples.PLACE} >= ? AND s.{samples.PLACE} < ?",
        [ADJUDICATION, start, probe_limit],
    ).fetchone()
    return start if row is None else probe_limit if row[0] is None else int(row[0])


def split(
    all_labels: Labels, probe_limit: int, end: int, apart: NDArray[np.bool_]
) -> tuple[Labels, Labels]:
    """Divide the labels into those to train on and the probes to measure with.

    Places below ``probe_limit`` are never trained on, unless an import has taken them out of the
    draw. Of the others only those before ``end`` (see measuring_end) are measured. Places set
    ``apart`` (see set_apart) do neither.
    """
    all_labels = all_labels.where(~apart[all_labels.positions])
    train = (all_labels.positions >= probe_limit) | all_labels.undrawn
    drawn = all_labels.where(~all_labels.undrawn)
    return all_labels.where(train), below(drawn, min(probe_limit, end))


def below(labels: Labels, limit: int) -> Labels:
    """The labels of positions below ``limit``."""
    return labels.where(labels.positions < limit)
