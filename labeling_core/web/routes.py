"""Plain HTTP handlers beside the pages: decisions in, samples out.

A token or link tells who asks and for which project; what that person may do is looked up at
every request. The token travels in a header or the body and is in no cookie: another site cannot
make a browser send it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial, wraps
from itertools import chain
from typing import Any, NamedTuple
from urllib.parse import quote

import anyio.to_thread
import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from labeling_core.access import tokens
from labeling_core.errors import LabelingError
from labeling_core.modalities import renditions
from labeling_core.sources.pinned import pinned
from labeling_core.store.database import why_not_stored
from labeling_core.web import (
    adjudication_exchange,
    exports,
    label_exchange,
    logins,
    long_texts,
    media_links,
    messages,
    metrics,
    request_log,
    review_exchange,
    security_headers,
)
from labeling_core.web.base_path import normalized
from labeling_core.workspace import open_workspace

Answer = Callable[..., dict[str, Any]]
Show = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)
TOKEN = "x-labeling-token"
MAX_BODY, MAX_UNSIGNED = 8 * 1024 * 1024, 64 * 1024  # bytes; a beacon's token is in its body
BODY_SECONDS = 20.0  # for a body to arrive
# Pictures are drawn a few at a time, so that they neither fill the memory nor hold up decisions.
_DRAWING = anyio.CapacityLimiter(os.cpu_count() or 1)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _Deck(NamedTuple):
    """What the metrics call a kind of deck, and the ``purpose`` that its tokens are made for."""

    name: str
    purpose: str


def _signed_in(answer: Show) -> Show:
    """The same for a GET, but after a sign-out a refusal."""

    @wraps(answer)
    async def checked(request: Request) -> Response:
        if logins.signed_out(request.scope):
            return _refusal(LabelingError(logins.SIGNED_OUT), 403)
        return await answer(request)

    return checked


async def post_exchange(request: Request, answer: Answer = label_exchange.respond) -> JSONResponse:
    """One message of a deck; see label_exchange for what goes in and out."""
    start = time.perf_counter()
    response = await _exchange(request, answer)
    metrics.answered(_DECKS[answer].name, response.status_code, time.perf_counter() - start)
    return response


async def _exchange(request: Request, answer: Answer) -> JSONResponse:
    """The token in the header is looked at before anything is read.

    Without one only as much is read as a beacon holds, which cannot have headers.
    """
    token, only = request.headers.get(TOKEN, ""), request.scope.get(logins.LOGIN, "")
    if logins.signed_out(request.scope):
        return _closing(logins.SIGNED_OUT, 403)
    try:
        if token:
            tokens.check(open_workspace().key, _DECKS[answer].purpose, token)
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(request, MAX_BODY if token else MAX_UNSIGNED)
    except LabelingError as error:
        return _closing(str(error), 403)
    except (TimeoutError, ClientDisconnect):  # nobody is there to read it, in the second case
        return _closing("The message did not arrive in time.", 408)
    if body is None:
        return _closing("The message is too large.", 413)
    return await run_in_threadpool(respond, body, _browser(request), answer, token, only)


async def _read(request: Request, most: int) -> bytes | None:
    """The body; None if it is longer."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _closing(sentence: str, status: int) -> JSONResponse:
    """A refusal after which nothing more is read."""
    return JSONResponse({"error": sentence}, status, {"Connection": "close"})


def _browser(request: Request) -> str:
    """What links are bound to: the browser's cookie, as SecureResponses has read or made it."""
    return media_links.browser_of(request.scope.get(security_headers.BROWSER))


def respond(
    body: bytes,
    browser: str = "",
    answer: Answer = label_exchange.respond,
    token: str = "",
    only: str = "",
) -> JSONResponse:
    """The response to the raw body of one message; ``browser`` as media.browser_of gives it,
    ``token`` where it is not in the message; ``only``: whose login it came with, "" where there
    are none."""
    try:
        raw = messages.read_json(body)
        message = messages.parse(raw)
    except (ValueError, RecursionError):
        return JSONResponse({"error": "The message is not JSON."}, 400)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 400)
    try:
        reply = answer(open_workspace(), token or raw.get("token"), message, browser, only)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 403)
    except (duckdb.Error, OSError) as error:
        log.exception(request_log.referred("Decisions could not be stored"))
        return JSONResponse({"error": why_not_stored(error)}, 503)
    metrics.stored(_DECKS[answer].name, len(message.decisions) - len(reply.get("refused", ())))
    return JSONResponse(reply)


@_signed_in
async def get_media(request: Request) -> Response:
    """The image, picture or audio behind a signed link; see media.py."""
    token, browser = request.path_params["token"], _browser(request)
    known = request.headers.get("if-none-match", "")
    return await anyio.to_thread.run_sync(show, token, browser, known, limiter=_DRAWING)


