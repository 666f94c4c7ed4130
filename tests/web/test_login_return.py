"""After a login back to the page that was asked for."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp

from labeling_core.web.login_return import CALLBACK, COOKIE, LOGIN, ReturnAfterLogin, wanted

PAGE = "session_progress?project=wine"


def responded(path: str, query: str = "", **headers: str) -> dict[str, str]:
    """The headers of what Streamlit's redirect becomes."""
    app: ASGIApp = RedirectResponse("/", 302)
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "scheme": "https",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(ReturnAfterLogin(app)(scope, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (f"https://labels.org/{PAGE}", PAGE),
        ("https://labels.org/settings?project=a b&new=1", "settings?project=a+b&new=1"),
        ("https://labels.org/people", "people"),
        ("https://labels.org/", ""),  # where one comes back to anyway
        ("https://labels.org/?project=wine", "?project=wine"),
        ("https://labels.org/nowhere?project=wine", ""),
        ("https://labels.org/auth/logout", ""),
        ("https://labels.org/labeling/people", "people"),  # below the app's own base
        ("https://labels.org//evil.org/people", "people"),  # ours, not theirs
        ("https://labels.org/labeling/auth/logout", ""),
        ("//evil.org", ""),
        ("settings?x=" + "y" * 600, ""),
        ("settings?x=\r\nSet-Cookie: a=b; c", "settings?x=Set-Cookie%3A+a%3Db%3B+c"),
        ("https://[broken", ""),
    ],
)
def test_only_our_own_pages_are_gone_back_to(address, found):
    assert wanted(address) == found


def test_the_address_goes_with_the_login_and_is_gone_to_once():
    headers = responded(LOGIN, referer=f"https://labels.org/{PAGE}")
    assert headers["location"] == "/"
    assert headers["set-cookie"] == (
        f"{COOKIE}={PAGE}; HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"
    )
    headers = responded(CALLBACK, "code=1&state=2", cookie=f"{COOKIE}={PAGE}")
    assert headers["location"] == f"/{PAGE}"
    assert headers["set-cookie"].startswith(f"{COOKIE}=; HttpOnly; Max-Age=0")


@pytest.mark.parametrize(
    ("path", "query", "cookie"),
    [
        (CALLBACK, "code=1", "https://evil.org/"),
        (CALLBACK, "code=1", ""),
        (CALLBACK, "", PAGE),  # the way back from a sign-out
        ("/settings", "code=1", PAGE),
    ],
)
def test_everything_else_goes_where_it_went(path, query, cookie):
    headers = responded(path, query, cookie=f"{COOKIE}={cookie}")
    assert headers["location"] == "/"
    assert "set-cookie" not in headers
