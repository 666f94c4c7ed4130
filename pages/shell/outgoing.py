"""What Streamlit sends to browsers, less what it should not say.

It tells every browser, signed in or not, where the program lies on the server's disk; and the way
to the login from the host's root on, which is not ours where a proxy strips a path. And it reads
as Markdown what people wrote: see plain_text.
"""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from labeling_core.web.base_path import BASE
from pages.shell import plain_text


class PlainOutgoing:
    """Rewrites the messages of websockets that hold such a thing; the others go untouched."""

    def __init__(self, app: ASGIApp, script: Path) -> None:
        """``script`` is the main script, whose folder nobody needs to know."""
        self.app = app
        self.script = script.name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            data = message.get("bytes")
            if data:
                message = {**message, "bytes": self.rewritten(data, scope.get(BASE, ""))}
            await send(message)

        await self.app(scope, receive, send_on)

    def rewritten(self, data: bytes, base: str) -> bytes:
        """The message without the path of the script, with texts that are only texts, and with a
        way to the login that starts where the page is: all pages lie directly below the app's own
        ``base``."""
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            message.new_session.main_script_path = self.script
        elif kind == "auth_redirect":
            message.auth_redirect.url = message.auth_redirect.url.removeprefix(f"{base}/")
        elif kind == "delta":
            plain_text.make_harmless(message.delta)
        else:
            return data
        return message.SerializeToString()
