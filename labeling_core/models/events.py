"""What is heard when: neighbouring windows of one category as one event, from … to.

An event begins with its first window and ends with its last one; where windows overlap, events may
too. Its probability is the mean of those of its windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.sources import windows
from labeling_core.store.exporting import form_of, packed, to_file

AUDACITY = "Audacity labels"
_SMALL = 2e-3  # seconds between windows that touch


class Event(NamedTuple):
    """``start`` and ``end`` in seconds of the recording ``path``; ``probability`` (0..1) is None
    where people have labeled all of it."""

    path: str
    start: float
    end: float
    category: str
    probability: float | None


def merged(found: Iterable[tuple[str, str | None, float | None]]) -> list[Event]:
    """The events of windows (sample_id, category, probability), by recording and time. Windows
    without a category, and samples that are no windows, end an event and are none."""
    parts = [(*windows.split(name), category, known) for name, category, known in found]
    parts.sort(key=lambda each: (each[0], each[1] or windows.Span(0.0, 0.0)))
    events: list[Event] = []
    total, count = 0.0, 0  # of the probabilities in the last event
    broken = True
    for path, span, category, probability in parts:
        if span is None or category is None:
            broken = True
            continue
        last = events[-1] if events and not broken else None
        if last is None or last.path != path or last.category != category or (
            span.start > last.end + _SMALL
        ):  # fmt: skip
            events.append(Event(path, span.start, span.end, category, None))
            total, count = 0.0, 0
        if probability is not None:
            total, count = total + probability, count + 1
        mean = total / count if count else None
        events[-1] = events[-1]._replace(end=span.end, probability=mean)
        broken = False
    return events


def to_table(
    cursor: duckdb.DuckDBPyConnection, events: list[Event], form: str, safe: bool = False
) -> bytes:
    """A file with the columns path, from, to, category, probability; ``form`` one of
    exporting.FORMATS, ``safe`` as exporting.to_file has it."""
    columns = [list(each) for each in zip(*events, strict=True)] or [[] for _ in Event._fields]
    query = (
        'SELECT unnest(?::VARCHAR[]) AS path, unnest(?::DOUBLE[]) AS "from", '
        'unnest(?::DOUBLE[]) AS "to", unnest(?::VARCHAR[]) AS category, '
        "unnest(?::DOUBLE[]) AS probability"
    )
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE events AS {query}", columns)
    try:
        return to_file(cursor, "FROM temp.events", form, safe)
    finally:
        cursor.execute("DROP TABLE temp.events")


def label_files(events: list[Event]) -> dict[str, str]:
    """For each recording a label track as Audacity imports it: a line an event, from, to and label
    with tabs between; ``night/a.wav`` → ``night/a.wav.txt``."""
    files: dict[str, str] = {}
    for each in events:
        label = " ".join(each.category.split())
        line = f"{each.start:.6f}\t{each.end:.6f}\t{label}\n"
        name = f"{each.path}.txt"
        files[name] = files.get(name, "") + line
    return files


def to_form(cursor: duckdb.DuckDBPyConnection, events: list[Event], form: str, safe: bool) -> bytes:
    """The events as :func:`to_table` has them, or as a zip of :func:`label_files` (AUDACITY)."""
    return packed(label_files(events)) if form == AUDACITY else to_table(cursor, events, form, safe)


class Files(NamedTuple):
    """Where events are written: a table, and a folder for the label tracks."""

    table: Path | None = None
    label_tracks: Path | None = None


NONE = Files()


def save(cursor: duckdb.DuckDBPyConnection, query: str, wanted: Files, safe: bool) -> None:
    """Write the events in a query's path, prediction and probability, where it has no problem.
    Raises LabelingError where that cannot be."""
    if wanted == NONE:
        return
    rows = cursor.execute(
        f"SELECT path, prediction, probability FROM ({query}) WHERE problem IS NULL"
    ).fetchall()
    events, contents = merged(rows), {}
    if wanted.table is not None:
        contents[wanted.table] = to_table(cursor, events, form_of(wanted.table), safe)
    if wanted.label_tracks is not None:
        for name, text in label_files(events).items():
            contents[wanted.label_tracks / name] = text.encode()
    for path, content in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise LabelingError(f"{path} cannot be written: {error.strerror}.") from error
