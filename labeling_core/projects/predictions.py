"""What the final model says of every sample of its project, beside the labels people gave."""

from __future__ import annotations

from pathlib import Path

import duckdb

from labeling_core.modalities.registry import modality_of
from labeling_core.projects import samples
from labeling_core.projects.labels import standing
from labeling_core.projects.renames import Rename, follow
from labeling_core.settings import Project, quote
from labeling_core.store.database import literal

_OURS = ("sample_id", "label", "prediction", "probability", "category", "problem")


def table(project_id: str) -> str:
    """The internal table of them: position, prediction, and its probability (0..1)."""
    return f"labeling_pool.{quote(_name(project_id))}"


def _name(project_id: str) -> str:
    return f"predicted_{project_id}"


def known(cursor: duckdb.DuckDBPyConnection, project_id: str) -> bool:
    """Whether there are any: final models of earlier versions of the program have none."""
    found = cursor.execute(
        "SELECT 1 FROM information_schema.tables WHERE table_catalog = current_database() "
        "AND table_schema = 'labeling_pool' AND table_name = ?",
        [_name(project_id)],
    )
    return found.fetchone() is not None


def store(cursor: duckdb.DuckDBPyConnection, project_id: str, found: Path) -> None:
    """Keep the predictions in the Parquet file ``found``, whose row number is the position."""
    cursor.execute(
        f"CREATE OR REPLACE TABLE {table(project_id)} AS SELECT file_row_number::INTEGER AS place, "
        f"prediction, probability FROM read_parquet({literal(str(found))}, file_row_number = true)"
    )


def forget(cursor: duckdb.DuckDBPyConnection, project_id: str) -> None:
    """Drop them, if there are any."""
    cursor.execute(f"DROP TABLE IF EXISTS {table(project_id)}")


def query(cursor: duckdb.DuckDBPyConnection, project: Project, renames: list[Rename]) -> str:
    """SQL for every sample as a row, in the order of the source.

    The source's columns are followed by ``sample_id``, the ``label`` that counts (empty where
    there is none), ``prediction`` and ``probability`` of the final model, and ``category``: the
    label, or without one the prediction; of files also the ``problem`` of those that cannot be
    read. A column of the source with one of these names gets ``_source`` behind it. ``renames``
    are those since the model was trained.
    """
    name = literal(project.project_id)
    broken = f"SELECT sample_id, reason FROM labeling.broken WHERE project_id = {name}"
    problem = ", b.reason AS problem" if modality_of(project.settings).reads_files else ""
    return (
        f"WITH predicted AS (SELECT place, {_renamed(renames)} AS prediction, probability "
        f"FROM {table(project.project_id)}) "
        f"SELECT {samples.listed(cursor, project.project_id, _OURS)}, "
        f"s.{samples.SAMPLE_ID} AS sample_id, l.label, p.prediction, p.probability, "
        f"coalesce(l.label, p.prediction) AS category{problem} "
        f"FROM {samples.table(project.project_id)} AS s "
        f"LEFT JOIN ({broken}) AS b ON b.sample_id = s.{samples.SAMPLE_ID} "
        f"LEFT JOIN ({standing(project.settings)}) AS l ON l.sample_id = s.{samples.SAMPLE_ID} "
        f"LEFT JOIN predicted AS p ON p.place = s.{samples.PLACE} AND b.reason IS NULL "
        f"WHERE s.{samples.PRESENT} "
        f"ORDER BY try_cast(s.{samples.SAMPLE_ID} AS BIGINT), s.{samples.SAMPLE_ID}"
    )


def _renamed(renames: list[Rename]) -> str:
    """SQL for what the category in the column ``prediction`` is called after ``renames``."""
    today = {each.old: follow(renames, each.old) for each in renames}
    cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in today.items())
    return f"CASE prediction {cases} ELSE prediction END" if cases else "prediction"
