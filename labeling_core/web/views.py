"""What a deck shows: a sample, as plain text or links to media, and the categories on offer."""

from __future__ import annotations

import hashlib
from typing import Any

from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import modality_of
from labeling_core.projects import column_uses
from labeling_core.projects.samples import Sample
from labeling_core.settings import Project
from labeling_core.web.media_links import Viewer


def view(sample: Sample, viewer: Viewer) -> dict[str, Any]:
    """The view of a sample of any modality; ``broken`` says why a file cannot be shown.

    Of a table's row it has the columns that are shown, in their order; ``main`` is the large one.
    """
    settings = viewer.project.settings
    try:
        shown = modality_of(settings).view(column_uses.arranged(sample, settings), viewer)
        return shown | {"main": settings.main_column} if settings.main_column else shown
    except LabelingError as error:
        return {"broken": str(error)}
    except OSError as error:
        return {"broken": f"{sample.sample_id} cannot be opened: {error.strerror}."}


def offered_categories(project: Project) -> dict[str, Any]:
    """The categories as a deck shows them, and a stamp that changes when they do.

    ``offered`` covers retired ones and names alone too: a rename changes past decisions. It
    begins with the number of renames so far: a name may have come to mean another category.
    """
    settings = project.settings
    shown = [
        {"name": each.name, "key": each.key, "description": each.description, "color": each.color}
        for each in settings.offered
    ]
    stamp = hashlib.blake2s(repr(settings.categories).encode(), digest_size=8).hexdigest()
    return {"categories": shown, "offered": f"{project.renames}-{stamp}"}


def category_news(project: Project, known: str) -> dict[str, Any]:
    """What :func:`offered_categories` says, for a deck whose stamp ``known`` is another one."""
    if not known:
        return {}
    now = offered_categories(project)
    return {} if now["offered"] == known else now
