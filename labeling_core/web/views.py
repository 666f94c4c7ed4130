"""A sample as the deck shows it: plain text or links to media, never markup, bounded."""

from __future__ import annotations

import datetime
import hashlib
import json
import math
from collections.abc import Callable
from functools import cache
from typing import Any

from labeling_core.errors import LabelingError
from labeling_core.modalities import images, sounds
from labeling_core.projects.samples import Sample
from labeling_core.settings import Project
from labeling_core.web.media_links import IMAGE_SIZE, Viewer

MAX_TEXT = 20_000  # characters of one cell that reach the browser
PIXELATED = 64  # images up to this side are drawings of single pixels


def view(sample: Sample, viewer: Viewer) -> dict[str, Any]:
    """The view of a sample of any modality; ``broken`` says why a file cannot be shown."""
    try:
        return VIEWS[viewer.project.settings.modality](sample, viewer)
    except LabelingError as error:
        return {"broken": str(error)}
    except OSError as error:
        return {"broken": f"{sample.sample_id} cannot be opened: {error.strerror}."}


def image(sample: Sample, viewer: Viewer) -> dict[str, Any]:
    """The view of an image: ``width`` and ``height`` (pixels) are those of what ``url`` gives."""
    facts = images.facts(viewer.file(sample.sample_id))
    width, height = int(facts["width"]), int(facts["height"])
    share = min(1.0, IMAGE_SIZE[0] / width, IMAGE_SIZE[1] / height)
    return {
        "url": viewer.link("image", sample.sample_id),
        "width": max(1, round(width * share)),
        "height": max(1, round(height * share)),
        "pixelated": max(width, height) <= PIXELATED,
        "facts": [*_file_facts(sample, facts), ["pixels", f"{width}×{height}"]],
    }


def sound(sample: Sample, viewer: Viewer) -> dict[str, Any]:
    """The view of a sound: ``seconds`` long; ``picture`` shows it over that time."""
    facts = sounds.facts(viewer.file(sample.sample_id))
    rate, channels = f"{int(facts['rate']):,} Hz", int(facts["channels"])
    return {
        "url": viewer.link("audio", sample.sample_id),
        "picture": viewer.link("picture", sample.sample_id),
        "seconds": facts["seconds"],
        "facts": [
            *_file_facts(sample, facts),
            ["duration", f"{facts['seconds']:g} s"],
            ["sampled at", rate if channels == 1 else f"{rate}, {channels} channels"],
        ],
    }


def _file_facts(sample: Sample, facts: Any) -> list[list[str]]:
    size, unit = facts["size"], "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    date = str(facts["date"]).replace("T", " ").removesuffix("+00:00") + " UTC"
    return [
        ["name", sample.sample_id],
        ["size", f"{size:.3g} {unit}"],
        ["date", date],
        ["format", str(facts["format"])],
    ]


def record(sample: Sample, viewer: Viewer | None = None) -> dict[str, Any]:
    """The view of a table's row: ``fields`` as [column, text or None, kind].

    ``truncated`` names the columns whose text was cut. None, NaN and empty text are missing.
    """
    fields, truncated = [], []
    for name, kind, value in sample.fields:
        text = show(value)
        if text is not None and len(text) > MAX_TEXT:
            text = text[:MAX_TEXT]
            truncated.append(name)
        fields.append([name, text, _kind(kind)])
    return {"fields": fields, "truncated": truncated}


def show(value: object) -> str | None:
    """A cell as text; None where it is missing."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return "∞" if value == math.inf else "−∞" if value == -math.inf else f"{value:.10g}"
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict | list):
        try:
            return json.dumps(value, ensure_ascii=False, default=str)
        except TypeError:  # a map whose keys JSON does not know, such as dates
            return str(value)
    return str(value)


@cache
def _kind(kind: str) -> str:
    upper = kind.upper()
    if any(word in upper for word in ("INT", "DOUBLE", "FLOAT", "DECIMAL", "NUMBER")):
        return "number"
    return "date" if "DATE" in upper or "TIME" in upper else "text"


VIEWS: dict[str, Callable[[Sample, Viewer], dict[str, Any]]] = {
    "tabular": record,
    "images": image,
    "sounds": sound,
}


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
