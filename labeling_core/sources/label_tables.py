"""Labels in a table: a row for each annotation, with columns that say what, who, when and why."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from labeling_core.errors import LabelingError
from labeling_core.sources.choices import Choices
from labeling_core.sources.dialects import find_reading
from labeling_core.sources.label_records import SKIPPED, Imported, LabelFile
from labeling_core.store.database import literal

Rows = Sequence[tuple[int, Mapping[str, str]]]  # line, column → text
LABELS = ("label", "labels", "category", "class", "target", "annotation")
WHO = ("annotator", "labeled_by", "annotated_by", "annotator_id", "user", "username")
WHEN = ("labeled_at", "annotated_at", "date", "time", "timestamp", "created_at", "updated_at")
COMMENTS = ("comment", "comments", "note", "notes")
PLUGIN = "plugin"
_STUDIO = ("annotator", "annotation_id", "created_at", "updated_at", "lead_time")


def read(path: Path, name: str, label: str, wanted: Sequence[str]) -> LabelFile:
    """The annotations in a CSV, TSV or Parquet file; see foreign_labels.read_file."""
    made = LabelFile("table")
    reading = find_reading(path, name, Choices())
    made.notes += reading.notes
    if reading.format == "parquet":
        rows = _parquet(path, name)
    else:
        rows = _csv(path, name, reading.encoding or "utf-8", reading.delimiter or ",", made)
    return from_rows(rows, name, label, wanted, made)


def from_rows(
    rows: Rows, name: str, label: str, wanted: Sequence[str], made: LabelFile | None = None
) -> LabelFile:
    """The annotations in rows that were read already."""
    made = made or LabelFile("table")
    heads = list(dict.fromkeys(column for _, row in rows[:200] for column in row))
    if len(set(_STUDIO) & set(heads)) >= 4:
        made.format = "label-studio-min"
        read_label_studio(rows, made, label)
        return made
    if {"data_id", "status", "annotator"} <= set(heads):
        made.format = PLUGIN
    numbered = [each for each in heads if f"{each}_id" in heads]  # as the plugin names them
    column = _find(heads, [label] if label else [*wanted, *LABELS, *numbered])
    if column is None:
        asked = f"no column “{label}”" if label else "no column that looks like one of labels"
        shown = ", ".join(f"“{each}”" for each in heads[:20]) or "none"
        raise LabelingError(f"{name} has {asked}: it has {shown}. Name the one of labels.", "label")
    _read_rows(rows, made, column, heads)
    return made


def _read_rows(rows: Rows, made: LabelFile, column: str, heads: Sequence[str]) -> None:
    rest = [each for each in heads if each != column]
    who, when, said = (_find(rest, names) for names in (WHO, WHEN, COMMENTS))
    status = _find(rest, ["status"])
    told = [f"the label from “{column}”"]
    told += [f"{what} from “{head}”" for what, head in (("who", who), ("when", when),
             ("the comment", said)) if head]  # fmt: skip
    made.notes.append(f"Taken: {', '.join(told)}.")
    own = {column, *(each for each in (who, when, said) if each)}
    for line, row in rows:
        fields = {key: value for key, value in row.items() if key not in own}
        more = (row.get(who or ""), row.get(when or ""), row.get(said or ""))
        value = row.get(column, "")
        if status and row.get(status, "").upper() == SKIPPED:
            made.skip(line, fields, *more)
        elif value.strip():
            made.add(line, fields, [value], *more)
        else:
            made.unlabeled.append(fields)


def read_label_studio(
    rows: Sequence[tuple[int, Mapping[str, Any]]], made: LabelFile, label: str
) -> None:
    """Label Studio's short forms: the answer stands among the columns of the task itself."""
    heads = list(dict.fromkeys(key for _, row in rows for key in row))
    column = label if label in heads else _studio_column(rows, heads, label)
    made.notes.append(f"The labels are taken from “{column}”.")
    own = {*_STUDIO, column}
    for line, row in rows:
        fields = {key: str(value) for key, value in row.items()
                  if key not in own and not isinstance(value, (dict, list))}  # fmt: skip
        value: Any = row.get(column)
        if isinstance(value, str) and value.startswith('{"choices"'):
            made.refuse(line, "There are several labels on one sample: only one is possible.")
            continue
        if isinstance(value, dict):
            value = value.get("choices")
        values = value if isinstance(value, list) else [value] if value else []
        when = row.get("created_at") or row.get("updated_at")
        if not values and not row.get("annotation_id"):
            made.unlabeled.append(fields)
        elif not values:  # these forms do not tell what was passed over
            made.skip(line, fields, row.get("annotator"), when)
        else:
            made.add(line, fields, [str(each) for each in values], row.get("annotator"), when)


