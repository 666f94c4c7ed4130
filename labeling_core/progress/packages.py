"""A project for other programs: one DuckDB file, Label Studio, a folder of media for `datasets`."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.labeling.queue import Queue
from labeling_core.modalities.registry import RENDITIONS
from labeling_core.progress import downloads, label_filter
from labeling_core.progress.downloads import Query
from labeling_core.progress.label_filter import Wanted
from labeling_core.projects import samples
from labeling_core.settings import Project
from labeling_core.sources.folders import resolve_file, source_folder
from labeling_core.sources.pinned import pinned
from labeling_core.sources.windows import Span, split
from labeling_core.store.database import folder_of, literal

SETTLED = 4096  # bytes that a DuckDB file begins with, which no later writing changes
_ROWS = 500  # rows that are fetched at a time
_SLICE = 25_000  # samples that are grouped at a time
_ROWS_WRITTEN = 100_000  # rows of a table that are written at a time
_PIECE = 1 << 20  # bytes


def write_database(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    path: Path,
    queue: Callable[[], Queue | None],
    wanted: Wanted,
) -> None:
    """One DuckDB file with every table of downloads.exports, called as it is there; ``queue`` gives
    what downloads.query wants for the sessions."""
    with _attached(cursor, path):  # so that its beginning is there
        pass
    queries = {
        what.replace(" ", "_"): _parts(cursor, project, what, queue, wanted)
        for what in downloads.exports(project)
    }
    write_tables(cursor, path, queries)


def _parts(
    cursor: duckdb.DuckDBPyConnection,
    project: Project,
    what: str,
    queue: Callable[[], Queue | None],
    wanted: Wanted,
) -> list[Query]:
    """A table as queries of so many rows as DuckDB has room for: a million take 300 MB at once."""
    if what == downloads.SOURCE:
        starts = range(0, max(project.samples, 1), _ROWS_WRITTEN)
        places = (range(each, each + _ROWS_WRITTEN) for each in starts)
        return [downloads.source(cursor, project, wanted, each) for each in places]
    whole = downloads.query(cursor, project, what, queue() if what == "sessions" else None, wanted)
    if what not in downloads.FILTERED:
        return [whole]
    number, metadata = project.tables.label_id, project.tables.metadata
    ((last,),) = cursor.execute(f"SELECT coalesce(max({number}), 0) FROM {metadata}").fetchall()
    parts = []
    for start in range(0, last + 1, _ROWS_WRITTEN):
        # What is decided meanwhile belongs to the last one.
        end = f" AND {number} < {start + _ROWS_WRITTEN}" if start + _ROWS_WRITTEN <= last else ""
        sql = f"SELECT * FROM ({whole.sql}) WHERE {number} >= {start}{end}"
        parts.append(Query(sql, whole.values))
    return parts


def write_tables(
    cursor: duckdb.DuckDBPyConnection, path: Path, queries: Mapping[str, Sequence[Query]]
) -> None:
    """One DuckDB file with a table of each list of queries, their rows one after the other and
    their types as they are.

    It is let go of after each: else DuckDB would keep in memory what it has written.
    """
    for table, parts in queries.items():
        for number, (sql, values) in enumerate(parts):
            with _attached(cursor, path) as name:
                into = f"{name}.main.{table}"
                start = f"INSERT INTO {into}" if number else f"CREATE TABLE {into} AS"
                cursor.execute(f"{start} {sql}", values)


@contextmanager
def _attached(cursor: duckdb.DuckDBPyConnection, path: Path) -> Iterator[str]:
    """A DuckDB file, made where there is none, under the name by which it is attached."""
    name = f"export_{path.parent.name.replace('-', '_')}"
    try:
        cursor.execute(f"ATTACH {literal(str(path))} AS {name}")
        yield name
    finally:
        while True:
            with suppress(duckdb.InterruptException):  # somebody interrupts what is written
                cursor.execute(f"DETACH DATABASE IF EXISTS {name}")
                break


def label_studio(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Wanted
) -> Iterator[bytes]:
    """The pieces of a JSON file of decided samples as tasks of Label Studio, each decision an
    annotation.

    A column is ``$column`` in its labeling configuration; the choices are those of the control
    ``label`` on the object ``sample``.
    """
    sql, values = _tasks(cursor, project, wanted)
    before = "[\n"
    for start in range(0, project.samples, _SLICE):  # what is grouped at a time stays small
        rows = cursor.execute(sql, [start, start + _SLICE, *values])
        while some := rows.fetchmany(_ROWS):
            yield (before + ",\n".join(task for (task,) in some)).encode()
            before = ",\n"
    yield b"\n]\n" if before == ",\n" else b"[]\n"


def _tasks(cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Wanted) -> Query:
    """A task a row, of the samples from one place to another."""
    tables, pool = project.tables, samples.table(project.project_id)
    chosen, values = label_filter.condition(project, wanted)
    annotation = (
        "{'result': CASE WHEN status = 'LABELED' THEN [{'from_name': 'label', 'to_name': 'sample', "
        f"'type': 'choices', 'value': {{'choices': [{tables.label}]}}}}] ELSE [] END, "
        "'was_cancelled': status = 'SKIPPED', 'created_username': annotator, "
        "'created_at': strftime(labeled_at AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ'), "
        "'lead_time': seconds}"
    )
    columns = samples.listed(cursor, project.project_id, ("sample_id",))
    here = (
        f"SELECT s.{samples.SAMPLE_ID} AS sample_id, {columns} FROM {pool} AS s "
        f"WHERE s.{samples.PLACE} >= ? AND s.{samples.PLACE} < ?"
    )
    decided = (
        f"SELECT sample_id AS __decided, list({annotation} ORDER BY {tables.label_id}) AS __made "
        f"FROM {tables.metadata} WHERE sample_id IN (SELECT sample_id FROM __here) "
        f"AND {chosen} GROUP BY sample_id"
    )
    return Query(
        f"WITH __here AS MATERIALIZED ({here}) "
        "SELECT to_json({'data': __here, 'annotations': __made})::VARCHAR "
        f"FROM __here JOIN ({decided}) ON __decided = __here.sample_id",
        values,
    )


def folder(cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Wanted) -> Iterator[bytes]:
    """The pieces of a zip of the labeled files with ``metadata.csv``, as Hugging Face `datasets`
    reads it with `imagefolder` and `audiofolder`.

    Files are called by their ``label_id``: of a name with “test” in it `datasets` would make
    another split. ``path`` says what they were called. Files that cannot be read any more are
    named in ``left_out.txt``.
    """
    home, sink = source_folder(project.settings.source, folder_of(cursor)), _Sink()
    told, lost = io.StringIO(newline=""), []
    table = csv.writer(told)
    table.writerow(["file_name", "label", "label_id", "path", "annotator", "labeled_at", "comment"])
    with zipfile.ZipFile(sink, "w") as archive:
        for label_id, path, *more in _labeled_files(cursor, project, wanted):
            source, span = split(path)
            try:
                with pinned(resolve_file(home, source)) as whole:
                    file, suffix = _content(whole, span)
            except (LabelingError, OSError):
                lost.append(path)
                continue
            name = f"data/{label_id}{suffix}"
            with file, archive.open(name, "w", force_zip64=True) as target:
                while piece := file.read(_PIECE):
                    target.write(piece)
                    yield sink.taken()
            label, who, when, comment = more
            table.writerow([name, label, label_id, path, who, when.isoformat(), comment])
        archive.writestr("metadata.csv", told.getvalue(), zipfile.ZIP_DEFLATED)
        if lost:
            archive.writestr("left_out.txt", "\n".join(lost) + "\n")
    yield sink.taken()


def _content(file: Path, span: Span | None) -> tuple[IO[bytes], str]:
    """A sample's file, open for reading, and its ending; a window is cut out as FLAC."""
    if span is None:
        return file.open("rb"), file.suffix.lower()
    with TemporaryDirectory() as place:
        cut_out, _ = RENDITIONS["audio"](Path(place), file, span)
        return io.BytesIO(cut_out.read_bytes()), ".flac"


def _labeled_files(
    cursor: duckdb.DuckDBPyConnection, project: Project, wanted: Wanted
) -> Iterator[tuple[Any, ...]]:
    """(label_id, path, label, annotator, labeled_at, comment) of the labels wanted."""
    tables = project.tables
    chosen, values = label_filter.condition(project, wanted)
    rows = cursor.execute(
        f"SELECT m.{tables.label_id}, m.sample_id, l.{tables.label}, annotator, labeled_at, "
        f"comment FROM {tables.metadata} AS m JOIN {tables.labels} AS l "
        f"ON l.{tables.label_id} = m.{tables.label_id} WHERE m.{tables.label_id} IN "
        f"(SELECT {tables.label_id} FROM {tables.metadata} WHERE {chosen}) ORDER BY 1",
        values,
    )
    while some := rows.fetchmany(_ROWS):
        yield from some


class _Sink(io.RawIOBase):
    """What a zip is written to: it holds what has not been passed on yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self._held += piece
        return len(piece)

    def taken(self) -> bytes:
        """What has been written since the last time."""
        piece = bytes(self._held)
        self._held.clear()
        return piece
