"""Copies of the tables that SQL sessions may see: files of their own, made anew where it changed.

What changes together is one part, and one file: a part's file is never written to again. *queries*
are two parts, because a decision takes one row out of a pool of which nothing else changes: the
source's columns, and the order with its five narrow columns.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from labeling_core.people import EVERYWHERE
from labeling_core.projects import lifecycle, queries, samples
from labeling_core.settings import Project, quote
from labeling_core.store import events
from labeling_core.store.database import Database, literal
from labeling_core.store.removal import remove

LEAST = 0.5  # seconds between two copies of a part
SHARE = 20  # a part that costs a second of processor time to copy is copied every 20 seconds,
BUSY = 4  # and one that takes a second, on a busy machine, every 4
PRIVATE = ("names",)  # internal tables that even admins are not shown: they know browsers

Name = tuple[str, str]  # schema, and name of a table or view


class Part(NamedTuple):
    """Tables that are copied together, by their queries; ``version`` differs when they have
    changed. ``internal``: for admins only."""

    key: str
    version: tuple[Any, ...]
    tables: dict[Name, str]
    internal: bool = False


class Copy(NamedTuple):
    """A part as it was copied: called ``name`` where it is attached, to be made anew from
    ``due`` (monotonic seconds) on."""

    part: Part
    name: str
    path: Path
    due: float


class View(NamedTuple):
    """What a session sees under a name: ``sources`` are the keys of the parts, by the aliases
    that ``sql`` has of the tables of that name in their copies."""

    schema: str
    name: str
    sources: dict[str, str]
    sql: str = "SELECT * FROM {it}"
    internal: bool = False

    def select(self, copies: dict[str, Copy]) -> str:
        """The query behind the view, from the ``copies`` of this moment by their keys."""
        table = f"{quote(self.schema)}.{quote(self.name)}"
        return self.sql.format_map(
            {alias: f"{copies[key].name}.{table}" for alias, key in self.sources.items()}
        )


def parts(cursor: duckdb.DuckDBPyConnection, project: Project) -> Iterator[Part]:
    """The parts that a project's output tables are made of."""
    settings, key = project.settings, project.project_id
    row = cursor.execute(
        "SELECT (SELECT max(finished) FROM labeling.sessions WHERE project_id = ?), "
        f"(SELECT count(*) FROM {queries.table(key)})",
        [key],
    ).fetchone()
    changed = *(events.newest(cursor, each) for each in (key, EVERYWHERE)), *(row or ())
    names = settings.labels_table, settings.metadata_table
    decided = {("main", each): f"SELECT * FROM main.{quote(each)}" for each in names}
    yield Part(f"decisions {key}", changed, decided)
    if shown := settings.queries_table:
        ours = ("sample_id", "uncertainty", "session_id", "prediction")
        listed = samples.listed(cursor, key, ours)
        source = f"{samples.table(key)} AS s"
        # Sorted by its id: the place of a sample tells whether it is to be a probe.
        columns = (
            f"SELECT {listed}, s.{samples.SAMPLE_ID} AS sample_id FROM {source} ORDER BY sample_id"
        )
        yield Part(f"samples {key}", (project.source_version,), {("main", shown): columns})
        order = (
            f"SELECT s.{samples.SAMPLE_ID} AS sample_id, q.uncertainty, q.session_id, "
            f"q.prediction, q.rank FROM {queries.table(key)} AS q JOIN {source} "
            f"ON s.{samples.PLACE} = q.place ORDER BY q.rank"
        )
        yield Part(f"order {key}", changed, {("main", shown): order})


def views(project: Project) -> Iterator[View]:
    """The output tables of a project, each called as it is in the database.

    The tables in the copies have the same names: clients list those, too, and take the view.
    """
    settings, key = project.settings, project.project_id
    for each in (settings.labels_table, settings.metadata_table):
        yield View("main", each, {"it": f"decisions {key}"})
    if settings.queries_table:
        yield View(
            "main", settings.queries_table,
            {"pool": f"order {key}", "source": f"samples {key}"},
            "SELECT s.* EXCLUDE (sample_id), q.sample_id, q.uncertainty, q.session_id, "
            "q.prediction FROM {pool} AS q JOIN {source} AS s ON s.sample_id = q.sample_id "
            "ORDER BY q.rank",
        )  # fmt: skip


