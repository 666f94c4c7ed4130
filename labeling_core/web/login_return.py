"""After a login back to the page that was asked for, and not to the first one.

Streamlit comes back from the provider to ``/``. The address that somebody came from stands in the
Referer of the step to the login; a cookie of a few minutes carries it to the step back.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling_core.access.rights import PAGES
from labeling_core.modalities.registry import MODALITIES
from labeling_core.web.base_path import BASE, cookie_path, own_path

LOGIN, CALLBACK = "/auth/login", "/oauth2callback"  # Streamlit's
COOKIE, SECONDS = "labeling_wanted", 600
LONGEST = 500  # characters
# Our own pages; the first one has no path.
ADDRESSES = PAGES.keys() - {"home"} | {each.page for each in MODALITIES.values()} | {""}


def wanted(address: str) -> str:
    """What of ``address`` may be gone back to: the name of one of our pages and its query; empty
    for anything else. What stands before the name is the app's base, which the way back starts
    from; never another host."""
    try:
        parts = urlsplit(address)
        query = urlencode(parse_qsl(parts.query))
    except ValueError:
        return ""
    page = parts.path.rpartition("/")[2]
    found = f"{page}?{query}" if query else page
    return found if page in ADDRESSES and len(found) <= LONGEST else ""


class ReturnAfterLogin:
    """Keeps the address of the page on the way to the login, and goes there on the way back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or own_path(scope) not in (LOGIN, CALLBACK):
            await self.app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        on_the_way = own_path(scope) == LOGIN
        known = asked.headers.get("referer", "") if on_the_way else asked.cookies.get(COOKIE, "")
        address = wanted(known)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start" and address:
                headers = MutableHeaders(scope=message)
                if on_the_way:
                    headers.append("Set-Cookie", _cookie(address, SECONDS, scope))
                elif "code" in asked.query_params and message["status"] == 302:
                    headers["Location"] = f"{scope.get(BASE, '')}/{address}"
                    headers.append("Set-Cookie", _cookie("", 0, scope))
            await send(message)

        await self.app(scope, receive, send_on)


def _cookie(value: str, seconds: int, scope: Scope) -> str:
    place = cookie_path(scope)
    text = f"{COOKIE}={value}; HttpOnly; Max-Age={seconds}; Path={place}; SameSite=lax"
    return f"{text}; Secure" if scope["scheme"] == "https" else text
