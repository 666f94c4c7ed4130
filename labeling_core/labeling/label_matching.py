"""Which sample each annotation of a file is about, and which of the project's categories it names.

What is found stands in temporary tables of the cursor: ``incoming`` holds the file as it is,
``import_matched`` the same rows with their samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import modality_of
from labeling_core.projects import samples
from labeling_core.projects.category_names import compared
from labeling_core.projects.renames import follow, read_renames
from labeling_core.settings import Project, quote
from labeling_core.sources.label_records import Imported

SAMPLE_ID = "sample_id"
IDS = (SAMPLE_ID, "data_id")  # what a file may call it
PATHS = ("path", "image", "audio", "filename", "upload_name", "file", "file_upload", "data_id")
_TRIED = 2000  # annotations that a way of matching is tried on
_CREATE = (
    "CREATE OR REPLACE TEMP TABLE incoming (line BIGINT, key VARCHAR, label VARCHAR, "
    "annotator VARCHAR, labeled_at TIMESTAMPTZ, comment VARCHAR)"
)


class Match(NamedTuple):
    """``field`` of the file tells the sample whose ``column`` (or sample_id, or path) it is."""

    field: str
    column: str

    @property
    def words(self) -> str:
        """In words."""
        same = self.field == self.column
        return f"“{self.column}”" if same else f"“{self.field}” as “{self.column}”"


def put(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    records: Sequence[Imported],
    column: str = "",
) -> Match:
    """Write the annotations of a file into ``incoming``; how their samples are told.

    ``column`` is the one to go by; without it the one is found that tells most samples. Raises
    LabelingError when there is none.
    """
    found = _find(cursor, project, records, column)
    keys: list[str | None] = [each.fields.get(found.field, "") for each in records]
    if found.column == "path":
        keys = _paths(cursor, project, [each or "" for each in keys])
    cursor.execute(_CREATE)
    cursor.execute(
        "INSERT INTO incoming SELECT unnest(?::BIGINT[]), unnest(?::VARCHAR[]), "
        "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), make_timestamptz(unnest(?::BIGINT[])), "
        "unnest(?::VARCHAR[])",
        [
            [each.line for each in records],
            keys,
            [each.label for each in records],
            [each.annotator for each in records],
            [None if each.moment is None else _microseconds(each) for each in records],
            [each.comment for each in records],
        ],
    )
    match(cursor, project, found.column)
    return found


def _microseconds(each: Imported) -> int:
    assert each.moment is not None
    return round(each.moment.timestamp() * 1e6)


def match(cursor: duckdb.DuckDBPyConnection, project: Project, column: str) -> None:
    """Make ``import_matched`` of ``incoming``: with the place and id of the one sample that has
    the key in ``column``, and how many have it."""
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE import_matched AS "
        f"WITH keyed AS (SELECT {_key(column)} AS key, min({samples.PLACE}) AS place, "
        f"min({samples.SAMPLE_ID}) AS sample_id, count(*) AS number "
        f"FROM {samples.table(project.project_id)} GROUP BY 1) "
        "SELECT i.*, CASE WHEN k.number = 1 THEN k.place END AS place, "
        "CASE WHEN k.number = 1 THEN k.sample_id END AS sample_id, coalesce(k.number, 0) AS number "
        "FROM incoming AS i LEFT JOIN keyed AS k USING (key)"
    )


def _key(column: str) -> str:
    own = column in (SAMPLE_ID, "path")  # a file's path is its id
    return samples.SAMPLE_ID if own else f"{quote(column)}::VARCHAR"


def _find(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: Sequence[Imported], column: str
) -> Match:
    fields = list(dict.fromkeys(name for each in records[:_TRIED] for name in each.fields))
    columns = [name for name, _ in samples.kept_columns(cursor, project.project_id)]
    ways = _ways(project, fields, columns)
    if column:
        known = next((each for each in (SAMPLE_ID, *columns) if each.lower() == column.lower()), "")
        if not known:
            raise LabelingError(
                f"The samples have no column “{column}”: choose one of "
                f"{', '.join((SAMPLE_ID, *columns[:20]))}.",
                "match",
            )
        ways = [each for each in ways if each.column == known]
        ways = ways or [Match(each, known) for each in fields]
    numbers = [(_number(cursor, project, records, each), each) for each in ways]
    best, way = max(numbers, key=lambda each: each[0], default=(0, Match("", "")))
    if not best:
        asked = f"“{column}”" if column else f"{', '.join(columns[:8])} or sample_id"
        raise LabelingError(
            "None of the annotations is of a sample of this project: they were looked for by "
            f"{asked}. Name the column that tells them.",
            "match",
        )
    return way


def _ways(project: Project, fields: Sequence[str], columns: Sequence[str]) -> list[Match]:
    """All ways of telling samples that the names allow, the most natural one first."""
    if modality_of(project.settings).reads_files:
        named = [each for each in fields if each.lower() in PATHS or each == SAMPLE_ID]
        return [Match(each, "path") for each in (*named, *fields)]
    found = [Match(each, SAMPLE_ID) for each in fields if each in IDS]
    own = {each.lower(): each for each in columns}
    found += [Match(each, own[each.lower()]) for each in fields if each.lower() in own]
    texts = [each for each in fields if each in ("text", "data", "prompt")]
    return found + [Match(text, name) for text in texts for name in columns]


def _number(
    cursor: duckdb.DuckDBPyConnection, project: Project, records: Sequence[Imported], way: Match
) -> int:
    """How many of the first annotations a way finds the one sample of."""
    keys = [each.fields.get(way.field, "") for each in records[:_TRIED]]
    if way.column == "path":
        return sum(bool(each) for each in _paths(cursor, project, keys))
    row = cursor.execute(
        "WITH wanted AS (SELECT unnest(?::VARCHAR[]) AS key), keyed AS "
        f"(SELECT {_key(way.column)} AS key, count(*) AS number "
        f"FROM {samples.table(project.project_id)} GROUP BY 1) "
        "SELECT count(*) FROM wanted JOIN keyed USING (key) WHERE number = 1",
        [keys],
    ).fetchone()
    return int(row[0]) if row else 0


def _paths(
    cursor: duckdb.DuckDBPyConnection, project: Project, given: Iterable[str]
) -> list[str | None]:
    """The files of the project that other tools' paths and addresses mean: the same path, else the
    only one that ends alike, down to the bare name. Label Studio puts ``1a2b3c4d-`` before it."""
    rows = cursor.execute(
        f"SELECT {samples.SAMPLE_ID} FROM {samples.table(project.project_id)}"
    ).fetchall()
    tails: dict[str, str | None] = {}
    for (path,) in rows:
        parts = PurePosixPath(path).parts
        for start in range(1, len(parts)):
            tail = "/".join(parts[start:])
            tails[tail] = path if tail not in tails else None
    exact: Mapping[str, str] = {path: path for (path,) in rows}
    return [_path(each, exact, tails) for each in given]


def _path(given: str, exact: Mapping[str, str], tails: Mapping[str, str | None]) -> str | None:
    text = unquote(given.strip().replace("\\", "/"))
    text = text.rpartition("?d=")[2] or text
    text = text.partition("://")[2] or text
    parts = [each for each in text.split("/") if each not in ("", ".")]
    for start in range(len(parts)):
        tail = "/".join(parts[start:])
        found = exact.get(tail) or tails.get(tail)
        if found:
            return found
        if tail in tails:
            return None  # several files are called so
    name = parts[-1] if parts else ""
    plain = name[9:] if len(name) > 9 and name[8] == "-" else ""
    return (exact.get(plain) or tails.get(plain)) if plain else None


class Names(NamedTuple):
    """What labels of a file mean: the project's categories for those that are known (``meant``),
    and how many annotations have one that is ``unknown`` or ``retired``."""

    meant: dict[str, str]
    unknown: dict[str, int]
    retired: dict[str, int]


def names(cursor: duckdb.DuckDBPyConnection, project: Project) -> Names:
    """Look up the labels of ``import_matched``: as written, as the categories were called before,
    or as what looks the same."""
    rows = cursor.execute(
        "SELECT label, count(*) FROM import_matched WHERE label IS NOT NULL GROUP BY label "
        "ORDER BY 2 DESC, 1"
    ).fetchall()
    renames = read_renames(cursor, project.project_id)
    own = {compared(each.name): each for each in project.settings.categories}
    exact = {each.name: each for each in project.settings.categories}
    found = Names({}, {}, {})
    for label, number in rows:
        known = exact.get(label) or exact.get(follow(renames, label)) or own.get(compared(label))
        if known is None:
            found.unknown[label] = number
        elif known.retired:
            found.retired[label] = number
        else:
            found.meant[label] = known.name
    return found
