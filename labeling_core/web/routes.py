"""Plain HTTP handlers beside the pages: decisions in, samples out.

A token or link tells who asks and for which project; what that person may do is looked up at
every request. The token travels in the body and is in no cookie: another site cannot make a
browser send it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from labeling_core.errors import LabelingError
from labeling_core.store.database import why_not_stored
from labeling_core.web import (
    adjudication_exchange,
    label_exchange,
    media_links,
    messages,
    review_exchange,
    security_headers,
)
from labeling_core.workspace import open_workspace

Answer = Callable[..., dict[str, Any]]
log = logging.getLogger(__name__)
MAX_BODY = 32 * 1024 * 1024
# Pictures are drawn a few at a time, so that they neither fill the memory nor hold up decisions.
_DRAWING = anyio.CapacityLimiter(os.cpu_count() or 1)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def post_exchange(request: Request, answer: Answer = label_exchange.respond) -> JSONResponse:
    """One message of a deck; see exchange.py for what goes in and out."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return JSONResponse({"error": "The message is too large."}, 413)
    return await run_in_threadpool(respond, bytes(body), _browser(request), answer)


def _browser(request: Request) -> str:
    """What links are bound to: the browser's cookie, as SecureResponses has read or made it."""
    return media_links.browser_of(request.scope.get(security_headers.BROWSER))


def respond(
    body: bytes, browser: str = "", answer: Answer = label_exchange.respond
) -> JSONResponse:
    """The response to the raw body of one message; ``browser`` as media.browser_of gives it."""
    try:
        raw = json.loads(body)
        message = messages.parse(raw)
    except (ValueError, RecursionError):
        return JSONResponse({"error": "The message is not JSON."}, 400)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 400)
    try:
        reply = answer(open_workspace(), raw.get("token"), message, browser)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 403)
    except (duckdb.Error, OSError) as error:
        log.exception("Decisions could not be stored")
        return JSONResponse({"error": why_not_stored(error)}, 503)
    return JSONResponse(reply)


async def get_media(request: Request) -> Response:
    """The image, picture or audio behind a signed link; see media.py."""
    token, browser = request.path_params["token"], _browser(request)
    known = request.headers.get("if-none-match", "")
    return await anyio.to_thread.run_sync(show, token, browser, known, limiter=_DRAWING)


def show(token: str, browser: str, known: str = "") -> Response:
    """The response to a link; ``known`` are the ETags of what the browser has already."""
    try:
        link = media_links.read_link(open_workspace().key, token, browser)
        open_workspace().roles.person(link.annotator).require("label", link.project_id)
    except LabelingError as error:
        return _refusal(error, 403)
    try:
        project = open_workspace().project(link.project_id)
        home = open_workspace().database.path.parent
        viewer = media_links.Viewer(open_workspace().key, project, home, link.annotator, browser)
        path = viewer.file(link.sample_id)
        cache = open_workspace().database.files(link.project_id, "renditions")
        cached = {"Cache-Control": f"private, max-age={media_links.WINDOW}", "Vary": "Cookie"}
        tag = media_links.etag(cache, path, link.kind)
        if tag in known:
            return Response(status_code=304, headers=_HEADERS | cached | {"ETag": tag})
        file, media_type = media_links.serve(cache, path, link.kind)
    except LabelingError as error:
        return _refusal(error, 404)
    except OSError as error:
        log.warning("A file could not be served: %s", error.strerror)
        return _refusal(LabelingError("The file cannot be read at the moment."), 404)
    return FileResponse(file, media_type=media_type, headers=_HEADERS | cached | {"ETag": tag})


def _refusal(error: LabelingError, status: int) -> Response:
    return PlainTextResponse(str(error), status, _HEADERS | {"Cache-Control": "no-store"})


post_review = partial(post_exchange, answer=review_exchange.respond)
post_adjudication = partial(post_exchange, answer=adjudication_exchange.respond)
ROUTES = [
    Route(security_headers.EXCHANGE, post_exchange, methods=["POST"]),
    Route("/labeling/review", post_review, methods=["POST"]),
    Route("/labeling/adjudication", post_adjudication, methods=["POST"]),
    Route(media_links.ADDRESS + "{token}", get_media, methods=["GET"]),
]
