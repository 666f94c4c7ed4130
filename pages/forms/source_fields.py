"""Choosing what is labeled, whichever kind of source it is in, and how much of it there is."""

from __future__ import annotations

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import Modality, table_named
from labeling_core.settings import Project, Settings
from labeling_core.sources.folders import source_folder
from labeling_core.sources.uploads import Staged, Upload
from labeling_core.workspace import Workspace
from pages.forms import media_fields, settings_fields
from pages.forms.fields import Fields

Chosen = tuple[str, Upload | Staged | None]


def source(
    fields: Fields, workspace: Workspace, modality: Modality, base: Settings, old: Project | None
) -> Chosen:
    """The fields: what the source is called, and the upload that is to become it."""
    return _FIELDS[modality.source.thing](fields, workspace, modality, base, old)


def size(
    workspace: Workspace, modality: Modality, name: str, upload: Upload | Staged | None
) -> int | None:
    """The rows or files of an upload, a table or a folder; None while there is none."""
    if isinstance(upload, Staged):
        return upload.files
    if upload is not None:
        return upload.preview.row_count
    return _SIZES[modality.source.thing](workspace, modality, name) if name else None


def _table(
    fields: Fields, workspace: Workspace, modality: Modality, base: Settings, old: Project | None
) -> Chosen:
    return settings_fields.source(fields, workspace, base, old)


def _folder(
    fields: Fields, workspace: Workspace, modality: Modality, base: Settings, old: Project | None
) -> Chosen:
    return media_fields.source(fields, workspace, modality.name, base, old)


def _rows(workspace: Workspace, modality: Modality, table: str) -> int | None:
    with workspace.database.read() as cursor:
        return table_named(table).count(cursor, table)


def _files(workspace: Workspace, modality: Modality, name: str) -> int | None:
    try:
        folder = source_folder(name, workspace.database.path.parent)
        return len(media_fields.listing(folder, modality.name).files)
    except (LabelingError, OSError):
        return None


_FIELDS = {"table": _table, "folder": _folder}
_SIZES = {"table": _rows, "folder": _files}
