"""Where the app lies on its host: at the root, or below a path (``https://host/labeling/``).

Either the app knows the path (Streamlit's ``server.baseUrlPath``) and the proxy passes it on, or
the proxy strips it and only the browser knows it. So no address that leaves the server may begin
at the host's root: addresses in pages are resolved by the browser, and redirects are relative.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BASE = "labeling_base"  # where a request's scope holds the app's own base: "" or "/path"


def normalized(base: str | None) -> str:
    """Streamlit's setting as addresses begin with it: ``""`` or ``/path``."""
    path = (base or "").strip("/")
    return f"/{path}" if path else ""


def own_path(scope: Scope) -> str:
    """The path of a request from the app's own base on."""
    return str(scope["path"]).removeprefix(scope.get(BASE, ""))


def cookie_path(scope: Scope) -> str:
    """Where a cookie belongs, so that what else lives on the host is not told."""
    return scope.get(BASE, "") or "/"


def relative(path: str, target: str) -> str:
    """What leads from ``path`` to ``target``, both absolute on one host, wherever below it both
    were put; ``/a/b`` and ``/c`` give ``../c``."""
    folders, wanted = path.split("/")[1:-1], target.split("/")[1:]
    common = 0
    while common < min(len(folders), len(wanted) - 1) and folders[common] == wanted[common]:
        common += 1
    found = "../" * (len(folders) - common) + "/".join(wanted[common:])
    return found if found and not found.startswith("/") else f"./{found}"


class BelowPath:
    """Tells the rest which base the app has, and makes redirects on this host relative."""

    def __init__(self, app: ASGIApp, base: str | None = "") -> None:
        self.app = app
        self.base = normalized(base)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        below = scope["path"] == self.base or scope["path"].startswith(f"{self.base}/")
        scope[BASE] = self.base if below else ""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                target = headers.get("location", "")
                if target.startswith("/") and not urlsplit(target).netloc:
                    path, mark, rest = target.partition("?")
                    headers["location"] = relative(scope["path"], path) + mark + rest
            await send(message)

        await self.app(scope, receive, send_on)
