"""One exchange between a deck in adjudication mode and the server; see label_exchange for the other
mode, whose token serves here too: what counts is the role at the moment of each message."""

from __future__ import annotations

from typing import Any

from labeling_core.access import tokens
from labeling_core.labeling import adjudicating
from labeling_core.labeling.adjudicating import Dispute, Disputes
from labeling_core.people import Person
from labeling_core.projects import samples
from labeling_core.projects.overlap import Shared
from labeling_core.settings import Project
from labeling_core.web import views
from labeling_core.web.exchanges import learning, portion, sender, stored, viewer_of
from labeling_core.web.media_links import Viewer
from labeling_core.web.messages import MAX_HISTORY, Message
from labeling_core.workspace import Workspace


def respond(
    workspace: Workspace, token: Any, message: Message, browser: str = "", only: str = ""
) -> dict[str, Any]:
    """The reply to a message that came with ``token``; see :func:`answer`."""
    grant = tokens.verify(workspace.key, token)
    by = sender(workspace, grant.annotator, only)
    return answer(workspace, grant.project_id, by, message, browser)


def answer(
    workspace: Workspace, project_id: str, by: Person, message: Message, browser: str = ""
) -> dict[str, Any]:
    """Store rulings, hand out what waits for one: the reply to one message.

    Raises ForbiddenError unless ``by`` may settle; LabelingError when the project is gone; duckdb
    errors when nothing was stored.
    """
    by.require("manage", project_id)
    with workspace.database.lock:  # no other decision comes between these and a session
        refusals = adjudicating.submit(workspace.open_projects, project_id, by, message.decisions)
        project = workspace.project(project_id)
        if message.decisions:
            workspace.loop.after_decisions(project)
    found = adjudicating.disputes(workspace.open_projects, project, by)
    viewer = viewer_of(workspace, project, by.name, browser)
    return (
        stored(workspace.queue(project), by.name, message, refusals)
        | {"notice": None, "counts": _counts(found), "learning": learning(workspace, project)}
        | _hand_out(workspace, project, found, message, viewer)
    )


def _counts(found: Disputes) -> dict[str, Any]:
    ruled = [each.ruling.status for each in found.settled if each.ruling is not None]
    return {
        "labeled": ruled.count("LABELED"),
        "skipped": ruled.count("SKIPPED"),
        "total": len(found.waiting) + len(found.settled),
        "categories": {},
        "mine": len(found.settled),
    }


def _hand_out(
    workspace: Workspace, project: Project, found: Disputes, message: Message, viewer: Viewer
) -> dict[str, Any]:
    """The next samples that wait, what is to be told of them, and the last rulings where they
    are asked for."""
    taken, news = portion(found.waiting, message)
    past = [] if message.history is None else found.settled[-MAX_HISTORY:]
    return news | {
        "samples": _entries(workspace, project, taken, viewer),
        "history": {"decisions": _entries(workspace, project, past, viewer)} if past else None,
    }


def _entries(
    workspace: Workspace, project: Project, wanted: list[Shared], viewer: Viewer
) -> list[dict[str, Any]]:
    """Samples as the deck reads them, with who said what and, where there is one, the ruling."""
    if not wanted:
        return []
    with workspace.database.read() as cursor:
        described = adjudicating.describe(cursor, project, wanted)
        rows = samples.read(cursor, project.project_id, [each.position for each in wanted])
    return [_entry(each) | {"view": views.view(rows[each.position], viewer)} for each in described]


def _entry(dispute: Dispute) -> dict[str, Any]:
    said = [each._asdict() for each in dispute.opinions]
    entry: dict[str, Any] = {"sample_id": dispute.sample_id, "opinions": said}
    if dispute.ruling is not None:
        category, comment = dispute.ruling.category, dispute.ruling.comment
        status = "SKIPPED" if category is None else "LABELED"
        entry |= {"status": status, "category": category, "comment": comment}
    return entry
