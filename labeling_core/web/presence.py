"""Which browsers are there: an open page holds a websocket, which ends with a killed browser."""

from __future__ import annotations

from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from labeling_core.web.media_links import browser_of
from labeling_core.web.security_headers import cookie_of

_open: Counter[str] = Counter()  # websockets by browser, as browser_of names it; of this process


class Presence:
    """Counts the open websockets of each browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        browser = browser_of(cookie_of(scope)) if scope["type"] == "websocket" else ""
        if not browser:
            await self.app(scope, receive, send)
            return
        _open[browser] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            _open[browser] -= 1
            if not _open[browser]:
                del _open[browser]


def is_gone(browser: str, asking: str) -> bool:
    """Whether the page that was last heard from ``browser`` is closed, as far as a message from a
    page in the browser ``asking`` tells (both as ``browser_of`` names them): no page is open there,
    or, in one and the same browser, none but the one that asks.

    False where nothing is known: without cookies, or where websockets come another way.
    """
    if not browser or not _open[asking]:
        return False
    return _open[browser] == (1 if browser == asking else 0)