def internals(cursor: duckdb.DuckDBPyConnection, version: float) -> Part:
    """The internal tables, without what is no text or number: models."""
    rows = cursor.execute(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
        "WHERE database_name = current_database() AND schema_name = 'labeling' "
        "AND data_type <> 'BLOB' AND table_name NOT IN (SELECT unnest(?::VARCHAR[])) "
        "GROUP BY table_name ORDER BY table_name",
        [list(PRIVATE)],
    ).fetchall()
    tables = {
        ("labeling", name): f"SELECT {', '.join(map(quote, columns))} FROM labeling.{quote(name)}"
        for name, columns in rows
    }
    return Part("internals", (version,), tables, internal=True)


def internal_views(part: Part) -> Iterator[View]:
    """The internal tables, each called as it is in the database."""
    for schema, name in part.tables:
        yield View(schema, name, {"it": part.key}, internal=True)


class Copies:
    """The copies of one database, in the folders ``shown`` and ``internal`` of a folder."""

    def __init__(self, database: Database, folder: Path, internal: bool) -> None:
        """``internal``: whether there is anybody who may see the internal tables."""
        self._database = database
        self._internal = internal
        self.shown, self.internal = folder / "shown", folder / "internal"
        for each in (self.shown, self.internal):
            each.mkdir(mode=0o700)
        self._looked = -1.0  # what Database.used was then
        self._late = False
        self._number = 0
        self.current: dict[str, Copy] = {}
        self.views: list[View] = []
        self._old: list[Path] = []

    def renew(self) -> bool:
        """Copy what has changed and is due; whether anything was.

        Raises duckdb.Error, OSError or LabelingError where that cannot be done now.
        """
        used = self._database.used
        if used == self._looked and not self._late:
            return False
        with self._database.read() as cursor:
            projects = lifecycle.list_projects(cursor)
            wanted = [part for each in projects for part in parts(cursor, each)]
            shown = [view for each in projects for view in views(each)]
            if self._internal:
                wanted.append(internals(cursor, used))
                shown += internal_views(wanted[-1])
            late = [each for each in wanted if self._has_changed(each)]
            due = [each for each in late if self._is_due(each)]
            for each in due:
                self._copy(cursor, each)
        gone = self.current.keys() - {each.key for each in wanted}
        for key in gone:
            self._old.append(self.current.pop(key).path)
        self.views = shown
        self._looked, self._late = used, len(due) < len(late)
        return bool(due or gone)

    def _has_changed(self, part: Part) -> bool:
        return part.key not in self.current or self.current[part.key].part != part

    def _is_due(self, part: Part) -> bool:
        return part.key not in self.current or time.monotonic() >= self.current[part.key].due

    def _copy(self, cursor: duckdb.DuckDBPyConnection, part: Part) -> None:
        """Write the part's tables, as they are at one moment, into a file of its own."""
        started, used = time.monotonic(), time.thread_time()
        self._number += 1
        name = f"copy_{self._number}"
        path = (self.internal if part.internal else self.shown) / f"{name}.duckdb"
        cursor.execute(f"ATTACH {literal(str(path))} AS {name}")
        try:
            cursor.execute("BEGIN")
            for (schema, table), query in part.tables.items():
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {name}.{schema}")
                cursor.execute(f"CREATE TABLE {name}.{schema}.{quote(table)} AS {query}")
            cursor.execute("COMMIT")
        except duckdb.Error:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")
            self._old.append(path)
            raise
        finally:
            cursor.execute(f"DETACH {name}")
        if before := self.current.get(part.key):
            self._old.append(before.path)
        took, used = time.monotonic() - started, time.thread_time() - used
        wait = max(LEAST, SHARE * used, BUSY * took)
        self.current[part.key] = Copy(part, name, path, started + wait)

    def selects(self, internal: bool) -> list[tuple[str, str, str]]:
        """The views (schema, name, SELECT) of whoever may see the ``internal`` ones or not."""
        return [
            (each.schema, each.name, each.select(self.current))
            for each in self.views
            if internal or not each.internal
        ]

    def discard(self) -> None:
        """Remove the files that nothing shows any more."""
        while self._old:
            remove(self._old.pop())
