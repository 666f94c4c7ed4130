"""What every response carries: headers that keep a page to itself, and the browser's cookie."""

from __future__ import annotations

import base64
import re
import secrets
from hashlib import sha256

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from labeling_core.web.base_path import cookie_path, own_path

COOKIE = "labeling_browser"
COOKIE_SECONDS = 180 * 24 * 3600
BROWSER = "labeling_browser"  # where the request's scope holds the value of the cookie
EXCHANGE = "/labeling/exchange"

# Streamlit styles its elements inline and loads components from blob: addresses; pictures of
# figures are drawn through data: and blob: ones. No script but its own, whoever writes a sample.
POLICY = (
    "default-src 'self'; script-src 'self' blob:{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def policy(page: str) -> str:
    """The Content-Security-Policy under which a page runs its own inline scripts and no other."""
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(sha256(each.encode()).digest()).decode() for each in scripts]
    return POLICY.format(scripts="".join(f" 'sha256-{each}'" for each in digests))


class SecureResponses:
    """Adds HEADERS to each response that does not bring its own, and gives each browser a cookie
    with the first page: what media links are bound to, before two tabs ask at once."""

    def __init__(self, app: ASGIApp, page: str = "") -> None:
        """``page`` is the HTML that all pages start from."""
        self.app = app
        self.headers = HEADERS | {"Content-Security-Policy": policy(page)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = cookie_of(scope)
        scope[BROWSER] = cookie = known or secrets.token_urlsafe(24)

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                page = headers.get("content-type", "").startswith("text/html")
                if known is None and (page or own_path(scope) == EXCHANGE):
                    headers.append("Set-Cookie", _set_cookie(cookie, scope))
            await send(message)

        await self.app(scope, receive, send_on)


def cookie_of(scope: Scope) -> str | None:
    """What tells this browser from others, if it was given something."""
    cookie = HTTPConnection(scope).cookies.get(COOKIE, "")
    return cookie if re.fullmatch(r"[\w-]{32}", cookie, re.ASCII) else None


def _set_cookie(value: str, scope: Scope) -> str:
    # Not strict: a browser that comes by a link from elsewhere (the login) must not get another.
    text = f"{COOKIE}={value}; HttpOnly; Max-Age={COOKIE_SECONDS}; "
    text += f"Path={cookie_path(scope)}; SameSite=lax"
    return f"{text}; Secure" if scope["scheme"] == "https" else text
