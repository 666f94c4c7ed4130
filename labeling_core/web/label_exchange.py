"""One exchange between a deck and the server: decisions in, samples and news out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from labeling_core.access import tokens
from labeling_core.labeling import assignment, decisions
from labeling_core.labeling.browsers import Browser
from labeling_core.labeling.pipeline import Part, Refusal, can_join
from labeling_core.labeling.queue import Queue
from labeling_core.labeling.succession import hand_over
from labeling_core.people import Person
from labeling_core.projects import samples
from labeling_core.settings import Project
from labeling_core.web import presence, views
from labeling_core.web.decks import Decks, decks_of
from labeling_core.web.exchanges import learning, sender, stored, viewer_of
from labeling_core.web.media_links import Viewer
from labeling_core.web.messages import MAX_HISTORY, MAX_WANTED, PORTION, Message
from labeling_core.workspace import Workspace

# Samples at a time for somebody who is deciding and lacks many: among many people, and else.
FEW, SOME, MANY, REFILL_SECONDS = PORTION // 4, PORTION // 2, 4, 0.25


class Asked(NamedTuple):
    """A message with who has sent it, and from which browser (see media_links.browser_of)."""

    annotator: str
    message: Message
    browser: str = ""


class Served(NamedTuple):
    """What became of one message: the news for its deck, and the samples now reserved for it."""

    news: dict[str, Any]
    taken: list[assignment.Taken]


def respond(
    workspace: Workspace, token: Any, message: Message, browser: str = "", only: str = ""
) -> dict[str, Any]:
    """The reply to a message that came with ``token``; see :func:`answer`.

    The role is that of this moment, whatever it was when the token was made. ``only`` is who may
    have sent it, where that is known. Raises ForbiddenError for anyone else.
    """
    grant = tokens.verify(workspace.key, token)
    by = sender(workspace, grant.annotator, only)
    return answer(workspace, grant.project_id, by, message, browser)


def answer(
    workspace: Workspace, project_id: str, by: Person, message: Message, browser: str = ""
) -> dict[str, Any]:
    """Store the decisions, hand out samples, report the news: the reply to one message.

    Messages that come while others are being stored are stored together, in one transaction.
    Links to media work in ``browser`` (see media.browser_of) only.

    Raises ForbiddenError unless ``by`` may label; LabelingError when the project is gone; duckdb
    errors when nothing was stored.
    """
    by.require("label", project_id)
    annotator = by.name
    project = workspace.project(project_id)
    served: Served = workspace.open_projects.line(project_id).join(
        Asked(annotator, message, browser), lambda asked: serve(workspace, project_id, asked)
    )
    project = workspace.project(project_id)  # its categories may have just been changed
    news = served.news | views.category_news(project, message.offered)
    viewer = viewer_of(workspace, project, annotator, browser)
    found = [
        {"sample_id": each.sample.sample_id, "view": views.view(each.sample, viewer)}
        for each in served.taken
    ]
    history = None
    if message.history is not None:
        with workspace.database.read() as cursor:
            past = _past(cursor, project, served.news["counts"]["mine"], annotator, message.history)
        history = _history(past, viewer)
    return news | {"samples": found, "history": history}


def serve(
    workspace: Workspace, project_id: str, asked: Sequence[Asked]
) -> Sequence[Served | BaseException]:
    """Serve the first messages of the line, as many as can be stored at once.

    When they cannot be stored together, each is tried alone: none suffers from another.
    """
    with workspace.database.lock:
        project = workspace.project(project_id)
        asked = _joinable(asked)
        served: list[Served | BaseException]
        try:
            served = [*_store(workspace, project, asked)]
        except Exception as error:
            alone = asked if len(asked) > 1 else []
            served = [_store_alone(workspace, project, each) for each in alone] or [error]
        workspace.loop.after_decisions(project)
        news = learning(workspace, project) | {
            "version": workspace.queue(project).version,
            "halting": workspace.loop.advice(project),
        }
    return [
        each._replace(news=each.news | {"learning": news}) if isinstance(each, Served) else each
        for each in served
    ]


def _joinable(asked: Sequence[Asked]) -> Sequence[Asked]:
    """The first messages, up to one that depends on those before it."""
    browsers: set[Browser] = set()
    parts: list[Part] = []
    for number, (annotator, message, _) in enumerate(asked):
        browser, part = Browser(annotator, message.client), Part(annotator, message.decisions)
        if browser in browsers or not can_join(part, parts):
            return asked[:number]
        browsers.add(browser)
        parts.append(part)
    return asked


def _store_alone(workspace: Workspace, project: Project, asked: Asked) -> Served | BaseException:
    try:
        return _store(workspace, project, [asked])[0]
    except Exception as error:
        return error


def _store(workspace: Workspace, project: Project, asked: Sequence[Asked]) -> list[Served]:
    """Store decisions and reservations in one transaction; what became of each message."""
    database, project_id = workspace.database, project.project_id
    with workspace.open_projects.in_step(project_id), database.transaction():
        parts = [Part(each.annotator, each.message.decisions) for each in asked]
        refusals = decisions.submit(workspace.open_projects, project_id, parts)
        queue = workspace.queue(project)
        decks = decks_of(queue)
        screens = decks.screens
        for annotator, message, seat in asked:
            browser = Browser(annotator, message.client)
            if message.wanted and not message.release:
                hand_over(queue, browser, decks.heard, partial(_is_gone, decks, seat))
            decks.hear(browser, queue.clock(), seat)
        dropped = [_hand_back(queue, screens, each.annotator, each.message) for each in asked]
        wants = _wants(queue, asked, dropped)
        taken = assignment.hand_out(database, project, queue, wants, screens)
    return [
        Served(_news(queue, message, refused, annotator) | {"drop": gone}, given)
        for (annotator, message, _), refused, gone, given in zip(
            asked, refusals, dropped, taken, strict=True
        )
    ]


def _is_gone(decks: Decks, asking: str, browser: Browser) -> bool:
    return presence.is_gone(decks.seats.get(browser, ""), asking)


def _hand_back(
    queue: Queue, screens: dict[Browser, str | None], annotator: str, message: Message
) -> list[str]:
    """Renew and hand back what a deck holds: the ids that it shall drop."""
    decided = {each.sample_id for each in message.decisions}
    holding = [each for each in message.holding if each not in decided]
    browser = Browser(annotator, message.client)
    if message.release:
        screens.pop(browser, None)
        queue.reservations.release(holding, browser)
        return []
    screens[browser] = message.screen
    outdated = message.version < queue.version
    kept = [each for each in holding if not outdated or each == message.screen]
    still = set(kept)
    dropped = [each for each in holding if each not in still]
    queue.reservations.release(dropped, browser)
    now = queue.clock()
    lost = queue.reservations.renew(kept, browser, now)
    return dropped + [
        each for each in lost if not queue.reservations.regain(each, annotator, message.client, now)
    ]


def _wants(
    queue: Queue, asked: Sequence[Asked], dropped: Sequence[list[str]]
) -> list[assignment.Want]:
    """How many samples to reserve for whom: all that are wanted, unless somebody is deciding and
    lacks many. They get a few at a time, and all at the same time: to look samples up costs about
    the same for one as for hundreds, a new session outdates what all decks hold, and to send each
    of them all of it anew between two decisions would stall everybody."""
    numbers = [
        0 if each.message.release else min(each.message.wanted + len(gone), MAX_WANTED)
        for each, gone in zip(asked, dropped, strict=True)
    ]
    patient = [  # they have enough for the next moment, or there is nothing that they lack
        not number or (_is_portioned(message, number) and len(message.holding) - len(gone) >= FEW)
        for (_, message, _), number, gone in zip(asked, numbers, dropped, strict=True)
    ]
    now, decks = queue.clock(), decks_of(queue)
    is_time = abs(now - decks.refilled) >= REFILL_SECONDS
    if is_time and any(numbers):
        decks.refilled = now
    elif all(patient):
        numbers = [0] * len(asked)
    portion = SOME if len(asked) < MANY else FEW
    return [
        assignment.Want(who, message.client, portion if _is_portioned(message, number) else number)
        for (who, message, _), number in zip(asked, numbers, strict=True)
    ]


def _is_portioned(message: Message, number: int) -> bool:
    return bool(message.decisions) and number > 2 * PORTION


def _news(
    queue: Queue, message: Message, refusals: Sequence[Refusal], annotator: str
) -> dict[str, Any]:
    left, skipped = queue.pool.free() or queue.offered_to(annotator), queue.counts.decisions[None]
    return stored(queue, annotator, message, refusals) | {
        # Decisions, not samples: a sample for several people must not be told from others by
        # a count that does not move.
        "counts": {
            "labeled": queue.counts.decisions.total() - skipped,
            "skipped": skipped,
            "total": queue.size + queue.counts.further,
            "categories": {
                name: n for name, n in queue.counts.decisions.items() if name is not None
            },
            "mine": queue.counts.by_annotator[annotator],
            "revised": queue.counts.revised[annotator],
            "several": queue.overlap.used,
        },
        "finished": left == 0,
        "waiting": None
        if left or _has_more(message)
        else _waiting(queue, annotator, message.client),
    }


def _has_more(message: Message) -> bool:
    """Whether a deck has samples behind the one in front: it does not ask yet who has the others,
    and to look through what all decks hold takes a millisecond for some thousand samples."""
    decided = {each.sample_id for each in message.decisions}
    return not message.release and sum(each not in decided for each in message.holding) > 1


def _waiting(queue: Queue, annotator: str, client: str) -> dict[str, Any] | None:
    """The samples that are left, but in other hands: how many, whether the own ones (in another
    tab), and until when (seconds since the epoch) unless they are decided before."""
    reservations = queue.reservations
    others = [
        each
        for each in reservations
        if (each.client != client or each.annotator != annotator)
        and reservations.is_wanted(each, annotator)
    ]
    if not others:
        return None
    own = all(each.annotator == annotator for each in others)
    return {"samples": len(others), "own": own, "until": max(each.until for each in others)}


class _Past(NamedTuple):
    """A piece of an annotator's own decisions, from number ``start`` of ``total`` on."""

    start: int
    total: int
    own: list[decisions.PastDecision]
    rows: dict[int, samples.Sample]


def _past(
    cursor: Any, project: Project, total: int, annotator: str, wanted: tuple[int, int]
) -> _Past:
    index, count = wanted
    count = min(max(count, 1), MAX_HISTORY)
    index = max(0, total - count) if index < 0 else index
    past = decisions.history(cursor, project, annotator, index, count)
    rows = samples.read(cursor, project.project_id, [each.position for each in past])
    return _Past(index, total, past, rows)


def _history(past: _Past, viewer: Viewer) -> dict[str, Any]:
    decisions = [
        {"sample_id": each.sample_id, "view": views.view(past.rows[each.position], viewer),
         "status": each.status, "category": each.category, "comment": each.comment}
        for each in past.own
    ]  # fmt: skip
    return {"index": past.start, "total": past.total, "decisions": decisions}
