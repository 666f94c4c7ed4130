"""How many samples a source holds, as far as the settings page knows it."""

from __future__ import annotations

from labeling_core.errors import LabelingError
from labeling_core.settings import quote
from labeling_core.sources.folders import source_folder
from labeling_core.sources.uploads import Staged
from labeling_core.store.database import columns
from labeling_core.workspace import Workspace
from pages.forms import media_fields
from pages.forms.settings_fields import Upload


def of(
    workspace: Workspace, modality: str, source: str, upload: Upload | Staged | None
) -> int | None:
    """The rows or files of an upload, a table or a folder; None while there is none."""
    if isinstance(upload, Staged):
        return upload.files
    if upload is not None:
        return upload.preview.row_count
    if not source:
        return None
    if modality == "tabular":
        return _rows(workspace, source)
    try:
        folder = source_folder(source, workspace.database.path.parent)
        return len(media_fields.listing(folder, modality).files)
    except (LabelingError, OSError):
        return None


def _rows(workspace: Workspace, table: str) -> int | None:
    with workspace.database.read() as cursor:
        if not columns(cursor, table):
            return None
        found = cursor.execute(f"SELECT count(*) FROM main.{quote(table)}").fetchone()
    return int(found[0]) if found else None