def _studio_column(
    rows: Sequence[tuple[int, Mapping[str, Any]]], heads: Sequence[str], label: str
) -> str:
    """The column of answers: the one with the fewest different values that is no one's own."""
    rest = [each for each in heads if each not in (*_STUDIO, "id")]
    if label or not rest:
        raise LabelingError(f"There is no column “{label}” in the file.", "label")
    labeled = [row for _, row in rows if row.get("annotation_id")]
    return min(rest, key=lambda head: len({str(row.get(head, "")) for row in labeled}))


def _find(heads: Sequence[str], names: Sequence[str]) -> str | None:
    known = {each.casefold(): each for each in reversed(heads)}
    return next((known[each.casefold()] for each in names if each.casefold() in known), None)


def _csv(path: Path, name: str, encoding: str, delimiter: str, made: LabelFile) -> Rows:
    rows: list[tuple[int, Mapping[str, str]]] = []
    csv.field_size_limit(1 << 27)
    try:
        with path.open(encoding=encoding, newline="") as opened:
            reader = csv.reader(opened, delimiter=delimiter)
            heads: list[str] = []
            line = 1
            for cells in reader:
                at, line = line, reader.line_num + 1
                if not heads:
                    heads = [each.strip() for each in cells]
                elif cells and len(cells) != len(heads):
                    number = f"{len(cells)} cell{'s' * (len(cells) != 1)}"
                    made.refuse(at, f"This line has {number}, the header {len(heads)}.")
                elif cells:
                    rows.append((at, dict(zip(heads, cells, strict=True))))
    except (UnicodeError, LookupError) as error:
        raise LabelingError(f"{name} cannot be read as {encoding}: save it as UTF-8.") from error
    except csv.Error as error:
        raise LabelingError(f"{name} cannot be read beyond line {line}: {error}.") from error
    return rows


def _parquet(path: Path, name: str) -> Rows:
    with duckdb.connect() as con:
        try:
            found = con.execute(
                f"SELECT COLUMNS(*)::VARCHAR FROM read_parquet({literal(str(path))})"
            )
            heads = [each[0] for each in found.description or []]
            listed = found.fetchall()
        except duckdb.Error as error:
            raise LabelingError(f"{name} is damaged: export it again.", "file") from error
    return [
        (number, {head: cell or "" for head, cell in zip(heads, row, strict=True)})
        for number, row in enumerate(listed, start=1)
    ]


def join(metadata: LabelFile, labeled: Sequence[Imported], name: str) -> LabelFile:
    """The plugin's metadata with the columns of its labels dataset, called ``name``, by the number
    that both have of a label."""
    heads = {key for each in labeled[:1] for key in each.fields}
    shared = [key for each in metadata.records[:1] for key in each.fields
              if key in heads and key.endswith("_id") and key != "data_id"]  # fmt: skip
    if not shared:
        raise LabelingError(f"{name} has no column of label ids as the metadata has it.", "file")
    rows = {each.fields[shared[0]]: each.fields for each in labeled}
    records = [each._replace(fields={**each.fields, **rows.get(each.fields[shared[0]], {})})
               for each in metadata.records]  # fmt: skip
    found = sum(each.fields[shared[0]] in rows for each in records)
    note = f"{name} is joined by “{shared[0]}”: it has {found:,} of {len(records):,} samples."
    return replace(metadata, records=records, notes=[*metadata.notes, note])
