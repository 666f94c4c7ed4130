"""Plain HTTP handlers beside the pages: decisions in, samples out."""

from __future__ import annotations

import json
import logging

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from labeling_core import exchange, tokens
from labeling_core.errors import LabelingError
from labeling_core.workspace import workspace

log = logging.getLogger(__name__)
MAX_BODY = 32 * 1024 * 1024


async def post_exchange(request: Request) -> JSONResponse:
    """One message of a deck; see exchange.py for what goes in and out."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return JSONResponse({"error": "The message is too large."}, 413)
    return await run_in_threadpool(respond, bytes(body))


def respond(body: bytes) -> JSONResponse:
    """The response to the raw body of one message."""
    try:
        raw = json.loads(body)
        message = exchange.parse(raw)
    except (ValueError, RecursionError):
        return JSONResponse({"error": "The message is not JSON."}, 400)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 400)
    try:
        grant = tokens.verify(workspace().key, raw.get("token"))
        reply = exchange.answer(workspace(), grant.project_id, grant.annotator, message)
    except LabelingError as error:
        return JSONResponse({"error": str(error)}, 403)
    except (duckdb.Error, OSError) as error:
        log.exception("Decisions could not be stored")
        sentence = "The decisions could not be stored yet; they are kept and sent again."
        return JSONResponse({"error": sentence, "kind": type(error).__name__}, 503)
    return JSONResponse(reply)


ROUTES = [Route("/labeling/exchange", post_exchange, methods=["POST"])]
