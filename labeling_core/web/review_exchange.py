"""One exchange between a deck in review mode and the server; see label_exchange for the other."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.labeling import reviewing
from labeling_core.labeling.queue import Queue
from labeling_core.people import Person
from labeling_core.projects import samples
from labeling_core.sessions import label_errors
from labeling_core.sessions.label_errors import Finding, Listing
from labeling_core.settings import Project
from labeling_core.web import views
from labeling_core.web.exchanges import learning, portion, sender, stored, viewer_of
from labeling_core.web.media_links import Viewer
from labeling_core.web.messages import Message
from labeling_core.workspace import Workspace


class Grant(NamedTuple):
    """What a review token stands for: this person may review this list until ``expires``."""

    project_id: str
    name: str
    expires: float
    listing: Listing


def issue(key: bytes, project_id: str, by: Person, listing: Listing) -> str:
    """A token to review ``listing``. Raises ForbiddenError for other people's labels without the
    role for it."""
    _require(by, project_id, listing)
    values = [project_id, by.name, time.time() + tokens.LIFETIME, list(listing)]
    return tokens.seal(key, "review", values)


def _require(by: Person, project_id: str, listing: Listing) -> None:
    by.require("label" if listing.annotator == by.name else "manage", project_id)


def verify(key: bytes, token: Any) -> Grant:
    """What ``token`` grants; LabelingError when it is not ours or has expired."""
    project_id, name, expires, listing = tokens.unseal(key, "review", token)
    grant = Grant(project_id, name, expires, Listing(*listing))
    if grant.expires < time.time():
        raise LabelingError("This page has been open for too long: reload it to go on.")
    return grant


def respond(
    workspace: Workspace, token: Any, message: Message, browser: str = "", only: str = ""
) -> dict[str, Any]:
    """The reply to a message that came with ``token``; see :func:`answer`."""
    grant = verify(workspace.key, token)
    by = sender(workspace, grant.name, only)
    return answer(workspace, grant.project_id, by, grant.listing, message, browser)


def answer(
    workspace: Workspace,
    project_id: str,
    by: Person,
    listing: Listing,
    message: Message,
    browser: str = "",
) -> dict[str, Any]:
    """Store what was decided, hand out what is left to look at: the reply to one message.

    Raises ForbiddenError unless ``by`` may review ``listing``; LabelingError when the project is
    gone; duckdb errors when nothing was stored.
    """
    _require(by, project_id, listing)
    with workspace.database.lock:
        refusals = reviewing.submit(workspace.open_projects, project_id, by, message.decisions)
        project = workspace.project(project_id)
        queue = workspace.queue(project)
        reply = stored(queue, by.name, message, refusals) | _news(queue)
    reply["learning"] = learning(workspace, project)
    viewer = viewer_of(workspace, project, by.name, browser)
    return reply | _hand_out(workspace, project, listing, message, viewer)


def _news(queue: Queue) -> dict[str, Any]:
    return {
        "counts": {
            "labeled": queue.counts.labeled,
            "skipped": queue.counts.skipped,
            "total": queue.size,
            "categories": dict(queue.counts.categories),
            "mine": 0,
        },
        "notice": None,
        "history": None,
    }


def _hand_out(
    workspace: Workspace, project: Project, listing: Listing, message: Message, viewer: Viewer
) -> dict[str, Any]:
    """The next findings of the list, and what is to be told of it."""
    with workspace.database.read() as cursor:
        taken, news = portion(label_errors.findings(cursor, project, listing), message)
        rows = samples.read(cursor, project.project_id, [each.position for each in taken])
    shown = [_finding(each) | {"view": views.view(rows[each.position], viewer)} for each in taken]
    return news | {"samples": shown}


def _finding(found: Finding) -> dict[str, Any]:
    """A finding as the deck reads it; the moment in milliseconds since the epoch."""
    return {
        "sample_id": found.sample_id,
        "given": found.label,
        "given_probability": found.given_probability,
        "suggested": found.suggested,
        "suggested_probability": found.suggested_probability,
        "annotator": found.annotator,
        "labeled_at": found.labeled_at.timestamp() * 1000,
        "comment": found.comment,
        "likely": found.likely,
    }
