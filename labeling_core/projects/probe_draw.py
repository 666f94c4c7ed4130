"""Which samples are kept for probes: the first positions of the shuffled samples.

Of windows of recordings whole recordings are kept, or blocks of time: a window measures nothing
where its neighbours, which sound like it, were trained on.
"""

from __future__ import annotations

import duckdb

from labeling_core.projects import samples
from labeling_core.settings import Project, Settings
from labeling_core.sources import windows


def draw(
    cursor: duckdb.DuckDBPyConnection, project_id: str, settings: Settings, count: int
) -> tuple[int, float]:
    """How many of the first positions of a new project's ``count`` samples are kept for probes;
    those of windows are put first. And by how many seconds they are drawn (see
    windows.block_length)."""
    wanted = _share(settings, count, 0)
    if not settings.window_seconds or not wanted:
        return wanted, 0.0
    found = cursor.execute(
        f"SELECT {samples.SAMPLE_ID} FROM {samples.table(project_id)} ORDER BY {samples.PLACE}"
    ).fetchall()
    names = [each for (each,) in found]
    ranks = windows.held_out(names, wanted, settings.seed)
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE ranks AS SELECT unnest(?::INTEGER[]) AS rank, "
        f"unnest(range(?)) AS {samples.PLACE}",
        [ranks, len(ranks)],
    )
    rank = f"SELECT rank FROM ranks WHERE ranks.{samples.PLACE} = s.{samples.PLACE}"
    _put(cursor, project_id, f"({rank})")
    cursor.execute("DROP TABLE ranks")
    return sum(each < 2 for each in ranks), windows.block_length(names, wanted)


def _put(cursor: duckdb.DuckDBPyConnection, project_id: str, by: str) -> None:
    """Put the samples ``s`` in the order of ``by``, and of their positions where that is equal."""
    table = samples.table(project_id)
    cursor.execute(
        f"CREATE OR REPLACE TABLE {table} AS SELECT (row_number() OVER (ORDER BY {by}, "
        f"{samples.PLACE}) - 1)::INTEGER AS {samples.PLACE}, * EXCLUDE ({samples.PLACE}) "
        f"FROM {table} AS s ORDER BY 1"
    )


def put_last(cursor: duckdb.DuckDBPyConnection, project: Project, sample_ids: str) -> Project:
    """Put the samples that the query ``sample_ids`` selects behind all others, of which alone
    probes are drawn then; only for a project that is being made.

    They come with their label: what is kept for probes is a random draw of the rest.
    """
    row = cursor.execute(
        f"SELECT count(*), count(*) FILTER ({samples.PLACE} < ?) "
        f"FROM {samples.table(project.project_id)} WHERE {samples.SAMPLE_ID} NOT IN ({sample_ids})",
        [project.probe_limit],
    ).fetchone()
    others, limit = row or (0, 0)
    if not project.settings.window_seconds:
        limit = _share(project.settings, others, 0)
    _put(cursor, project.project_id, f"{samples.SAMPLE_ID} IN ({sample_ids})")
    cursor.execute(
        "UPDATE labeling.projects SET probe_limit = ? WHERE project_id = ?",
        [limit, project.project_id],
    )
    return project._replace(probe_limit=limit)


def kept(project: Project, settings: Settings, undrawn: int = 0) -> int:
    """How many positions are kept for probes once ``project`` has these settings: more only when
    their share is changed, or drawn (again) for want of a test table. ``undrawn`` samples came
    with their label."""
    old = project.settings
    same = (settings.probe_share, bool(settings.test_table)) == (
        old.probe_share,
        bool(old.test_table),
    )
    if same or old.window_seconds:
        return project.probe_limit
    return _share(settings, project.samples - undrawn, project.probe_limit)


def _share(settings: Settings, count: int, old: int) -> int:
    """The share of probes of so many samples.

    Never shrinks: positions once kept from training stay comparable over all sessions.
    """
    if settings.test_table:
        return old
    return max(old, round(settings.probe_share * count))
