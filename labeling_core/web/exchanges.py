"""What the exchanges of all decks have in common: who sent a message, and what all are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from labeling_core.labeling.pipeline import Refusal
from labeling_core.labeling.queue import Queue
from labeling_core.people import ForbiddenError, Person
from labeling_core.sessions.jobs import Status
from labeling_core.settings import Project
from labeling_core.web import request_log
from labeling_core.web.media_links import Viewer
from labeling_core.web.messages import Message
from labeling_core.workspace import Workspace


class _Sample(Protocol):
    @property
    def sample_id(self) -> str: ...


Item = TypeVar("Item", bound=_Sample)


class Portion(NamedTuple, Generic[Item]):
    """What of a list goes to a deck now, and what the deck is told about the list."""

    taken: list[Item]
    news: dict[str, Any]


def sender(workspace: Workspace, name: str, only: str) -> Person:
    """The person of that name, with their roles; ForbiddenError where ``only`` is another."""
    request_log.by(workspace.key, name)
    if only and only != name:
        raise ForbiddenError("This page was opened under another name: reload it.")
    return workspace.roles.person(name)


def viewer_of(workspace: Workspace, project: Project, name: str, browser: str) -> Viewer:
    """Who looks at samples: links to media work in ``browser`` only."""
    return Viewer(workspace.key, project, workspace.database.path.parent, name, browser)


def portion(left: Sequence[Item], message: Message) -> Portion[Item]:
    """The first of the samples that are left to look at, beside those that the deck holds; it is
    told which of them it holds for nothing, and how many follow."""
    holding = set(message.holding)
    others = [each for each in left if each.sample_id not in holding]
    taken = [] if message.release else others[: message.wanted]
    known = {each.sample_id for each in left}
    news = {
        "drop": [each for each in message.holding if each not in known],
        "more": len(others) - len(taken),
        "finished": not left,
    }
    return Portion(taken, news)


def learning(workspace: Workspace, project: Project) -> dict[str, Any]:
    """What the loop of the project is doing, as the deck reads it."""
    return describe(workspace.loop.status(project)) | {
        "enabled": bool(project.settings.queries_table),
        "session_id": workspace.queue(project).session_id,
    }


def stored(
    queue: Queue, annotator: str, message: Message, refusals: Sequence[Refusal]
) -> dict[str, Any]:
    """How far the decisions of the sender's browsers in a message are stored, and which were
    refused."""
    clients = {each.client for each in message.decisions} | {message.client}
    return {
        "message": message.number,
        "stored": queue.sequences.stored(annotator, clients),
        "refused": [each._asdict() for each in refusals],
    }


def describe(status: Status) -> dict[str, Any]:
    """A status as the deck reads it."""
    return {"state": status.state, "text": status.text, "progress": status.progress}
