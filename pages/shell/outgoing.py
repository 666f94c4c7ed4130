"""What Streamlit sends to browsers, less what it should not say.

It tells every browser, signed in or not, where the program lies on the server's disk; and the way
to the login from the host's root on, which is not ours where a proxy strips a path.
"""

from __future__ import annotations

from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from labeling_core.web.base_path import BASE


class PlainOutgoing:
    """Rewrites the few messages of websockets that hold such a thing; the others go untouched."""

    def __init__(self, app: ASGIApp, script: Path) -> None:
        """``script`` is the main script, whose folder nobody needs to know."""
        self.app = app
        self.script = script.name
        self.telling = str(script.resolve().parent).encode(), b"/auth/log"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return

        async def send_on(message: Message) -> None:
            data = message.get("bytes")
            if data and any(each in data for each in self.telling):
                message = {**message, "bytes": self.rewritten(data, scope.get(BASE, ""))}
            await send(message)

        await self.app(scope, receive, send_on)

    def rewritten(self, data: bytes, base: str) -> bytes:
        """The message without the path of the script, and with a way to the login that starts
        where the page is: all pages lie directly below the app's own ``base``."""
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            message.new_session.main_script_path = self.script
        elif kind == "auth_redirect":
            message.auth_redirect.url = message.auth_redirect.url.removeprefix(f"{base}/")
        else:
            return data
        return message.SerializeToString()
