"""What the exchanges of all decks have in common: who sent it, what is stored, the loop."""

from __future__ import annotations

from typing import Any

from labeling_core.labeling.queue import Queue
from labeling_core.people import ForbiddenError, Person
from labeling_core.sessions.jobs import Status
from labeling_core.settings import Project
from labeling_core.web.messages import Message
from labeling_core.workspace import Workspace


def sender(workspace: Workspace, name: str, only: str) -> Person:
    """The person of that name, with their roles; ForbiddenError where ``only`` is another."""
    if only and only != name:
        raise ForbiddenError("This page was opened under another name: reload it.")
    return workspace.roles.person(name)


def learning(workspace: Workspace, project: Project) -> dict[str, Any]:
    """What the loop of the project is doing, as the deck reads it."""
    return describe(workspace.loop.status(project)) | {
        "enabled": bool(project.settings.queries_table),
        "session_id": workspace.queue(project).session_id,
    }


def stored(queue: Queue, message: Message) -> dict[str, Any]:
    """How far the decisions of the browsers in a message are stored."""
    clients = {each.client for each in message.decisions} | {message.client}
    known = {client: queue.last_seq.get(client, 0) for client in clients}
    return {"message": message.number, "stored": known}


def describe(status: Status) -> dict[str, Any]:
    """A status as the deck reads it."""
    return {"state": status.state, "text": status.text, "progress": status.progress}
