"""Images and sounds on their way to a browser: signed links, and the files behind them.

A link is made for one annotator in one browser, names one file of one project, and ends. It is
the same for some hours, so that the browser's own cache works.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import NamedTuple

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.modalities.registry import RENDITIONS
from labeling_core.modalities.renditions import rendition_place
from labeling_core.settings import Project
from labeling_core.sources.folders import resolve_file, source_folder
from labeling_core.sources.pinned import pinned
from labeling_core.sources.windows import Span, split

ADDRESS = "/labeling/media/"
TEXTS = "/labeling/text/"  # see long_texts.py
WINDOW = 6 * 3600  # seconds for which a link stays the same; it holds for one to two of them


class Viewer(NamedTuple):
    """Who looks at the samples of a project: what their links are signed with and bound to.

    ``home`` is the folder of the database; ``browser`` is what :func:`browser_of` gives.
    """

    key: bytes
    project: Project
    home: Path
    annotator: str
    browser: str

    def file(self, sample_id: str) -> Path:
        """The file of a sample, to be read when it is ``pinned``; LabelingError when it is gone."""
        folder = source_folder(self.project.settings.source, self.home)
        return resolve_file(folder, split(sample_id).path)

    @property
    def context(self) -> float:
        """The seconds of a recording that are shown on either side of a window."""
        return self.project.settings.window_context

    def link(self, kind: str, sample_id: str, span: Span | None = None) -> str:
        """The address of what one of RENDITIONS makes of a sample's file, or of a ``span`` of it;
        another version of the file has another address."""
        with pinned(self.file(sample_id)) as file:
            changed = file.stat().st_mtime_ns
        link = Link(
            self.project.project_id, self.annotator, self.browser, kind, sample_id, changed,
            end(), span,
        )  # fmt: skip
        return ADDRESS + tokens.seal(self.key, "media", list(link))

    def text(self, sample_id: str, column: str) -> str:
        """The address of the whole text of a cell that is too long to be sent with its sample."""
        asked = [self.project.project_id, self.annotator, self.browser, sample_id, column, end()]
        return TEXTS + tokens.seal(self.key, TEXTS, asked)


def end() -> int:
    """When a link that is made now is over, in seconds since the epoch: the same for a while, so
    that browsers keep what they have."""
    return (int(time.time()) // WINDOW + 2) * WINDOW


def require_valid(made_for: str, expires: float, browser: str) -> None:
    """Raise LabelingError for a link that was ``made_for`` another browser (as :func:`browser_of`
    gives it), or is over."""
    if not browser or browser != made_for:
        raise LabelingError("This link was made for another browser: open the project yourself.")
    if expires < time.time():
        raise LabelingError("This link is over: reload the page.")


class Link(NamedTuple):
    """What a link stands for; ``expires`` in seconds since the epoch."""

    project_id: str
    annotator: str
    browser: str
    kind: str
    sample_id: str
    changed: int
    expires: float
    span: Span | None = None


def browser_of(cookie: str | None) -> str:
    """What links hold of a browser: a hash of its cookie; empty when it has none."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:32] if cookie else ""


def read_link(key: bytes, token: str, browser: str) -> Link:
    """What a link stands for; LabelingError when it is not ours, not this browser's, or over."""
    link = Link(*tokens.unseal(key, "media", token))
    link = link._replace(span=link.span and Span(*link.span))
    require_valid(link.browser, link.expires, browser)
    return link


def etag(cache: Path, path: Path, kind: str, span: Span | None = None) -> str:
    """Names the content that ``kind`` makes of ``path``, without making it."""
    return f'"{rendition_place(cache, path, kind, span).name}"'


def serve(cache: Path, path: Path, kind: str, span: Span | None = None) -> tuple[Path, str]:
    """The file that one of RENDITIONS makes of ``path`` or a ``span`` of it, made once and kept in
    ``cache``, and its media type. Raises LabelingError when ``path`` cannot be read."""
    return RENDITIONS[kind](cache, path, *([span] if span else []))
