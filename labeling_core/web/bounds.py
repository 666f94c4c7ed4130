"""What of Streamlit's own addresses is open to whom: uploads need the right to manage and have an
end, and what it counts is nobody's business."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling_core import config
from labeling_core.web.base_path import own_path

UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+")
CLOSED = re.compile(r"/_stcore/(metrics|script-health-check)/?")
PATIENCE = 30.0  # seconds for the next piece of a file
MANY = 10_000  # sessions remembered
MEGABYTE = 1024 * 1024


class Bounded:
    """Refuses, before anything is read, what must not be read."""

    def __init__(
        self, app: ASGIApp, may_upload: Callable[[str], bool], held: Callable[[], int]
    ) -> None:
        """``may_upload`` is asked with the number of a session; ``held`` tells how many bytes of
        files are in memory."""
        self.app, self.may_upload, self.held = app, may_upload, held
        self.coming = 0  # bytes of files that are on their way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = own_path(scope)
        upload = UPLOAD.fullmatch(path) if scope["method"] == "PUT" else None
        if CLOSED.fullmatch(path):
            await PlainTextResponse("Not found.", 404)(scope, receive, send)
        elif upload is None:
            await self.app(scope, receive, send)
        else:
            await self._upload(upload[1], scope, receive, send)

    async def _upload(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        text = Headers(scope=scope).get("content-length", "")
        size = int(text) if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) else None
        room = config.UPLOAD_MEMORY.get() * MEGABYTE - self.held() - self.coming
        if not self.may_upload(session):
            refusal = PlainTextResponse("Uploading needs the right to manage.", 403)
        elif size is None:
            refusal = PlainTextResponse("The length of the file has to be told.", 411)
        elif size > room:
            refusal = PlainTextResponse("The server has no room for more files right now.", 413)
        else:
            with self._expecting(size):
                await self.app(scope, _patient(receive), send)
            return
        await refusal(scope, receive, send)

    @contextmanager
    def _expecting(self, size: int) -> Iterator[None]:
        self.coming += size
        try:
            yield
        finally:
            self.coming -= size


def _patient(receive: Receive) -> Receive:
    """Ends a body of which nothing has come for PATIENCE seconds."""

    async def patient() -> Message:
        try:
            return await asyncio.wait_for(receive(), PATIENCE)
        except TimeoutError:
            return {"type": "http.disconnect"}

    return patient


class Admitted:
    """Who sits behind each of Streamlit's sessions, as their pages have found out."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def enter(self, session: str, name: str) -> None:
        self._names.pop(session, None)
        self._names[session] = name
        while len(self._names) > MANY:
            self._names.pop(next(iter(self._names)), None)

    def find(self, session: str) -> str | None:
        """The name of who was let in; None for strangers."""
        return self._names.get(session)


ADMITTED = Admitted()
