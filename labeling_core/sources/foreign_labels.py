"""Labels that exist already, from a file: another tool's export, or a table with such a column."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from labeling_core.errors import LabelingError
from labeling_core.sources import label_tables
from labeling_core.sources.json_entries import Entry, read_entries
from labeling_core.sources.label_records import LabelFile, as_fields
from labeling_core.sources.label_tools import FORMATS, Format


def read_file(
    path: Path, name: str, form: str = "auto", label: str = "", wanted: Sequence[str] = ()
) -> LabelFile:
    """The annotations in the file ``path``, called ``name`` by the user.

    ``form`` is a key of label_tools.FORMATS, ``table`` or ``auto``; ``label`` names the column of
    labels where there is one, ``wanted`` what else such a column may be called. Raises
    LabelingError with one sentence for a file that holds no labels.
    """
    if form not in ("auto", "table", *FORMATS):
        known = ", ".join(("auto", "table", *FORMATS))
        raise LabelingError(f"“{form}” is no format of labels: choose one of {known}.", "format")
    if form in ("auto", *FORMATS):
        unreadable: list[tuple[int, str]] = []
        entries = read_entries(path, name, unreadable)
        if entries:
            return _read_entries(entries, name, form, label, wanted, unreadable)
        if form != "auto":
            raise LabelingError(f"{name} is no JSON file of {FORMATS[form].title}.", "file")
    return label_tables.read(path, name, label, wanted)


def read_files(
    files: Sequence[tuple[Path, str]],
    form: str = "auto",
    label: str = "",
    wanted: Sequence[str] = (),
) -> LabelFile:
    """The annotations of one file; or of the labeling plugin's two datasets, whose labels hold
    the samples that its metadata is about. Each is a path and a name; see :func:`read_file`."""
    if len(files) == 1:
        return read_file(*files[0], form, label, wanted)
    parts = [(read_file(path, name, form, label, wanted), path, name) for path, name in files]
    metadata = [each for each, _, _ in parts if each.format == label_tables.PLUGIN]
    if len(parts) != 2 or len(metadata) != 1:
        raise LabelingError(
            "Name one file; two only if they are labels and metadata of the labeling plugin.",
            "file",
        )
    ((rows, name),) = [(each.records, name) for each, _, name in parts if each is not metadata[0]]
    return label_tables.join(metadata[0], rows, name)


def _read_entries(
    entries: list[Entry],
    name: str,
    form: str,
    label: str,
    wanted: Sequence[str],
    unreadable: Sequence[tuple[int, str]],
) -> LabelFile:
    found = form
    if form == "auto":
        found = next((key for key, each in FORMATS.items() if _matches(each, entries)), "table")
    if found == "table":
        rows = [(each.line, as_fields(each.value)) for each in entries]
        made = label_tables.from_rows(rows, name, label, wanted)
    else:
        made = LabelFile(found)
        FORMATS[found].read(entries, made, label)
    for line, reason in unreadable:
        made.refuse(line, reason)
    if not (made.records or made.unlabeled):
        reasons = f" Line {made.unreadable[0].line}: {made.unreadable[0].reason}" if (
            made.unreadable
        ) else ""  # fmt: skip
        raise LabelingError(f"{name} holds no labels.{reasons}", "file")
    return made


def _matches(form: Format, entries: Sequence[Entry]) -> bool:
    return any(form.is_like(each.value) for each in entries[:50])


def title_of(form: str) -> str:
    """What a format is called."""
    known = {
        "table": "a table", "twins": "labels of the same",
        label_tables.PLUGIN: "datasets of the labeling plugin",
    }  # fmt: skip
    return known.get(form) or FORMATS[form].title
