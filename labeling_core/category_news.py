"""What an open deck is told when the categories of its project change."""

from __future__ import annotations

import hashlib
from typing import Any

from labeling_core.settings import Project


def offered(project: Project) -> dict[str, Any]:
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


def news(project: Project, known: str) -> dict[str, Any]:
    """What :func:`offered` says, for a deck whose stamp ``known`` is another one; else nothing."""
    if not known:
        return {}
    now = offered(project)
    return {} if now["offered"] == known else now
