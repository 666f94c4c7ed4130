"""Cells that are too long to be sent with their sample: each whole, behind a signed link."""

from __future__ import annotations

from typing import NamedTuple

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.modalities.table_view import show
from labeling_core.projects import column_uses, samples
from labeling_core.web import request_log
from labeling_core.web.media_links import TEXTS, require_valid
from labeling_core.workspace import Workspace


class LongText(NamedTuple):
    """What a link stands for: as media_links.Link, and a ``column``."""

    project_id: str
    annotator: str
    browser: str
    sample_id: str
    column: str
    expires: float


def read(workspace: Workspace, token: str, browser: str) -> str:
    """The whole text of a cell. Raises LabelingError when the link is not ours, not this
    browser's, or over, and when the column is not shown (any more)."""
    asked = LongText(*tokens.unseal(workspace.key, TEXTS, token))
    require_valid(asked.browser, asked.expires, browser)
    request_log.by(workspace.key, asked.annotator)
    workspace.roles.person(asked.annotator).require("label", asked.project_id)
    project = workspace.project(asked.project_id)
    with workspace.database.read() as cursor:
        found = cursor.execute(
            f"SELECT {samples.PLACE} FROM {samples.keys(project.project_id)} "
            f"WHERE {samples.SAMPLE_ID} = ?",
            [asked.sample_id],
        ).fetchone()
        rows = samples.read(cursor, project.project_id, found or [])
    for sample in rows.values():
        for column, kind, value in column_uses.arranged(sample, project.settings).fields:
            if column == asked.column:
                return show(value, kind) or ""
    raise LabelingError("This text is shown no longer: reload the page.")
