"""What a check is, what it finds, and the two forms in which most are written."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from labeling_core.projects import lifecycle, samples
from labeling_core.settings import Project
from labeling_core.store.database import Database, tables
from labeling_core.store.file_names import files_of
from labeling_core.store.removal import remove

EXAMPLES = 3
Cursor = duckdb.DuckDBPyConnection


class Tables(NamedTuple):
    """The names of the tables and views that people see, and of those in ``labeling_pool``."""

    seen: set[str]
    pool: set[str]

    @classmethod
    def of(cls, cursor: Cursor) -> Tables:
        """As they are now."""
        return cls(set(tables(cursor)), pool_tables(cursor))

    def have_samples(self, project: Project) -> bool:
        """Whether the table of a project's samples is there."""
        return f"samples_{project.project_id}" in self.pool


class House(NamedTuple):
    """An open database with its projects: what is looked at. Nothing else is done to it meanwhile.

    ``Project.samples`` is counted, not as it is recorded.
    """

    database: Database
    projects: list[Project]

    @classmethod
    def of(cls, database: Database) -> House:
        """As the tables are now; LabelingError where a project's settings cannot be read."""
        with database.read() as cursor:
            there = Tables.of(cursor)
            counted = [
                each._replace(samples=samples.count(cursor, each.project_id))
                if there.have_samples(each) else each
                for each in lifecycle.list_projects(cursor)
            ]  # fmt: skip
        return cls(database, counted)

    @property
    def files(self) -> Path:
        """The folder beside the file."""
        return files_of(self.database.path)

    def whole(self, cursor: Cursor) -> list[Project]:
        """The projects whose samples, labels and metadata are there, to be asked by SQL."""
        there = Tables.of(cursor)
        return [
            each
            for each in self.projects
            if {each.settings.labels_table, each.settings.metadata_table} <= there.seen
            and there.have_samples(each)
        ]

    def project(self, project_id: str) -> Project:
        """The project of that id, which is one of those looked at."""
        return next(each for each in self.projects if each.project_id == project_id)


class Found(NamedTuple):
    """What is wrong in one project (or in none, ""): the rows, samples or files, each named."""

    project_id: str
    items: tuple[Any, ...]

    @property
    def named(self) -> str:
        """The first of them, in words."""
        more = " …" if len(self.items) > EXAMPLES else ""
        return ", ".join(str(each) for each in self.items[:EXAMPLES]) + more


Find = Callable[[House], list[Found]]
Mend = Callable[[House, list[Found]], None]


@dataclass(frozen=True)
class Check:
    """One question about a database.

    ``wrong`` is the sentence where the answer is no, with ``{number}`` and ``{named}``; ``to_do``
    what helps. ``mend``, where there is one, loses nothing that people have decided.
    """

    name: str
    question: str
    wrong: str
    to_do: str
    find: Find
    mend: Mend | None = None


def values(cursor: Cursor, sql: str, *given: object) -> tuple[Any, ...]:
    """The first column of a query."""
    return tuple(row[0] for row in cursor.execute(sql, list(given)).fetchall())


def pool_tables(cursor: Cursor) -> set[str]:
    """The names of the tables in the schema ``labeling_pool``."""
    return set(
        values(
            cursor,
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'labeling_pool' "
            "AND table_catalog = current_database()",
        )
    )


def keys(project: Project) -> str:
    """Position, id and presence of the samples, in SQL."""
    return samples.keys(project.project_id)


FindOne = Callable[[Cursor, Project], Sequence[Any]]
MendOne = Callable[[Cursor, Project, Sequence[Any]], None]


def in_projects(find: FindOne) -> Find:
    """Look in each project whose tables are there."""

    def look(house: House) -> list[Found]:
        with house.database.read() as cursor:
            found = [Found(e.project_id, tuple(find(cursor, e))) for e in house.whole(cursor)]
        return [each for each in found if each.items]

    return look


def mend_projects(mend: MendOne) -> Mend:
    """Mend what was found in each project, in one transaction for all."""

    def all_of(house: House, found: list[Found]) -> None:
        with house.database.transaction() as cursor:
            for each in found:
                mend(cursor, house.project(each.project_id), each.items)

    return all_of


def remove_paths(house: House, found: list[Found]) -> None:
    """Mend by removing the files and folders that were found, relative to the folder of files."""
    for each in found:
        for path in each.items:
            remove(house.files / path)


def in_files(find: Callable[[House, Project], Collection[Path]]) -> Find:
    """Look at the files that are kept of each project; what is found, relative to their folder."""

    def look(house: House) -> list[Found]:
        found = []
        for project in house.projects:
            paths = sorted(each.relative_to(house.files) for each in find(house, project))
            names = tuple(each.as_posix() for each in paths)
            found += [Found(project.project_id, names)] if names else []
        return found

    return look
