"""The columns of what is to be labeled, as they were found, and how they are to be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import streamlit as st

from labeling_core.modalities.registry import table_named
from labeling_core.modalities.table_view import show as shown_value
from labeling_core.projects import column_facts, column_uses
from labeling_core.projects.column_facts import LabelsFound
from labeling_core.sessions import features
from labeling_core.settings import Category, Project, Settings
from labeling_core.sources import importing
from labeling_core.sources.uploads import Staged, Upload
from labeling_core.workspace import Workspace
from pages.forms import column_fields, reading_fields
from pages.forms.column_fields import Chosen, Found
from pages.forms.fields import Fields
from pages.shell.plain_text import escaped

QUICK = 30_000_000  # bytes of an upload that is looked into twice before it is loaded


def choose(
    fields: Fields,
    workspace: Workspace,
    base: Settings,
    old: Project | None,
    source: str,
    upload: Upload | Staged | None,
) -> Chosen:
    """The editor of the columns of an upload, or of the table ``source`` of the database; nothing
    for files, and while there is no table."""
    if isinstance(upload, Staged) or not (source or upload):
        return Chosen(base.columns, base.main_column)
    found = _of_upload(upload) if upload else _of_table(workspace, old, source)
    if not found:
        return Chosen(base.columns, base.main_column)
    st.markdown("**Columns**")
    name = upload.path.parent.name if upload else source
    return column_fields.show(fields, found, base, name, running=old is not None)


def read_as_chosen(upload: Upload | Staged | None, chosen: Chosen) -> Upload | Staged | None:
    """The upload, read with what was chosen of its columns; as before where that cannot be."""
    if not isinstance(upload, Upload) or not (chosen.types or chosen.missing):
        return upload
    wanted = {"types": dict(chosen.types), "missing": dict(chosen.missing)}
    preview = reading_fields.chosen_columns(upload.preview, upload.path, wanted)
    return upload if preview is None else Upload(upload.path, preview)


def _of_upload(upload: Upload) -> list[Found]:
    preview = upload.preview
    doubts = _doubts_of_upload(upload.path, repr(preview.choices), preview)
    return [
        Found(
            each.name, each.type, each.missing, tuple(text[:60] for text in each.examples),
            " ".join(filter(None, [each.note, doubts.get(each.name)])), preview.format != "parquet",
        )
        for each in preview.found
    ]  # fmt: skip


def _of_table(workspace: Workspace, old: Project | None, table: str) -> list[Found]:
    source = table_named(table, old.settings.left_in_files or () if old else ())
    with workspace.database.read() as cursor:
        listed = source.columns(cursor, table)
        if not listed:
            return []
        head = source.first_rows(cursor, table)
        rows = source.count(cursor, table) or 0
    if old and (learned := features.learned(workspace.database, old)):
        notes = {name: f"Not learned from: it {why}." for name, why in learned.left_out.items()}
    else:
        notes = _doubts_of_table(workspace, str(workspace.database.path), table, rows, listed)
    examples: dict[str, tuple[str, ...]] = {}
    if head is not None:
        for name in head.columns:
            texts = [text[:60] for value in head[name] if (text := shown_value(value))]
            examples[name] = tuple(dict.fromkeys(texts))[:3]
    return [
        Found(name, kind, (), examples.get(name, ()), notes.get(name, "")) for name, kind in listed
    ]


@st.cache_data(max_entries=16, show_spinner="Looking at the columns …")
def _doubts_of_table(
    _workspace: Workspace, database: str, table: str, rows: int, listed: list[tuple[str, str]]
) -> dict[str, str]:
    """See column_facts.doubts; anew where the table has other columns or another length."""
    with _workspace.database.read() as cursor:
        rows_of = table_named(table).rows(cursor, table)
        return column_facts.doubts(cursor, rows_of, listed)


@st.cache_data(max_entries=16, show_spinner="Looking at the columns …")
def _doubts_of_upload(path: Path, reading: str, _preview: importing.Preview) -> dict[str, str]:
    """See column_facts.doubts; nothing of large files, of which the sessions tell."""
    if path.stat().st_size > QUICK:
        return {}
    with duckdb.connect() as con:
        importing.load(con, path, _preview, "upload")
        return column_facts.doubts(con, "main.upload", _preview.columns)


@st.cache_data(max_entries=16, show_spinner="Reading the labels …")
def _labels_of_upload(
    path: Path, reading: str, _preview: importing.Preview, column: str
) -> LabelsFound:
    with duckdb.connect() as con:
        importing.load(con, path, _preview, "upload")
        return column_facts.labels_in(con, "main.upload", column)


def labels(
    workspace: Workspace, chosen: Chosen, source: str, upload: Upload | Staged | None
) -> LabelsFound | None:
    """What the column holds that was chosen to hold labels; None without one."""
    column = Settings(columns=chosen.columns).column_used_as("labels")
    if not column or isinstance(upload, Staged):
        return None
    if upload is not None:
        return _labels_of_upload(upload.path, repr(upload.preview.choices), upload.preview, column)
    with workspace.database.read() as cursor:
        return column_facts.labels_in(cursor, table_named(source).rows(cursor, source), column)


def categories_of(found: LabelsFound | None, base: Settings) -> Settings:
    """``base`` with the labels found as categories, and a line that says so; a new project has
    none of its own yet."""
    if found is None:
        return base
    if len(found.values) > column_facts.MAX_CATEGORIES:
        st.error(
            f"The column that holds labels has more than {column_facts.MAX_CATEGORIES:,} different "
            "values: choose another one, or enter the categories yourself.",
            icon=":material/error:",
        )
        return base
    names = sorted(name for name, _ in found.values)
    few = escaped(", ".join(names[:10])) + (" …" if len(names) > 10 else "")
    st.info(
        f"The categories come from the column that holds labels; {len(names):,} found: {few}. "
        f"{found.rows:,} {'row comes' if found.rows == 1 else 'rows come'} labeled."
    )
    return replace(base, categories=tuple(Category(name) for name in names))


def names_of(workspace: Workspace, source: str, upload: Upload | Staged | None) -> Sequence[str]:
    """The names of the columns of what is to be labeled."""
    if isinstance(upload, Upload):
        return [name for name, _ in upload.preview.columns]
    if upload is not None or not source:
        return []
    with workspace.database.read() as cursor:
        return [name for name, _ in table_named(source).columns(cursor, source)]


def free_names(names: Sequence[str]) -> dict[str, str]:
    """What the label column and the label id column of a new project are called unless somebody
    says otherwise; a line says so where the source's own columns have the usual names."""
    usual = {"label_column": Settings.label_column, "label_id_column": Settings.label_id_column}
    free = {where: column_uses.free_name(name, names) for where, name in usual.items()}
    for where, name in free.items():
        if name != usual[where]:
            st.caption(
                f"The table has a column “{usual[where]}” of its own: ours is called “{name}”."
            )
    return free


def saved(old: Settings, new: Settings) -> str:
    """What to say when settings have been saved."""
    if features.stamp(old) == features.stamp(new):
        return "Saved."
    return (
        "Saved. What is learned from has changed: the next session computes the features anew, and "
        "until then the model and the order of the samples stay."
    )
