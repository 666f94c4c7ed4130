"""One exchange between a deck and the server: decisions in, samples and news out."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from labeling_core import display, labeling, samples
from labeling_core.bookkeeping import Decision
from labeling_core.errors import LabelingError
from labeling_core.media import Viewer
from labeling_core.queue import Queue
from labeling_core.settings import Project
from labeling_core.workspace import Workspace, describe

MAX_DECISIONS, MAX_WANTED, MAX_HISTORY = 5_000, 500, 200
MAX_ID, MAX_COMMENT, MAX_HOLDING = 4_096, 10_000, 2_000
MAX_SECONDS = 3_600.0


class Message(NamedTuple):
    """A deck's message after validation; see :func:`parse`."""

    number: int
    client: str
    decisions: list[Decision]
    holding: list[str]
    screen: str | None
    wanted: int
    version: int
    release: bool
    history: tuple[int, int] | None


def parse(raw: object) -> Message:
    """Validate what came from a browser; LabelingError when it is not of the agreed form."""
    try:
        if not isinstance(raw, dict):
            raise TypeError("no object")
        decisions = [_decision(each) for each in _list(raw.get("decisions"), MAX_DECISIONS)]
        history = raw.get("history")
        return Message(
            number=int(raw.get("message") or 0),
            client=_text(raw["client"], 100),
            decisions=decisions,
            holding=[_text(each, MAX_ID) for each in _list(raw.get("holding"), MAX_HOLDING)],
            screen=None if raw.get("screen") is None else _text(raw["screen"], MAX_ID),
            wanted=min(max(int(raw.get("want") or 0), 0), MAX_WANTED),
            version=int(raw.get("version") or 0),
            release=raw.get("release") is True,
            history=None if history is None else (int(history["index"]), int(history["count"])),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise LabelingError(
            f"The labeling page sent something that cannot be read ({error}): reload it."
        ) from error


def _decision(raw: dict[str, Any]) -> Decision:
    category, comment = raw.get("category"), raw.get("comment")
    seconds = float(raw.get("seconds") or 0.0)
    return Decision(
        client=_text(raw["client"], 100),
        seq=int(raw["seq"]),
        sample_id=_text(raw["sample_id"], MAX_ID),
        action=_text(raw["action"], 10),
        category=None if category is None else _text(category, 1_000),
        comment=None if comment is None else _text(comment, None)[:MAX_COMMENT],
        seconds=min(max(seconds, 0.0), MAX_SECONDS) if seconds == seconds else 0.0,
    )


def _text(value: object, most: int | None) -> str:
    if not isinstance(value, str) or (most is not None and not 0 < len(value) <= most):
        raise ValueError("a text is missing or too long")
    return value.encode("utf-8", "replace").decode()  # lone surrogates cannot be stored


def _list(value: object, most: int) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("a list is too long")
    return value


def answer(
    workspace: Workspace, project_id: str, annotator: str, message: Message, browser: str = ""
) -> dict[str, Any]:
    """Store the decisions, hand out samples, report the news: the reply to one message.

    Links to media work in ``browser`` (see media.browser_of) only.

    Raises LabelingError when the project is gone; duckdb errors when nothing was stored.
    """
    project = workspace.project(project_id)
    with workspace.database.lock:
        queue = workspace.queue(project)
        try:
            refusals = labeling.submit(
                workspace.database, project, queue, annotator, message.decisions
            )
            dropped, taken = _hand_out(workspace, project, queue, annotator, message)
        except BaseException:
            workspace.forget(project_id)  # memory may be ahead of the tables: read them anew
            raise
        reply = _news(queue, message, refusals, annotator)
    workspace.after_decisions(project)
    status = workspace.status(project)
    reply["learning"] = describe(status) | {
        "enabled": bool(project.settings.queries_table),
        "session_id": queue.session_id,
        "version": queue.version,
    }
    home = workspace.database.path.parent
    viewer = Viewer(workspace.key, project, home, annotator, browser)
    with workspace.database.read() as cursor:
        rows = samples.read(cursor, project_id, [each.place for each in taken])
        past = _past(cursor, project, queue, annotator, message)
    found = [
        {"sample_id": each.sample_id, "view": display.view(rows[each.place], viewer)}
        for each in taken
    ]
    reply["history"] = _history(past, viewer)
    return reply | {"drop": dropped, "samples": found}


def _hand_out(
    workspace: Workspace, project: Project, queue: Queue, annotator: str, message: Message
) -> tuple[list[str], list[Any]]:
    """Renew, hand back and reserve: the ids the deck shall drop, and its new reservations."""
    decided = {each.sample_id for each in message.decisions}
    holding = [each for each in message.holding if each not in decided]
    if message.release:
        queue.release(holding, message.client)
        return [], []
    outdated = message.version < queue.version
    kept = [each for each in holding if not outdated or each == message.screen]
    dropped = [each for each in holding if each not in set(kept)]
    queue.release(dropped, message.client)
    lost = queue.renew(kept, message.client, time.time())
    dropped += [each for each in lost if not _regain(queue, each, annotator, message.client)]
    wanted = min(message.wanted + len(dropped), MAX_WANTED)
    taken = labeling.hand_out(workspace.database, project, queue, annotator, message.client, wanted)
    return dropped, taken


def _regain(queue: Queue, sample_id: str, annotator: str, client: str) -> bool:
    """Give a lapsed reservation back to its browser, if nobody else has the sample."""
    known = queue.find(sample_id, annotator)
    if known is None or sample_id in queue.held or queue.closed[known.place]:
        return False
    until = time.time() + queue.hold_seconds
    queue.restore(known._replace(client=client, until=until))
    return True


def _news(
    queue: Queue, message: Message, refusals: list[labeling.Refusal], annotator: str
) -> dict[str, Any]:
    clients = {each.client for each in message.decisions} | {message.client}
    free = queue.free()
    waiting = sum(each.client != message.client for each in queue.held.values())
    return {
        "message": message.number,
        "stored": {client: queue.last_seq.get(client, 0) for client in clients},
        "refused": [each._asdict() for each in refusals],
        "counts": {
            "labeled": queue.labeled,
            "skipped": queue.skipped,
            "total": queue.size,
            "categories": dict(queue.categories),
            "mine": queue.by_annotator[annotator],
        },
        "finished": free == 0,
        "notice": _notice(queue, message) if free == 0 and waiting else None,
    }


def _notice(queue: Queue, message: Message) -> str:
    others = [each for each in queue.held.values() if each.client != message.client]
    minutes = max(1, round((max(each.until for each in others) - time.time()) / 60))
    verb = "sample is" if len(others) == 1 else "samples are"
    return f"{len(others)} {verb} with another annotator for up to {minutes} more minutes."


class _Past(NamedTuple):
    """A piece of an annotator's own decisions, from number ``start`` of ``total`` on."""

    start: int
    total: int
    decisions: list[labeling.PastDecision]
    rows: dict[int, samples.Sample]


def _past(
    cursor: Any, project: Project, queue: Queue, annotator: str, message: Message
) -> _Past | None:
    if message.history is None:
        return None
    total = queue.by_annotator[annotator]
    index, count = message.history
    count = min(max(count, 1), MAX_HISTORY)
    index = max(0, total - count) if index < 0 else index
    past = labeling.history(cursor, project, annotator, index, count)
    rows = samples.read(cursor, project.project_id, [each.place for each in past])
    return _Past(index, total, past, rows)


def _history(past: _Past | None, viewer: Viewer) -> dict[str, Any] | None:
    if past is None:
        return None
    decisions = [
        {"sample_id": each.sample_id, "view": display.view(past.rows[each.place], viewer),
         "status": each.status, "category": each.category, "comment": each.comment}
        for each in past.decisions
    ]  # fmt: skip
    return {"index": past.start, "total": past.total, "decisions": decisions}
