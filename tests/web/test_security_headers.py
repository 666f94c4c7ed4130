"""What every response carries."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.types import ASGIApp

from labeling_core.web.security_headers import (
    BROWSER,
    COOKIE,
    EXCHANGE,
    HEADERS,
    SecureResponses,
    policy,
)

START = "<html><script>\n  window.x = 1\n</script><script src='a.js'></script></html>"
KNOWN = "k" * 32


def responded(
    app: ASGIApp, path: str = "/", cookie: str = "", scheme: str = "http"
) -> tuple[dict[str, str], dict[str, Any]]:
    """The headers of the response to a request, and the scope that the app has seen."""
    headers = [(b"cookie", cookie.encode())] if cookie else []
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "scheme": scheme, "headers": headers,
        "query_string": b"",
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(SecureResponses(app, page=START)(scope, receive, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}, scope


def test_every_response_carries_the_headers_and_only_the_pages_own_script_may_run():
    headers, _ = responded(PlainTextResponse("x"))
    for name, value in HEADERS.items():
        assert headers[name.lower()] == value
    scripts = headers["content-security-policy"].split("script-src ")[1].split(";")[0]
    assert scripts.startswith("'self' blob: 'sha256-")
    assert "unsafe" not in scripts
    assert headers["content-security-policy"] == policy(START)


def test_a_response_that_brings_a_stricter_policy_keeps_it():
    headers, _ = responded(PlainTextResponse("x", headers={"Content-Security-Policy": "sandbox"}))
    assert headers["content-security-policy"] == "sandbox"


def test_a_browser_gets_its_cookie_with_the_first_page():
    headers, scope = responded(HTMLResponse("x"))
    assert headers["set-cookie"].startswith(f"{COOKIE}={scope[BROWSER]}; HttpOnly")
    assert "Secure" not in headers["set-cookie"]
    assert responded(HTMLResponse("x"), scheme="https")[0]["set-cookie"].endswith("; Secure")
    assert "set-cookie" in responded(PlainTextResponse("x"), EXCHANGE)[0]
    assert "set-cookie" not in responded(PlainTextResponse("x"), "/static/a.js")[0]


def test_a_cookie_that_is_there_is_kept():
    headers, scope = responded(HTMLResponse("x"), cookie=f"{COOKIE}={KNOWN}")
    assert "set-cookie" not in headers
    assert scope[BROWSER] == KNOWN


@pytest.mark.parametrize("value", ["", "short", "k" * 31 + "é", "k" * 33, "k" * 31 + "'"])
def test_what_is_no_cookie_of_ours_is_replaced(value):
    headers, scope = responded(HTMLResponse("x"), cookie=f"{COOKIE}={value}")
    assert scope[BROWSER] in headers["set-cookie"]