class _HeldFile(FileResponse):
    """A file that is held until it has been sent (see sources.pinned)."""

    held: ExitStack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.held:
            await super().__call__(scope, receive, send)


def show(token: str, browser: str, known: str = "") -> Response:
    """The response to a link; ``known`` are the ETags of what the browser has already."""
    with ExitStack() as held:
        return _shown(token, browser, known, held)


def _shown(token: str, browser: str, known: str, held: ExitStack) -> Response:
    try:
        link = media_links.read_link(open_workspace().key, token, browser)
        request_log.by(open_workspace().key, link.annotator)
        open_workspace().roles.person(link.annotator).require("label", link.project_id)
    except LabelingError as error:
        return _refusal(error, 403)
    try:
        project = open_workspace().project(link.project_id)
        home = open_workspace().database.path.parent
        viewer = media_links.Viewer(open_workspace().key, project, home, link.annotator, browser)
        path = held.enter_context(pinned(viewer.file(link.sample_id)))
        cache = open_workspace().database.files(link.project_id, renditions.FOLDER)
        cached = {"Cache-Control": f"private, max-age={media_links.WINDOW}", "Vary": "Cookie"}
        tag = media_links.etag(cache, path, link.kind, link.span)
        if tag in known:
            return Response(status_code=304, headers=_HEADERS | cached | {"ETag": tag})
        file, media_type = media_links.serve(cache, path, link.kind, link.span)
        renditions.shown(file, cache)
    except LabelingError as error:
        return _refusal(error, 404)
    except OSError as error:
        log.warning("A file could not be served: %s", error.strerror)
        return _refusal(LabelingError("The file cannot be read at the moment."), 404)
    response = _HeldFile(file, media_type=media_type, headers=_HEADERS | cached | {"ETag": tag})
    response.held = held.pop_all()
    return response


@_signed_in
async def get_text(request: Request) -> Response:
    """The whole text of a cell, behind a signed link; see long_texts.py."""
    return await run_in_threadpool(tell, request.path_params["token"], _browser(request))


def tell(token: str, browser: str) -> Response:
    """The response to the link of a text."""
    try:
        text = long_texts.read(open_workspace(), token, browser)
    except LabelingError as error:
        return _refusal(error, 403)
    except duckdb.Error:
        log.exception(request_log.referred("A text could not be read"))
        return _refusal(LabelingError("The text cannot be read at the moment."), 503)
    return PlainTextResponse(text, headers=_HEADERS | {"Cache-Control": "no-store"})


@_signed_in
async def get_export(request: Request) -> Response:
    """The file behind the link of a download; see exports.py."""
    return await run_in_threadpool(take_away, request.path_params["token"], _browser(request))


def take_away(token: str, browser: str) -> Response:
    """The response to the link of a download; it begins when the first piece is there."""
    try:
        found = exports.follow(open_workspace(), token, browser)
        first = next(found.pieces, b"")
    except LabelingError as error:
        return _refusal(error, 403)
    except (duckdb.Error, OSError):
        log.exception(request_log.referred("An export failed"))
        return _refusal(LabelingError("The file cannot be made at the moment."), 503)
    name = f"attachment; filename*=UTF-8''{quote(found.name)}"
    headers = _HEADERS | {"Cache-Control": "no-store", "Content-Disposition": name}
    pieces = chain([first], found.pieces)
    return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


def _refusal(error: LabelingError, status: int) -> Response:
    told = str(error) if status == 403 else request_log.referred(str(error))
    return PlainTextResponse(told, status, _HEADERS | {"Cache-Control": "no-store"})


post_review = partial(post_exchange, answer=review_exchange.respond)
post_adjudication = partial(post_exchange, answer=adjudication_exchange.respond)


def below(base: str | None) -> list[Route]:
    """The routes of an app whose own base is ``base``, as Streamlit's setting says it."""
    start = normalized(base)
    return [Route(start + path, answer, methods=[method]) for method, path, answer in _ROUTES]


_DECKS: dict[Answer, _Deck] = {
    label_exchange.respond: _Deck("label", "exchange"),
    review_exchange.respond: _Deck("review", "review"),
    adjudication_exchange.respond: _Deck("adjudication", "exchange"),
}
_ROUTES: list[tuple[str, str, Callable[..., Awaitable[Response]]]] = [
    ("POST", security_headers.EXCHANGE, post_exchange),
    ("POST", "/labeling/review", post_review),
    ("POST", "/labeling/adjudication", post_adjudication),
    ("GET", media_links.ADDRESS + "{token}", get_media),
    ("GET", media_links.TEXTS + "{token}", get_text),
    ("GET", exports.ADDRESS + "{token}", get_export),
]
ROUTES = below("")
