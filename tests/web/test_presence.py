from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from labeling_core.web.media_links import browser_of
from labeling_core.web.presence import Presence, is_gone
from labeling_core.web.security_headers import COOKIE

COOKIES = {name: name * 32 for name in "abc"}
BROWSERS = {name: browser_of(cookie) for name, cookie in COOKIES.items()}


def seen_while_open(*names: str) -> Any:
    """What ``is_gone`` says of every pair of browsers while these have a websocket each."""
    said: dict[str, bool] = {}

    async def ask(*_: Any) -> None:
        for one in BROWSERS:
            for other in BROWSERS:
                said[one + other] = is_gone(BROWSERS[one], BROWSERS[other])

    async def open_next(scope: Scope, receive: Receive, send: Send) -> None:
        await opened(names[scope["depth"] :], scope["depth"])

    async def opened(left: Any, depth: int) -> None:
        if not left:
            await ask()
            return
        headers = [(b"cookie", f"{COOKIE}={COOKIES[left[0]]}".encode())]
        scope = {"type": "websocket", "headers": headers, "depth": depth + 1}
        await Presence(open_next)(scope, None, None)  # type: ignore[arg-type]

    asyncio.run(opened(names, 0))
    return said


def test_a_browser_is_gone_once_none_of_its_pages_is_open() -> None:
    said = seen_while_open("a", "b", "b")
    assert said["ca"] and said["cb"]
    assert not said["ba"] and not said["ab"]
    assert said["aa"]  # the page that asks is the only one: the other one of this browser is closed
    assert not said["bb"]  # it may be the second page


def test_who_is_not_known_to_be_there_tells_nothing_of_others() -> None:
    assert not any(seen_while_open().values())
    assert not is_gone("", BROWSERS["a"]) and not is_gone(BROWSERS["a"], "")
