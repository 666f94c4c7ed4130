"""What the server tells of its requests: one JSON object a line, and nothing of what people wrote.

Each request has a number, which is in its log lines, in the response's header ``X-Request-Id`` and
in the sentence that somebody is shown when something fails. Paths are templates, people are
numbers that only this database's key could be tried against, messages are those of this program
before any value is put in, tracebacks name places and kinds of errors.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import secrets
import sys
import time
import traceback
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling_core.web.base_path import own_path

log = logging.getLogger(__name__)
HEADER = "X-Request-Id"
_OURS = ("labeling_core", "pages", "app")  # whose messages hold no values before they are put in
_TOKENS = re.compile(r"/labeling/(media|text|export)/.+")
_UPLOAD = re.compile(r"/_stcore/upload_file/.+")
_PLAIN = re.compile(r"/labeling/(exchange|review|adjudication)")


@dataclass
class Request:
    """One request: its number, and whom it turned out to come from ("" for nobody known)."""

    reference: str
    person: str = ""


_current: ContextVar[Request | None] = ContextVar("request", default=None)


def template(path: str) -> str:
    """The path without what is in it of samples, people or sessions; "" for those not logged."""
    if found := _TOKENS.fullmatch(path):
        return f"/labeling/{found[1]}/{{token}}"
    if _UPLOAD.fullmatch(path):
        return "/_stcore/upload_file/{session}/{file}"
    return path if _PLAIN.fullmatch(path) else ""


def by(key: bytes, name: str) -> None:
    """Note whom the request under way comes from, as a number."""
    if request := _current.get():
        request.person = hmac.digest(key, name.encode(), "sha256").hex()[:12]


def new_reference() -> str:
    """A number by which the lines of a failure are found."""
    return secrets.token_hex(4)


def referred(sentence: str) -> str:
    """The sentence, with the number of the request under way, if one is."""
    request = _current.get()
    return f"{sentence} (reference {request.reference})" if request else sentence


class Logged:
    """Numbers requests, and logs those of decks, media, downloads and uploads."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, start, status = Request(new_reference()), time.perf_counter(), 0
        before = _current.set(request)

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)[HEADER] = request.reference
            await send(message)

        try:
            await self.app(scope, receive, send_on)
        except Exception:
            log.exception(referred("A request failed"))
            if status:
                raise  # half an answer is on its way: the connection ends
            failed = PlainTextResponse(referred("Something went wrong here: tell an admin."), 500)
            await failed(scope, receive, send_on)
        finally:
            if path := template(own_path(scope)):
                _tell(scope["method"], path, status, time.perf_counter() - start)
            _current.reset(before)


def _tell(method: str, path: str, status: int, seconds: float) -> None:
    level = logging.INFO if 0 < status < 500 else logging.ERROR
    told = {"method": method, "path": path, "status": status, "ms": round(seconds * 1e3, 1)}
    log.log(level, "request", extra={"told": told})


class JsonLines(logging.Formatter):
    """One JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """See the module: no values, but those of ``told``, which this program chose."""
        moment = datetime.fromtimestamp(record.created, UTC)
        ours = record.name.split(".")[0] in _OURS
        found: dict[str, Any] = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": str(record.msg) if ours else f"{record.module}:{record.lineno}",
        }
        if request := _current.get():
            found |= {"request": request.reference, "person": request.person}
        found |= getattr(record, "told", {})
        if record.exc_info and record.exc_info[1] is not None:
            found["traceback"] = _places(record.exc_info[1])
        return json.dumps(found, ensure_ascii=False)


def _places(error: BaseException | None) -> list[str]:
    """Where an error came from, and of what kind it and its causes are; not what they say."""
    lines: list[str] = []
    while error is not None:
        for frame in traceback.extract_tb(error.__traceback__):
            lines.append(f"{frame.filename}:{frame.lineno} {frame.name}")
        lines.append(type(error).__name__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


def install() -> None:
    """Log everything as JSON lines on standard error, those of libraries included."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    others = [each for each in root.handlers if type(each) is not logging.StreamHandler]
    root.handlers[:] = [*others, handler]
    logging.captureWarnings(True)
    log.setLevel(logging.INFO)
    for name in list(logging.root.manager.loggerDict):
        hand_up(logging.getLogger(name))
    logging.getLogger("uvicorn.access").disabled = True  # it tells addresses and whole paths


def hand_up(logger: logging.Logger) -> None:
    """Have a logger write nothing itself, but hand it to the root."""
    logger.handlers.clear()
    logger.propagate = True
